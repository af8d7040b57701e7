// The module worker: the host of the Wasm module, behind Comlink. Where no worker can start, the page imports the
// same file. Everything is in one file, so neither needs a second request.
import { expose } from 'comlink';
import { keepErrors } from './error-transfer.js';
import { Host } from './worker/host.js';

export { Host };

/** The name of the worker that `page/host-connection.ts` starts. */
if ((globalThis as { name?: string }).name === 'directput' && !('document' in globalThis)) {
  keepErrors();
  expose(new Host());
  // A trap in a callback of the module ends the worker as one in a call does: the page hears of errors alone.
  globalThis.addEventListener('unhandledrejection', ({ reason }) => reportError(reason));
}
