// The worker's script and the Wasm module as JavaScript, for pages that can't load files from beside the entry. The
// entry imports this module on demand; `directput/bundled` always includes it.

import WASM from '../target/wasm/directput_bg.wasm.gz';
import WORKER from '../target/wasm/worker.js.gz';
import { blobOf } from './page/assets.js';

/** The files from which the host is loaded. */
export interface Files {
  /** The URL of the worker's script. */
  script: string;
  /** The URL of the Wasm module, for warnings. */
  wasm: string;
  /** The promise of the compiled Wasm module. */
  module: Promise<WebAssembly.Module>;
}

let files: Promise<Files> | undefined;

/** Returns both files, unpacked at the first call. */
export function inlined(): Promise<Files> {
  files ??= unpack(WORKER).then((script) => ({
    script: blobOf(script),
    wasm: 'directput/bundled',
    module: unpack(WASM).then(WebAssembly.compile),
  }));
  return files;
}

function unpack(base64: string): Promise<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}
