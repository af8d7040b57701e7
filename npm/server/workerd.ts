// `directput/server` for Cloudflare Workers, which compile modules only from files.
import { initSync, UploadServer } from 'server-glue';
import compiled from './glue_bg.wasm';
import { uploadsBy } from './uploads.js';

export const createUploads = uploadsBy(() => {
  // Only the first call starts the module.
  initSync({ module: compiled });
  return { UploadServer };
});
export { toNodeHandler } from './node.js';
export type * from './types.js';
