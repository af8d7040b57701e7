// The module worker: the host of the Wasm module, behind Comlink. If no worker can start, the page imports the same
// file. The build bundles everything into this file, so loading it takes one request.
import { expose } from 'comlink';
import { keepErrors } from './error-transfer.js';
import { Host } from './worker/host.js';

export { Host };

// True only in the worker that `page/host-connection.ts` starts under this name.
if ((globalThis as { name?: string }).name === 'directput' && !('document' in globalThis)) {
  keepErrors();
  expose(new Host());
  // Reports a trap in a callback of the module as an error, because the page listens only for errors of the worker.
  globalThis.addEventListener('unhandledrejection', ({ reason }) => reportError(reason));
}
