// The worker's script and the Wasm module as JavaScript, for where no file can be loaded from beside the entry. The entry
// imports it when it has to; `directput/bundled` always has it.

import WASM from '../target/wasm/directput_bg.wasm.gz';
import WORKER from '../target/wasm/worker.js.gz';
import { blobOf } from './page/assets.js';

/** What the host is loaded from. */
export interface Files {
  /** The address of the worker's script. */
  script: string;
  /** The address of the Wasm module, for words about it. */
  wasm: string;
  /** The Wasm module, on its way. */
  module: Promise<WebAssembly.Module>;
}

let files: Promise<Files> | undefined;

/** Unpacks both, once. */
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
