// The Wasm module: bytes where esbuild inlines it, and compiled in Cloudflare Workers.
declare module '*/glue_bg.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
