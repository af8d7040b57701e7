// How the page reaches the engine: in a module worker, or in the page where no worker can start.
import { proxy, wrap } from 'comlink';
import { wasmUrl, workerFile, workerUrl } from './assets.js';
import type { Engine } from './engine.js';
import { localError, UploadError } from './errors.js';
import { MISSED_PINGS, MODULE_MS, PING_EVERY_MS, WORKER_START_MS, within } from './limits.js';
import type { Item } from './news.js';
import { plainHeaders } from './options.js';
import { keepErrors } from './thrown.js';
import type { UploaderOptions } from './types.js';

/** The engine's methods, each of which may have to cross into a worker. */
interface Calls extends Pick<Engine, 'upload' | 'resume' | 'list' | 'handleOf' | 'forget'> {
  control(...call: Parameters<Engine['control']>): unknown;
  prioritize(...call: Parameters<Engine['prioritize']>): unknown;
  setOnline(isOnline: boolean): unknown;
}

/** The engine as the page reaches it: itself, or through a worker. */
export interface Reach extends Calls {
  /** Whether it runs in a worker. */
  inWorker: boolean;
  /** Resolves when the engine is no more. What was under way has then been rejected with `worker-lost`. */
  lost: Promise<void>;
  close(): void;
}

const METHODS = ['upload', 'resume', 'list', 'handleOf', 'forget', 'control', 'prioritize', 'setOnline'] as const;

type Method = (typeof METHODS)[number];

const callsOf = (call: (method: Method, args: never[]) => unknown): Calls =>
  Object.fromEntries(METHODS.map((method) => [method, (...args: never[]) => call(method, args)])) as never;

type Hear = (items: Item[]) => void;

export async function start(options: UploaderOptions, wantsWorker: boolean, hear: Hear): Promise<Reach> {
  const compiling = compile();
  compiling.catch(() => {});
  if (wantsWorker && typeof Worker === 'function') {
    try {
      return await startWorker(options, hear, compiling);
    } catch (error) {
      // What the options got wrong, a second try would get wrong too.
      if (error instanceof UploadError && error.code === 'invalid-option') throw error;
    }
  }
  return startHere(options, hear, compiling);
}

type Compiling = Promise<WebAssembly.Module>;

async function startWorker({ headers, ...options }: UploaderOptions, hear: Hear, compiling: Compiling): Promise<Reach> {
  const worker = new Worker(workerUrl(), { type: 'module', name: 'directput' });
  keepErrors();
  const engine = wrap<Engine>(worker);
  /** Reject what waits for the worker. */
  const owed = new Set<(error: UploadError) => void>();
  let ended: UploadError | undefined;
  /** What the worker answers, or `worker-lost`. */
  const answer = <T>(called: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (ended) reject(ended);
      owed.add(reject);
      called.then(resolve, reject).finally(() => owed.delete(reject));
    });
  let isLost = (): void => {};
  const lost = new Promise<void>((resolve) => {
    isLost = resolve;
  });
  const close = (cause?: unknown): void => {
    // This ends its requests too, and the browser takes back its locks.
    worker.terminate();
    clearInterval(pinging);
    globalThis.removeEventListener?.('pagehide', leave);
    ended = localError('worker-lost', undefined, cause, { remains: 'unknown' });
    for (const reject of owed) reject(ended);
    isLost();
  };
  let missed = 0;
  const pinging = setInterval(() => {
    if (owed.size === 0) missed = 0;
    else if (missed === MISSED_PINGS) close();
    else {
      missed += 1;
      answer(engine.ping()).then(
        () => {
          missed = 0;
        },
        () => {},
      );
    }
  }, PING_EVERY_MS);
  // What is cut off because the page is left is no failure. A page that may come back is only asleep.
  const leave = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) worker.terminate();
  };
  globalThis.addEventListener?.('pagehide', leave);
  for (const type of ['error', 'messageerror'] as const) {
    worker.addEventListener(type, (event) => close((event as ErrorEvent).message));
  }
  const remote = engine as unknown as Record<Method, (...args: never[]) => Promise<unknown>>;
  try {
    await within(WORKER_START_MS, answer(engine.ping()));
    const module = await compiling;
    const told = typeof headers === 'object' ? { ...options, headers } : options;
    const ask = typeof headers === 'function' ? proxy(async () => plainHeaders(await headers())) : undefined;
    await within(MODULE_MS, answer(engine.open(told, proxy(hear), ask, module)));
  } catch (error) {
    close();
    throw error;
  }
  return { ...callsOf((method, args) => answer(remote[method](...args))), inWorker: true, lost, close };
}

/** The Wasm module, compiled while the engine is loaded. */
function compile(): Compiling {
  const url = wasmUrl();
  const compiled = WebAssembly.compileStreaming(fetch(url)).catch(async () => {
    // Servers that do not know its media type.
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${response.status} for ${url}`);
    return WebAssembly.compile(await response.arrayBuffer());
  });
  return within(MODULE_MS, compiled);
}

/** How often the engine was lost in the page. Each time it takes a fresh copy of the module, and of what holds it. */
let losses = 0;

async function startHere(options: UploaderOptions, hear: Hear, compiling: Compiling): Promise<Reach> {
  const copy = losses;
  let engine: Engine;
  try {
    const fresh = `${workerFile()}#${copy}`;
    const module: typeof import('./worker.js') = await within(
      MODULE_MS,
      // Bundlers find the first, and must leave the other alone: the worker's file is where they have put it.
      copy === 0 ? import('./worker.js') : import(/* webpackIgnore: true */ /* @vite-ignore */ fresh),
    );
    engine = new module.Engine();
    const { headers } = options;
    const ask = typeof headers === 'function' ? async () => plainHeaders(await headers()) : undefined;
    await within(MODULE_MS, engine.open(options, hear, ask, await compiling));
  } catch (cause) {
    if (cause instanceof UploadError) throw cause;
    if (copy > 0) throw localError('worker-lost', undefined, cause);
    throw localError('internal', 'The uploader could not be loaded.', cause);
  }
  const listening = new AbortController();
  let isLost = (): void => {};
  const lost = new Promise<void>((resolve) => {
    isLost = resolve;
  });
  const close = (): void => {
    listening.abort();
    engine.end();
    isLost();
  };
  for (const type of ['error', 'unhandledrejection']) {
    const listener = (event: Event): void => {
      const { error, reason = error } = event as ErrorEvent & { reason?: unknown };
      if (!isOfModule(reason)) return;
      // Each uploader of the page hears of it.
      losses = copy + 1;
      close();
    };
    globalThis.addEventListener?.(type, listener, { signal: listening.signal });
  }
  return {
    ...callsOf((method, args) => engine[method](...(args as [never, never, never, never]))),
    inWorker: false,
    lost,
    close,
  };
}

/** Whether an error has left the module, and not one of the page's others. Some browsers do not name the module. */
function isOfModule(error: unknown): boolean {
  const { stack } = Object(error);
  return `${stack}`.includes(wasmUrl()) || (error instanceof WebAssembly.RuntimeError && !/\.wasm\b/.test(stack));
}
