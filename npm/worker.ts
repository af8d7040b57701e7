// The module worker: the host of the Wasm module, behind Comlink. A page where no worker can start imports the same file, so that
// neither has to load another behind it.
import { expose } from 'comlink';
import { keepErrors } from './error-transfer.js';
import { Host } from './worker/host.js';

export { Host };

/** The name of the worker that `page/connection.ts` starts. */
if ((globalThis as { name?: string }).name === 'directput' && !('document' in globalThis)) {
  keepErrors();
  expose(new Host());
  // A trap in a callback of the module ends the worker as one in a call does: the page hears of errors alone.
  globalThis.addEventListener('unhandledrejection', ({ reason }) => reportError(reason));
}
