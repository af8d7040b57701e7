// The glue that wasm-bindgen writes next to the module.
import type { ServerModule } from './module.js';

/** Compiles and starts the module. */
export function initSync(options: { module: BufferSource | WebAssembly.Module }): unknown;
export const UploadServer: ServerModule['UploadServer'];
