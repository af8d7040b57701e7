// The module worker: the engine, as the page calls it. A page where no worker can start imports the same file, so that
// neither has to load another behind it.
import { connect } from './channel.js';
import { Engine } from './engine.js';
import type { Headers, UploaderOptions } from './types.js';

export { Engine };

/** The name of the worker that `reach.ts` starts. */
if ((globalThis as { name?: string }).name === 'directput' && !('document' in globalThis)) {
  const engine = new Engine();
  const page = connect(globalThis as never, (method, args) => {
    const run = own[method] ?? (engine[method as 'upload'] as (...args: never[]) => unknown).bind(engine);
    return run(...args);
  });
  const own: Record<string, (...args: never[]) => unknown> = {
    ping: () => {},
    open: (options: UploaderOptions, asksHeaders: boolean, module: WebAssembly.Module) =>
      engine.open(
        options,
        (items) => page.tell('hear', [items]),
        asksHeaders ? () => page.call('headers') as Promise<Headers> : undefined,
        module,
      ),
  };
  // A trap in a callback of the module ends the worker as one in a call does: the page hears of errors alone.
  globalThis.addEventListener('unhandledrejection', ({ reason }) => reportError(reason));
}
