// The sub-export `directput/bundled`: all of `directput`, with the worker's script and the Wasm module inlined in
// JavaScript. It is for tools and pages that can't serve files beside the entry.
import { init } from './index.js';
import { inlined } from './inlined.js';

export * from './index.js';

init({ inlined });
