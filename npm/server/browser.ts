// `directput/server` in a browser's bundle: an error, because the bundle would have the bucket's keys.
throw new Error(
  'directput/server signs with the keys of your bucket, so it must not be part of a page. Import it only in code of the server.',
);

export const createUploads = undefined;
export const toNodeHandler = undefined;
