// `directput/server` in the edge runtime of Next.js, which can't start the module.
throw new Error("directput/server does not run in the edge runtime. Use `export const runtime = 'nodejs'`.");

export const createUploads = undefined;
export const toNodeHandler = undefined;
