// The package's entry: an Uploader in the page that stands in for the one in the worker.
import type { Hooks, Outcome, PlainOptions } from './engine.js';
import { localError, UploadError } from './errors.js';
import { Leaving } from './leaving.js';
import { checkUploaderOptions } from './options.js';
import { type Reach, start } from './reach.js';
import type { Resumable, Upload, UploaderOptions, UploadOptions, UploadResult } from './types.js';

export { UploadError } from './errors.js';
export type * from './types.js';

/** Uploads files straight to S3, every byte checked. */
export class Uploader {
  readonly #reach: Promise<Reach>;
  readonly #leaving: Leaving;
  readonly #listening = new AbortController();
  #uploads = 0;

  /** Takes the address of the signing API. Throws `UploadError` with `invalid-option`. */
  constructor(options: UploaderOptions) {
    const checked = checkUploaderOptions(options);
    this.#reach = start(checked, options.worker ?? true);
    this.#leaving = new Leaving(options.warnBeforeLeaving ?? true);
    this.#reach
      .then((reach) => this.#watchNetwork(reach))
      .catch(() => {
        // Whoever uploads is told; nobody else needs to know.
      });
  }

  /** Uploads a file or a blob; goes on with it if an earlier visit has begun to. Rejects with `UploadError`. */
  upload(file: Blob, options: UploadOptions = {}): Upload {
    return this.#begin(options, async (reach, id, plain, hooks) => {
      if (!(file instanceof Blob)) throw localError('invalid-option', 'file: expected a File or a Blob');
      return reach.upload(id, file, plain, hooks);
    });
  }

  /**
   * Goes on with an upload of an earlier visit. Without a file it opens the one that was kept, for which
   * the browser may ask the user; so call it from a click. Rejects with `UploadError`: `file-needed` if
   * the user has to pick the file, `wrong-file` if that is another, `file-changed` if it is no longer what
   * it was (then what was sent is removed), `in-use` if another tab has it, `upload-gone` if it is over.
   */
  resume(id: string, file?: Blob, options: UploadOptions = {}): Upload {
    return this.#begin(options, async (reach, call, plain, hooks) => {
      return reach.resume(call, id, file ?? (await reopen(reach, id)), file === undefined, plain, hooks);
    });
  }

  /** The uploads of earlier visits that can be gone on with, and that no tab is busy with. */
  async listResumable(): Promise<Resumable[]> {
    return (await this.#reach).list();
  }

  /** Removes an upload of an earlier visit. Rejects with `in-use` if a tab is busy with it. */
  async forget(id: string): Promise<void> {
    const error = await (await this.#reach).forget(id);
    if (error) throw new UploadError(error);
  }

  /** Whether the uploads run in a worker; false where none could start. */
  async runsInWorker(): Promise<boolean> {
    return (await this.#reach).inWorker;
  }

  /** Ends the worker. Uploads under way end with it, so cancel or await them first. */
  async close(): Promise<void> {
    this.#listening.abort();
    this.#leaving.close();
    (await this.#reach).close();
  }

  #watchNetwork(reach: Reach): void {
    if (typeof globalThis.addEventListener !== 'function') return;
    const { signal } = this.#listening;
    for (const [event, isOnline] of [
      ['online', true],
      ['offline', false],
    ] as const) {
      globalThis.addEventListener(event, () => reach.setOnline(isOnline), { signal });
    }
    // Some browsers are wrong about being online, none about being offline for long: the engine tries.
    if (globalThis.navigator?.onLine === false) reach.setOnline(false);
  }

  #begin(
    options: UploadOptions,
    run: (reach: Reach, id: number, plain: PlainOptions, hooks: Hooks) => Promise<Outcome>,
  ): Upload {
    const id = this.#uploads++;
    // Commands follow the call that they are for on its way through the worker.
    const send = (command: (reach: Reach) => unknown): void => void this.#reach.then(command).catch(() => {});
    const cancel = (): void => send((reach) => reach.control(id, 'cancel'));
    return Object.assign(this.#follow(id, options, cancel, run), {
      pause: () => send((reach) => reach.control(id, 'pause')),
      resume: () => send((reach) => reach.control(id, 'resume')),
      cancel,
      prioritize: (priority: number) => send((reach) => reach.prioritize(id, priority)),
    });
  }

  async #follow(
    id: number,
    { onProgress, onRetry, signal, ...plain }: UploadOptions,
    cancel: () => void,
    run: (reach: Reach, id: number, plain: PlainOptions, hooks: Hooks) => Promise<Outcome>,
  ): Promise<UploadResult> {
    this.#leaving.begins(id);
    try {
      const reach = await this.#reach;
      const hooks: Hooks = {
        progress: (progress) => guarded(onProgress, progress),
        retry: (retry) => guarded(onRetry, retry),
        kept: (isKept) => this.#leaving.isKept(id, isKept),
      };
      const ended = run(reach, id, plain, reach.hand(hooks));
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) cancel();
      const outcome = await Promise.race([ended, reach.broken]);
      if (outcome.ok) return outcome.result;
      throw new UploadError(outcome.error, signal?.aborted ? signal.reason : undefined);
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#leaving.ends(id);
    }
  }
}

/** What a callback throws is its author's to see, not the upload's to fail by. */
function guarded<T>(callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch (error) {
    reportError(error);
  }
}

/** Opens the file of an earlier visit again, if its handle was kept and the user allows it. */
async function reopen(reach: Reach, id: string): Promise<File> {
  const needed = (cause?: unknown): UploadError => localError('file-needed', undefined, cause);
  const handle = (await reach.handleOf(id)) as (FileSystemFileHandle & Partial<Permissions>) | undefined;
  if (!handle) throw needed();
  try {
    const read = { mode: 'read' } as const;
    const isAllowed =
      (await handle.queryPermission?.(read)) === 'granted' || (await handle.requestPermission?.(read)) === 'granted';
    if (!isAllowed) throw needed();
    return await handle.getFile();
  } catch (cause) {
    if (cause instanceof UploadError) throw cause;
    if ((cause as DOMException).name !== 'NotFoundError') throw needed(cause);
    await reach.forget(id);
    throw localError('file-changed', undefined, cause);
  }
}

/** Not in TypeScript's DOM library yet: https://wicg.github.io/file-system-access/ */
interface Permissions {
  queryPermission(descriptor: { mode: 'read' }): Promise<PermissionState>;
  requestPermission(descriptor: { mode: 'read' }): Promise<PermissionState>;
}
