// How the page reaches the engine: in a module worker, or in the page where no worker can start.
import { proxy, releaseProxy, wrap } from 'comlink';
import { wasmUrl, workerUrl } from './assets.js';
import type { Engine } from './engine.js';
import { localError, UploadError } from './errors.js';
import type { Item } from './news.js';
import type { UploaderOptions } from './types.js';

/** How long a worker may take to load before the page does its work, in milliseconds. */
const WORKER_START_MS = 10_000;

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
  /** Rejects when the worker dies. */
  broken: Promise<never>;
  close(): void;
}

/** The methods apart from the object that they belong to. */
function callsOf(engine: Calls): Calls {
  return {
    upload: (...call) => engine.upload(...call),
    resume: (...call) => engine.resume(...call),
    list: () => engine.list(),
    handleOf: (id) => engine.handleOf(id),
    forget: (id) => engine.forget(id),
    control: (...call) => engine.control(...call),
    prioritize: (...call) => engine.prioritize(...call),
    setOnline: (isOnline) => engine.setOnline(isOnline),
  };
}

type Hear = (items: Item[]) => void;

export async function start(options: UploaderOptions, wantsWorker: boolean, hear: Hear): Promise<Reach> {
  const compiling = compile();
  if (wantsWorker && typeof Worker === 'function') {
    try {
      return await startWorker(options, hear, compiling);
    } catch (error) {
      // What the options got wrong, a second try would get wrong too.
      if (error instanceof UploadError) throw error;
    }
  }
  return startHere(options, hear, compiling);
}

async function startWorker(options: UploaderOptions, hear: Hear, compiling: Compiling): Promise<Reach> {
  const worker = new Worker(workerUrl(), { type: 'module', name: 'directput' });
  const broken = new Promise<never>((_, reject) => {
    worker.addEventListener('error', (event) => {
      reject(localError('internal', 'The worker has failed.', event.message));
    });
  });
  broken.catch(() => {});
  const engine = wrap<Engine>(worker);
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('the worker takes too long to start')), WORKER_START_MS);
  });
  const failed = broken.catch((error: UploadError) => {
    throw new Error(String(error.cause));
  });
  try {
    const { headers, ...plain } = options;
    const open = async (): Promise<void> => {
      const module = await compiling;
      const ask = typeof headers === 'function' ? proxy(async () => headers()) : undefined;
      const told = typeof headers === 'object' ? { ...plain, headers } : plain;
      await engine.open(told, proxy(hear), ask, module);
    };
    await Promise.race([open(), failed, late]);
  } catch (error) {
    worker.terminate();
    throw error;
  }
  // What is cut off because the page is left is no failure. A page that may come back is only asleep.
  const leave = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) worker.terminate();
  };
  globalThis.addEventListener?.('pagehide', leave);
  return {
    ...callsOf(engine),
    inWorker: true,
    broken,
    close() {
      globalThis.removeEventListener?.('pagehide', leave);
      engine[releaseProxy]();
      worker.terminate();
    },
  };
}

type Compiling = ReturnType<typeof compile>;

/** The Wasm module, compiled while the engine is loaded. Where that fails its address, and the engine says why. */
async function compile(): Promise<WebAssembly.Module | string> {
  const url = wasmUrl();
  return WebAssembly.compileStreaming(fetch(url)).catch(() => url);
}

async function startHere(options: UploaderOptions, hear: Hear, compiling: Compiling): Promise<Reach> {
  const { Engine } = await import('./worker.js');
  const engine = new Engine();
  try {
    const { headers } = options;
    const ask = typeof headers === 'function' ? async () => headers() : undefined;
    await engine.open(options, hear, ask, await compiling);
  } catch (cause) {
    throw localError('internal', 'The uploader could not be loaded.', cause);
  }
  return {
    ...callsOf(engine),
    inWorker: false,
    broken: new Promise<never>(() => {}),
    close() {},
  };
}
