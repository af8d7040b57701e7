// What `tools/package-server.sh` builds: wasm-bindgen's glue, and the Wasm module.

declare module 'server-glue' {
  /** Compiles and starts the module. */
  export function initSync(options: { module: BufferSource | WebAssembly.Module }): unknown;
  export const UploadServer: import('./module.js').ServerModule['UploadServer'];
}

/** The module's bytes, in the bundle. */
declare module 'server-glue.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** The compiled module, in Cloudflare Workers. */
declare module '*/glue_bg.wasm' {
  const compiled: WebAssembly.Module;
  export default compiled;
}
