// The package's files that are imported when they are needed. esbuild leaves these imports as they are, and all files are
// published in one folder, so this module must stay in the root.
import type { Files } from './inlined.js';

/** Imports the worker's script, which holds the host of the Wasm module, into the page. */
export const importWorker = (): Promise<typeof import('./worker.js')> => import('./worker.js');

/** Imports the worker's script and the Wasm module as JavaScript. Bundlers make a file of its own of it. */
export const importInlined = (): Promise<{ inlined(): Promise<Files> }> => import('./inlined.js');
