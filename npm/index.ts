// The package's entry: an Uploader in the page that stands in for the one in the worker.
import { proxy, releaseProxy, wrap } from 'comlink';
import type { Engine, Outcome } from './engine.js';
import { localError, UploadError } from './errors.js';
import { checkUploaderOptions } from './options.js';
import type { UploaderOptions, UploadOptions, UploadResult } from './types.js';

export { UploadError } from './errors.js';
export type * from './types.js';

/** How long a worker may take to load before the page does its work, in milliseconds. */
const WORKER_START_MS = 10_000;

/** The engine as the page reaches it: itself, or through a worker. */
interface Reach {
  upload: Engine['upload'];
  abort(id: number): unknown;
  /** Whether it runs in a worker. */
  inWorker: boolean;
  /** Rejects when the worker dies. */
  broken: Promise<never>;
  close(): void;
}

/** Uploads files straight to S3, every byte checked. */
export class Uploader {
  readonly #options: UploaderOptions;
  readonly #reach: Promise<Reach>;
  #uploads = 0;

  /** Takes the address of the signing API. Throws `UploadError` with `invalid-option`. */
  constructor(options: UploaderOptions) {
    this.#options = checkUploaderOptions(options);
    this.#reach = start(this.#options, options.worker ?? true);
    // Whoever uploads is told; nobody else needs to know.
    this.#reach.catch(() => {});
  }

  /** Uploads a file or a blob. Rejects with `UploadError`. */
  async upload(file: Blob, options: UploadOptions = {}): Promise<UploadResult> {
    if (!(file instanceof Blob)) throw localError('invalid-option', 'file: expected a File or a Blob');
    const { onProgress, onRetry, signal, name, type } = options;
    const reach = await this.#reach;
    const id = this.#uploads++;
    const plain = { ...(name !== undefined && { name }), ...(type !== undefined && { type }) };
    const abort = (): unknown => reach.abort(id);
    const hand = <T>(callback: (value: T) => void): ((value: T) => void) =>
      reach.inWorker ? proxy(callback) : callback;
    const ended = reach.upload(
      id,
      file,
      plain,
      hand((progress) => onProgress?.(progress)),
      hand((retry) => onRetry?.(retry)),
    );
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    try {
      const outcome: Outcome = await Promise.race([ended, reach.broken]);
      if (outcome.ok) return outcome.result;
      throw new UploadError(outcome.error, signal?.aborted ? signal.reason : undefined);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Whether the uploads run in a worker; false where none could start. */
  async runsInWorker(): Promise<boolean> {
    return (await this.#reach).inWorker;
  }

  /** Ends the worker. Uploads under way end with it, so cancel or await them first. */
  async close(): Promise<void> {
    (await this.#reach).close();
  }
}

async function start(options: UploaderOptions, wantsWorker: boolean): Promise<Reach> {
  if (wantsWorker && typeof Worker === 'function') {
    try {
      return await startWorker(options);
    } catch (error) {
      // What the options got wrong, a second try would get wrong too.
      if (error instanceof UploadError) throw error;
    }
  }
  return startHere(options);
}

async function startWorker(options: UploaderOptions): Promise<Reach> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'directput' });
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
    await Promise.race([engine.open(options), failed, late]);
  } catch (error) {
    worker.terminate();
    throw error;
  }
  return {
    upload: (...call) => engine.upload(...call) as Promise<Outcome>,
    abort: (id) => engine.abort(id),
    inWorker: true,
    broken,
    close() {
      engine[releaseProxy]();
      worker.terminate();
    },
  };
}

async function startHere(options: UploaderOptions): Promise<Reach> {
  const { Engine } = await import('./engine.js');
  const engine = new Engine();
  try {
    await engine.open(options);
  } catch (cause) {
    throw localError('internal', 'The uploader could not be loaded.', cause);
  }
  return {
    upload: (...call) => engine.upload(...call),
    abort: (id) => engine.abort(id),
    inWorker: false,
    broken: new Promise<never>(() => {}),
    close() {},
  };
}
