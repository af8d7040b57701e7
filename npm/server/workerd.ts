// `directput/server` for Cloudflare Workers, which compile modules only from files.
import { initSync, UploadServer } from 'server-glue';
import compiled from './glue_bg.wasm';
import { uploadsBy } from './uploads.js';

let module: { UploadServer: typeof UploadServer } | undefined;

export const createUploads = uploadsBy(() => {
  if (!module) {
    initSync({ module: compiled });
    module = { UploadServer };
  }
  return module;
});
export { toNodeHandler } from './node.js';
export type * from './types.js';
