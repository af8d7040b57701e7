// The package's entry: an Uploader in the page that stands in for the one in the worker.
import type { Outcome, PlainOptions } from './engine.js';
import { localError, UploadError } from './errors.js';
import { Leaving } from './leaving.js';
import type { Item, News } from './news.js';
import { absolute, checkUploaderOptions } from './options.js';
import { preconnect } from './preconnect.js';
import { type Reach, start } from './reach.js';
import { Turns } from './turns.js';
import type { Resumable, Upload, UploaderOptions, UploadOptions, UploadResult } from './types.js';

export { type Assets, init } from './assets.js';
export { UploadError } from './errors.js';
export type * from './types.js';

/** Uploads files straight to S3, every byte checked. */
export class Uploader {
  readonly #reach: Promise<Reach>;
  readonly #leaving: Leaving;
  readonly #listening = new AbortController();
  readonly #turns = new Turns();
  readonly #bucket: string | undefined;
  readonly #followers = new Map<number, (news: News) => void>();
  #uploads = 0;

  /** Takes the address of the signing API. Throws `UploadError` with `invalid-option`. */
  constructor(options: UploaderOptions) {
    const checked = checkUploaderOptions(options);
    this.#bucket = options.preconnect && absolute('preconnect', options.preconnect);
    this.#reach = start(checked, options.worker ?? true, (items) => this.#hear(items));
    this.#leaving = new Leaving(options.warnBeforeLeaving ?? true);
    this.#reach
      .then((reach) => this.#watchNetwork(reach))
      .catch(() => {
        // Whoever uploads is told; nobody else needs to know.
      });
  }

  /** Uploads a file or a blob; goes on with it if an earlier visit has begun to. Rejects with `UploadError`. */
  upload(file: Blob, options: UploadOptions = {}): Upload {
    return this.#begin(options, async (reach, id, plain) => {
      if (!(file instanceof Blob)) throw localError('invalid-option', 'file: expected a File or a Blob');
      return reach.upload(id, file, plain);
    });
  }

  /**
   * Goes on with an upload of an earlier visit. Without a file it opens the one that was kept, for which
   * the browser may ask the user; so call it from a click. Rejects with `UploadError`: `file-needed` if
   * the user has to pick the file, `wrong-file` if that is another, `file-changed` if it is no longer what
   * it was (then what was sent is removed), `in-use` if another tab has it, `upload-gone` if it is over.
   */
  resume(id: string, file?: Blob, options: UploadOptions = {}): Upload {
    return this.#begin(options, async (reach, call, plain) => {
      return reach.resume(call, id, file ?? (await reopen(reach, id)), file === undefined, plain);
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

  /** News of an upload that has ended meanwhile is nobody's any more. */
  #hear(items: Item[]): void {
    for (const [id, news] of items) this.#followers.get(id)?.(news);
  }

  #begin(options: UploadOptions, run: (reach: Reach, id: number, plain: PlainOptions) => Promise<Outcome>): Upload {
    const id = this.#uploads++;
    if (this.#bucket && this.#followers.size === 0) preconnect(this.#bucket);
    // To hand a file over to a worker takes half a millisecond, and there may be hundreds.
    const turn = this.#reach.then((reach) => this.#turns.next().then(() => reach));
    // Commands follow the call that they are for on its way through the worker.
    const send = (command: (reach: Reach) => unknown): void => void turn.then(command).catch(() => {});
    const cancel = (): void => send((reach) => reach.control(id, 'cancel'));
    return Object.assign(this.#follow(id, turn, options, cancel, run), {
      pause: () => send((reach) => reach.control(id, 'pause')),
      resume: () => send((reach) => reach.control(id, 'resume')),
      cancel,
      prioritize: (priority: number) => send((reach) => reach.prioritize(id, priority)),
    });
  }

  async #follow(
    id: number,
    turn: Promise<Reach>,
    { onProgress, onRetry, signal, ...plain }: UploadOptions,
    cancel: () => void,
    run: (reach: Reach, id: number, plain: PlainOptions) => Promise<Outcome>,
  ): Promise<UploadResult> {
    this.#leaving.begins(id);
    this.#followers.set(id, ({ progress, retry, kept }) => {
      if (progress) guarded(onProgress, progress);
      if (retry) guarded(onRetry, retry);
      if (kept !== undefined) this.#leaving.isKept(id, kept);
    });
    try {
      const reach = await turn;
      const ended = run(reach, id, plain);
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) cancel();
      const outcome = await Promise.race([ended, reach.broken]);
      this.#hear(outcome.news);
      if (outcome.ok) return outcome.result;
      throw new UploadError(outcome.error, signal?.aborted ? signal.reason : undefined);
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#followers.delete(id);
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
