// `directput/server` for Node, Deno, Bun and frameworks that bundle: the module is part of this file.
import { initSync, UploadServer } from 'server-glue';
import bytes from 'server-glue.wasm';
import { uploadsBy } from './uploads.js';

/**
 * Returns the signing API of a bucket: a function that answers the requests of uploaders. Throws `UploadError` with
 * `invalid-option` if an option is wrong.
 */
export const createUploads = uploadsBy(() => {
  // Only the first call starts the module.
  initSync({ module: bytes });
  return { UploadServer };
});
export { toNodeHandler } from './node.js';
export type * from './types.js';
