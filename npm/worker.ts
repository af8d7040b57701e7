// The module worker: the engine, behind Comlink. A page where no worker can start imports the same file, so that
// neither has to load another behind it.
import { expose } from 'comlink';
import { Engine } from './engine.js';

export { Engine };

/** The name of the worker that `reach.ts` starts. */
if ((globalThis as { name?: string }).name === 'directput' && !('document' in globalThis)) expose(new Engine());
