// The page's connection to the host of the Wasm module. The host runs in a module worker, or in the page if no worker
// can start.
import { proxy, wrap } from 'comlink';
import { importInlined, importWorker } from '../chunks.js';
import { keepErrors } from '../error-transfer.js';
import { localError, type UploadError } from '../errors.js';
import type { Files } from '../inlined.js';
import { MISSED_PINGS, MODULE_MS, PING_EVERY_MS, WORKER_START_MS, within } from '../limits.js';
import type { Addressed } from '../message-batcher.js';
import type { UploaderOptions } from '../types.js';
import type { Host } from '../worker/host.js';
import { chosenInlined, init, trusted, wasmUrl, workerFile } from './assets.js';
import { plainHeaders } from './options.js';

/** The host's methods. Each call may be posted to a worker. */
interface Calls extends Pick<Host, 'upload' | 'resume' | 'list' | 'handleOf' | 'forget'> {
  control(...call: Parameters<Host['control']>): unknown;
  prioritize(...call: Parameters<Host['prioritize']>): unknown;
  setOnline(isOnline: boolean): unknown;
}

/** A connection to the host, which runs in the page or in a worker. */
export interface Connection extends Calls {
  /** Whether the host runs in a worker. */
  inWorker: boolean;
  /** Resolves when the host is lost. Pending calls have then been rejected with `worker-lost`. */
  lost: Promise<void>;
  close(): void;
}

const METHODS = ['upload', 'resume', 'list', 'handleOf', 'forget', 'control', 'prioritize', 'setOnline'] as const;

type Method = (typeof METHODS)[number];

const callsOf = (call: (method: Method, args: never[]) => unknown): Calls =>
  Object.fromEntries(METHODS.map((method) => [method, (...args: never[]) => call(method, args)])) as never;

type Deliver = (messages: Addressed[]) => void;

/** Starts the host from the files beside the entry. If those can't be loaded, starts it from the inlined files. */
export async function start(options: UploaderOptions, wantsWorker: boolean, deliver: Deliver): Promise<Connection> {
  // Servers, service workers and browsers without Wasm can't upload.
  if (!globalThis.XMLHttpRequest || !globalThis.WebAssembly) return refusing();
  const chosen = chosenInlined();
  const modules: Files['module'][] = [];
  let files: Files | undefined;
  let failed: [address: Promise<string> | string, cause?: unknown] | undefined;
  for (const load of chosen ? [chosen] : [fromBeside, fromInlined]) {
    try {
      files = await load();
      files.module.catch(() => {});
      modules.push(files.module);
      if (!wantsWorker) {
        await files.module;
        break;
      }
      const connection = await startWorker(options, deliver, files);
      // The inlined files worked, so later uploaders use them at once.
      if (failed) init({ inlined: load });
      return connection;
    } catch (error) {
      const { code } = Object(error);
      // A wrong option would fail with the inlined files too.
      if (code === 'invalid-option') throw error;
      failed ??= [addressOf(files), error];
      // If the link is too slow for these files, loading the inlined files would take even longer.
      if (code === 'timeout') break;
    }
  }
  const module = Promise.any(modules);
  module.catch(() => {});
  try {
    const connection = await startInPage(options, deliver, module, files);
    if (wantsWorker) void warn('no worker starts, so the page itself hashes files', failed);
    return connection;
  } catch (error) {
    if (Object(error).code === 'load-failed')
      void warn('its files could not be loaded', failed ?? [addressOf(files), error]);
    throw error;
  }
}

/** Vite up to version 7 copies the entry to this folder in development, but not the other files. */
const LEFT_BEHIND = /\bvite\b.*\/deps\/worker\.js$/;

/** Returns the files beside the entry. */
async function fromBeside(): Promise<Files> {
  const [script, wasm] = [workerFile(), wasmUrl()];
  // The files are not there: a request would only log an error to the console.
  if (LEFT_BEHIND.test(script)) throw new Error('left behind');
  return { script, wasm, module: inTime(MODULE_MS, compile(wasm)) };
}

/** Returns the inlined files. Most pages never load them. */
const fromInlined = async (): Promise<Files> => (await inTime(MODULE_MS, importInlined())).inlined();

/** Returns the URL of the file that failed: of the Wasm module if it could not be loaded, otherwise of the script. */
const addressOf = (files: Files | undefined): Promise<string> | string =>
  files?.module.then(
    () => files.script,
    () => files.wasm,
  ) ?? 'worker.js';

let hasWarned = false;

/** Warns developers in the console, once per page. */
async function warn(what: string, [address, cause]: [Promise<string> | string, unknown?] = ['']): Promise<void> {
  if (hasWarned) return;
  hasWarned = true;
  console.warn(`directput: ${what} (${await address}). See docs/toolchains.md.`, cause);
}

/** Resolves as the promise does; rejects with `timeout` after `ms` milliseconds. */
const inTime = <T>(ms: number, promise: Promise<T>): Promise<T> => within(ms, promise, localError('timeout'));

/** Returns a connection for environments without a host, such as server-side rendering. It rejects every upload. */
function refusing(): Connection {
  const refuse = (method: Method): unknown => {
    if (method === 'list') return [];
    if (/upload|resume|handle/.test(method)) throw localError('unsupported-environment');
    return undefined;
  };
  return { ...callsOf(refuse), inWorker: false, lost: new Promise(() => {}), close() {} };
}

async function startWorker(
  { headers, ...options }: UploaderOptions,
  deliver: Deliver,
  files: Files,
): Promise<Connection> {
  const worker = new Worker(trusted(files.script), { type: 'module', name: 'directput' });
  keepErrors();
  const host = wrap<Host>(worker);
  /** Functions that reject the promises that wait for the worker. */
  const owed = new Set<(error: UploadError) => void>();
  let ended: UploadError | undefined;
  /** Resolves as the call to the worker does; rejects with `worker-lost` if the worker is lost first. */
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
    // Also aborts the worker's requests; the browser releases its locks.
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
      answer(host.ping()).then(
        () => {
          missed = 0;
        },
        () => {},
      );
    }
  }, PING_EVERY_MS);
  // Stops the worker when the user leaves the page, so that aborted requests are not taken for failures. A page in the
  // back-forward cache (`persisted`) may come back, so its worker stays.
  const leave = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) worker.terminate();
  };
  globalThis.addEventListener?.('pagehide', leave);
  for (const type of ['error', 'messageerror'] as const) {
    worker.addEventListener(type, (event) => close((event as ErrorEvent).message));
  }
  const remote = host as unknown as Record<Method, (...args: never[]) => Promise<unknown>>;
  try {
    await inTime(WORKER_START_MS, answer(host.ping()));
    const module = await files.module;
    const told = typeof headers === 'object' ? { ...options, headers } : options;
    const ask = typeof headers === 'function' ? proxy(async () => plainHeaders(await headers())) : undefined;
    await inTime(MODULE_MS, answer(host.open(told, proxy(deliver), ask, module)));
  } catch (error) {
    close();
    throw error;
  }
  return { ...callsOf((method, args) => answer(remote[method](...args))), inWorker: true, lost, close };
}

/** Fetches and compiles the Wasm module, while the worker's script is loaded. */
async function compile(url: string): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  // Streaming needs the right media type, which some servers do not send.
  const isWasm = response.headers.get('content-type')?.startsWith('application/wasm');
  return isWasm ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** Number of times that the host was lost in the page. After each loss, a new copy of script and module is loaded. */
let losses = 0;

async function startInPage(
  options: UploaderOptions,
  deliver: Deliver,
  compiling: Files['module'],
  files: Files | undefined,
): Promise<Connection> {
  const copy = losses;
  let host: Host;
  try {
    const fresh = `${files?.script}#${copy}`;
    const module: typeof import('../worker.js') = await inTime(
      MODULE_MS,
      // Bundlers bundle the first import. They must not touch the second: its URL names the file that they copied.
      copy === 0 ? importWorker() : import(/* webpackIgnore: true */ /* @vite-ignore */ fresh),
    );
    host = new module.Host();
    const { headers } = options;
    const ask = typeof headers === 'function' ? async () => plainHeaders(await headers()) : undefined;
    await inTime(MODULE_MS, host.open(options, deliver, ask, await compiling));
  } catch (cause) {
    if (Object(cause).code === 'invalid-option') throw cause;
    throw localError(copy > 0 ? 'worker-lost' : 'load-failed', undefined, cause);
  }
  const listening = new AbortController();
  let isLost = (): void => {};
  const lost = new Promise<void>((resolve) => {
    isLost = resolve;
  });
  const close = (): void => {
    listening.abort();
    host.end();
    isLost();
  };
  for (const type of ['error', 'unhandledrejection']) {
    const listener = (event: Event): void => {
      const { error, reason = error } = event as ErrorEvent & { reason?: unknown };
      if (!isOfModule(reason, files?.wasm)) return;
      // Every uploader of the page gets this event and closes its connection.
      losses = copy + 1;
      close();
    };
    globalThis.addEventListener?.(type, listener, { signal: listening.signal });
  }
  return {
    ...callsOf((method, args) => host[method](...(args as [never, never, never, never]))),
    inWorker: false,
    lost,
    close,
  };
}

/**
 * Returns whether an error comes from this Wasm module, not from another module. Some browsers do not name modules in
 * the stack.
 */
function isOfModule(error: unknown, wasm = 'wasm:'): boolean {
  const { stack } = Object(error);
  return `${stack}`.includes(wasm) || (error instanceof WebAssembly.RuntimeError && !/\.wasm\b/.test(stack));
}
