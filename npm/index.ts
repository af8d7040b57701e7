// The package's entry: an Uploader in the page that stands in for the one in the worker.
import type { Outcome, PlainOptions } from './engine.js';
import { localError, UploadError } from './errors.js';
import { type UploadDetail, type UploaderEventMap, UploaderEvents } from './events.js';
import { Latest } from './latest.js';
import { Leaving } from './leaving.js';
import type { Item, News } from './news.js';
import { absolute, checkTuning, checkUploaderOptions } from './options.js';
import { preconnect } from './preconnect.js';
import { type Reach, start } from './reach.js';
import { admit } from './rules.js';
import { Turns } from './turns.js';
import type { FileRules, Resumable, Upload, UploaderOptions, UploadOptions, UploadResult } from './types.js';

export { type Assets, init } from './assets.js';
export { UploadError } from './errors.js';
export type { EventDetails, UploadDetail, UploaderEventMap } from './events.js';
export { isAccepted } from './rules.js';
export type * from './types.js';

/** How an upload is handed to the engine once its turn has come. */
type Run = (reach: Reach, id: number, options: PlainOptions) => Promise<Outcome>;

/** Uploads files straight to S3, every byte checked. Tells of all of them by events, and of each to those who called. */
export class Uploader extends UploaderEvents {
  readonly #reach: Promise<Reach>;
  readonly #leaving: Leaving;
  readonly #listening = new AbortController();
  readonly #turns = new Turns();
  readonly #bucket: string | undefined;
  readonly #rules: FileRules;
  readonly #followers = new Map<number, (news: News) => void>();
  #uploads = 0;
  /** Stored, or on the way there. */
  #taken = 0;

  /** Takes the address of the signing API. Throws `UploadError` with `invalid-option`. */
  constructor(options: UploaderOptions) {
    super();
    const checked = checkUploaderOptions(options);
    this.#rules = options;
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
    const isOneTooMany = this.#taken >= (this.#rules.maxFiles ?? Number.POSITIVE_INFINITY);
    const admitted = async (): Promise<UploadOptions> => {
      if (!(file instanceof Blob)) throw localError('invalid-option', 'file: expected a File or a Blob');
      if (isOneTooMany) throw localError('too-many-files');
      return admit(this.#rules, file, options);
    };
    return this.#begin(file, options, admitted(), (reach, id, plain) => reach.upload(id, file, plain));
  }

  /**
   * Goes on with an upload of an earlier visit. Without a file it opens the one that was kept, for which
   * the browser may ask the user; so call it from a click. Rejects with `UploadError`: `file-needed` if
   * the user has to pick the file, `wrong-file` if that is another, `file-changed` if it is no longer what
   * it was (then what was sent is removed), `in-use` if another tab has it, `upload-gone` if it is over.
   */
  resume(id: string, file?: Blob, options: UploadOptions = {}): Upload {
    return this.#begin(file, options, Promise.resolve(options), async (reach, call, plain) => {
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
    for (const [id, news] of items) {
      if (news.freed) this.dispatchEvent(new Event('resumablechange'));
      else this.#followers.get(id)?.(news);
    }
  }

  #begin(file: Blob | undefined, options: UploadOptions, admitted: Promise<UploadOptions>, run: Run): Upload {
    const id = this.#uploads++;
    this.#taken += 1;
    if (this.#bucket && this.#followers.size === 0) preconnect(this.#bucket);
    // To hand a file over to a worker takes half a millisecond, and there may be hundreds.
    const turn = Promise.all([this.#reach, admitted]).then((ready) => this.#turns.next().then(() => ready));
    // Commands follow the call that they are for on its way through the worker.
    const send = (command: (reach: Reach) => unknown): void =>
      void turn.then(([reach]) => command(reach)).catch(() => {});
    const controls = {
      pause: () => send((reach) => reach.control(id, 'pause')),
      resume: () => send((reach) => reach.control(id, 'resume')),
      cancel: () => send((reach) => reach.control(id, 'cancel')),
      prioritize: (priority: number) => send((reach) => reach.prioritize(id, priority)),
    };
    const latest = new Latest();
    const tell = <K extends keyof UploaderEventMap>(type: K, more?: object): boolean =>
      this.dispatchEvent(new CustomEvent(type, { cancelable: type === 'failed', detail: { ...detail, ...more } }));
    const follow = (news: News): void => {
      const { progress, retry, part, kept } = news;
      if (progress) {
        latest.set(progress);
        guarded(options.onProgress, progress);
        tell('progress', { progress });
      }
      if (retry) {
        guarded(options.onRetry, retry);
        tell('retry', { retry });
      }
      if (part) guarded(options.onPart, part);
      if (kept !== undefined) this.#leaving.isKept(id, kept);
    };
    const ended = this.#follow(id, turn, options.signal, controls.cancel, follow, run).then(
      (result) => {
        tell('stored', { result });
        return result;
      },
      (error: UploadError) => {
        this.#taken -= 1;
        if (!tell('failed', { error })) upload.catch(() => {});
        throw error;
      },
    );
    const iterable = { [Symbol.asyncIterator]: () => latest.until(upload) };
    const upload: Upload = Object.assign(ended, controls, iterable);
    const detail: UploadDetail = { upload, file };
    tell('start');
    return upload;
  }

  async #follow(
    id: number,
    turn: Promise<[Reach, UploadOptions]>,
    signal: AbortSignal | undefined,
    cancel: () => void,
    follow: (news: News) => void,
    run: Run,
  ): Promise<UploadResult> {
    this.#leaving.begins(id);
    this.#followers.set(id, follow);
    try {
      const [reach, options] = await turn;
      const ended = run(reach, id, plain(options));
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

/** What of the options can be sent to a worker. */
function plain({ name, type, priority, handle, onPart, ...tuning }: UploadOptions): PlainOptions {
  return {
    ...checkTuning(tuning),
    ...(name !== undefined && { name }),
    ...(type !== undefined && { type }),
    ...(priority !== undefined && { priority }),
    ...(handle && { handle }),
    ...(onPart && { wantsParts: true }),
  };
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
