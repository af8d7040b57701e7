// The package's files that are imported on demand. esbuild does not rewrite these imports, and the package has all
// files in one folder. So this module must stay in the root.
import type { Files } from './inlined.js';

/** Imports the worker's script, which holds the host of the Wasm module, into the page. */
export const importWorker = (): Promise<typeof import('./worker.js')> => import('./worker.js');

/** Imports the worker's script and the Wasm module as JavaScript. Bundlers put this JavaScript into a separate file. */
export const importInlined = (): Promise<{ inlined(): Promise<Files> }> => import('./inlined.js');
