// The package's entry: an Uploader in the page that stands in for the one in the worker.

import { localError, toUploadError, UploadError } from './errors.js';
import { CANCEL_MS, CLOSE_MS, within } from './limits.js';
import type { Addressed, Message } from './messages.js';
import { type Connection, start } from './page/connection.js';
import { type UploadDetail, type UploaderEventMap, UploaderEvents } from './page/events.js';
import { LeaveWarning } from './page/leave-warning.js';
import { absolute, checkNames, checkTuning, checkUploaderOptions, UPLOAD_OPTIONS } from './page/options.js';
import { preconnect } from './page/preconnect.js';
import { ProgressStream } from './page/progress-stream.js';
import { admit } from './page/rules.js';
import { Scheduler } from './page/scheduler.js';
import type {
  ErrorCode,
  FileRules,
  Remains,
  Resumable,
  Upload,
  UploaderOptions,
  UploadOptions,
  UploadResult,
} from './types.js';
import type { Outcome, PlainOptions } from './worker/host.js';

export { UploadError } from './errors.js';
export { type Assets, init } from './page/assets.js';
export type { EventDetails, UploadDetail, UploaderEventMap } from './page/events.js';
export { isAccepted } from './page/rules.js';
export type * from './types.js';

/** Hands an upload to the engine. */
type Run = (reach: Connection, id: number) => Promise<Outcome>;

/** An upload of which the page waits for the end. */
interface Follower {
  hear(news: Message): void;
  /** Ends it; what can be resumed is kept. */
  close(): void;
  /** Ends it for who waits for it. */
  stop(error: UploadError): void;
  /** Resolves when it has ended. */
  ended: Promise<void>;
}

/** Uploads files straight to S3, every byte checked. Tells of all of them by events, and of each to those who called. */
export class Uploader extends UploaderEvents {
  readonly #start: () => Promise<Connection>;
  readonly #leaving: LeaveWarning;
  readonly #listening = new AbortController();
  readonly #turns = new Scheduler();
  readonly #bucket: string | undefined;
  readonly #rules: FileRules;
  readonly #followers = new Map<number, Follower>();
  /** The engine that is there, or on its way. */
  #reaching: Promise<Connection> | undefined;
  #uploads = 0;
  /** Stored, or on the way there. */
  readonly #taken = new Set<Upload>();

  /** Takes the address of the signing API. Throws `UploadError` with `invalid-option`. */
  constructor(options: UploaderOptions) {
    super();
    const checked = checkUploaderOptions(options);
    this.#rules = options;
    this.#bucket = options.preconnect && absolute('preconnect', options.preconnect);
    this.#start = () => start(checked, options.worker ?? true, (items) => this.#hear(items));
    this.#leaving = new LeaveWarning(options.warnBeforeLeaving ?? true);
    this.#reach().catch(() => {
      // Each upload tries again, and says why it can't.
    });
    for (const [event, isOnline] of [
      ['online', true],
      ['offline', false],
    ] as const) {
      const { signal } = this.#listening;
      globalThis.addEventListener?.(
        event,
        () => void this.#reaching?.then((reach) => reach.setOnline(isOnline)).catch(() => {}),
        { signal },
      );
    }
  }

  /** Uploads a file or a blob; goes on with it if an earlier visit has begun to. Rejects with `UploadError`. */
  upload(file: Blob, options: UploadOptions = {}): Upload {
    const { maxFiles: limit = Number.POSITIVE_INFINITY } = this.#rules;
    const actual = this.#taken.size + 1;
    return this.#begin(file, options, async () => {
      if (!(file instanceof Blob)) throw localError('invalid-option', 'file: expected a File or a Blob');
      if (actual > limit) throw localError('too-many-files', undefined, undefined, { limit, actual });
      checkNames(options, UPLOAD_OPTIONS);
      const [admitted, own] = await admit(this.#rules, file, options);
      const checked = plain(own);
      return (reach, id) => reach.upload(id, admitted, checked);
    });
  }

  /**
   * Goes on with an upload of an earlier visit. Without a file it opens the one that was kept, for which
   * the browser may ask the user; so call it from a click. Rejects with `UploadError`: `file-needed` if
   * the user has to pick the file, `wrong-file` if that is another or no longer what it was, `in-use` if another
   * tab has the upload, `upload-gone` if it is over. All but the last leave it to be gone on with.
   */
  resume(id: string, file?: Blob, options: UploadOptions = {}): Upload {
    const admit = async (): Promise<Run> => {
      checkNames(options, UPLOAD_OPTIONS);
      const own = file ?? (await reopen(await this.#reach(), id));
      return (reach, call) => reach.resume(call, id, own, plain(options));
    };
    return this.#begin(file, options, admit, id);
  }

  /** Frees the place under `maxFiles` of an upload that the page no longer counts, such as one that the user has removed. */
  release(upload: Upload): void {
    this.#taken.delete(upload);
  }

  /** The uploads of earlier visits that can be gone on with, and that no tab is busy with. */
  listResumable(): Promise<Resumable[]> {
    return this.#ask((reach) => reach.list());
  }

  /** Removes an upload of an earlier visit. Rejects with `in-use` if a tab is busy with it. */
  forget(id: string): Promise<void> {
    return this.#ask((reach) => reach.forget(id));
  }

  /** Whether the uploads run in a worker; false where none could start. */
  runsInWorker(): Promise<boolean> {
    return this.#ask((reach) => reach.inWorker);
  }

  /**
   * Ends all uploads under way with `closed`, and then the worker. What can be resumed is kept, all else is removed. Later
   * calls reject with `closed`.
   */
  async close(): Promise<void> {
    const reaching = this.#reaching;
    this.#listening.abort();
    this.#reaching = Promise.reject(localError('closed'));
    this.#reaching.catch(() => {});
    const followers = [...this.#followers.values()];
    for (const { close } of followers) close();
    await within(CLOSE_MS, Promise.all(followers.map(({ ended }) => ended))).catch(() => {});
    for (const { stop } of this.#followers.values()) {
      stop(localError('closed', undefined, undefined, { remains: 'unknown' }));
    }
    this.#leaving.close();
    reaching?.then(({ close }) => close()).catch(() => {});
  }

  /** The engine; a fresh one if the last was lost, or did not come. */
  #reach(): Promise<Connection> {
    if (this.#reaching) return this.#reaching;
    const reaching = this.#start();
    this.#reaching = reaching;
    const renew = (): void => {
      if (this.#reaching === reaching) this.#reaching = undefined;
    };
    reaching.then(({ lost, setOnline }) => {
      void lost.then(renew);
      // Some browsers are wrong about being online, none about being offline for long: the engine tries.
      if (globalThis.navigator?.onLine === false) setOnline(false);
    }, renew);
    return reaching;
  }

  async #ask<T>(call: (reach: Connection) => T | Promise<T>): Promise<T> {
    try {
      return await call(await this.#reach());
    } catch (error) {
      throw toUploadError(error);
    }
  }

  /** Message of an upload that has ended meanwhile is dropped. */
  #hear(items: Addressed[]): void {
    for (const [id, news] of items) {
      if (news.freed) this.dispatchEvent(new Event('resumablechange'));
      else this.#followers.get(id)?.hear(news);
    }
  }

  #begin(file: Blob | undefined, options: UploadOptions, admit: () => Promise<Run>, resumed?: string): Upload {
    const id = this.#uploads++;
    if (this.#bucket && this.#followers.size === 0) preconnect(this.#bucket);
    // To hand a file over to a worker takes half a millisecond, and there may be thousands that are looked at first.
    const turn = this.#turns
      .next()
      .then(() => Promise.all([this.#reach(), admit()]))
      .then((ready) => this.#turns.next().then(() => ready));
    // Commands follow the call that they are for on its way through the worker.
    const send = (command: (reach: Connection) => unknown): void =>
      void turn.then(([reach]) => command(reach)).catch(() => {});
    const latest = new ProgressStream();
    const tell = <K extends keyof UploaderEventMap>(type: K, more?: object): boolean =>
      this.dispatchEvent(new CustomEvent(type, { cancelable: type === 'failed', detail: { ...detail, ...more } }));
    const hear = ({ progress, retry, part }: Message): void => {
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
    };
    const [following, cancel] = this.#follow(id, turn, options.signal, hear, resumed);
    const ended = following.then(
      (result) => {
        tell('stored', { result });
        return result;
      },
      (error: UploadError) => {
        this.release(upload);
        if (!tell('failed', { error })) upload.catch(() => {});
        throw error;
      },
    );
    const upload: Upload = Object.assign(ended, {
      pause: () => send((reach) => reach.control(id, 'pause')),
      resume: () => send((reach) => reach.control(id, 'unpause')),
      cancel,
      prioritize: (priority: number) => send((reach) => reach.prioritize(id, priority)),
      [Symbol.asyncIterator]: () => latest.until(upload),
    });
    this.#taken.add(upload);
    const detail: UploadDetail = { upload, file };
    tell('start');
    return upload;
  }

  /** What an upload ends with, and what cancels it: that waits for nothing but an engine that has the upload. */
  #follow(
    id: number,
    turn: Promise<[Connection, Run]>,
    signal: AbortSignal | undefined,
    hear: (news: Message) => void,
    resumed?: string,
  ): [Promise<UploadResult>, cancel: () => void] {
    let engine: Connection | undefined;
    let isOver = false;
    /** What `resume` takes, for the case that the engine can't say it. */
    let keptId: string | null = resumed ?? null;
    let stop: Follower['stop'] = () => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = reject;
    });
    const cancel = (): void => {
      leave('cancel', 'aborted');
      // What an earlier visit has sent is removed all the same.
      if (!engine && resumed) this.forget(resumed).catch(() => {});
    };
    const leave = (command: 'cancel' | 'close', code: ErrorCode): void => {
      const left = (remains: Remains): void => stop(localError(code, undefined, signal?.reason, { remains }));
      if (!engine) {
        left(!resumed ? 'nothing' : command === 'cancel' ? 'parts' : 'unknown');
        return;
      }
      within(CANCEL_MS, Promise.resolve(engine.control(id, command))).catch(() => left('unknown'));
    };
    const run = async (): Promise<UploadResult> => {
      const [reach, run] = await turn;
      if (isOver) return stopped;
      engine = reach;
      const outcome = await run(reach, id);
      this.#hear(outcome.news);
      if (outcome.ok) return outcome.result;
      throw new UploadError(outcome.error, signal?.aborted ? signal.reason : undefined);
    };
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const follow = async (): Promise<UploadResult> => {
      this.#leaving.begins(id);
      this.#followers.set(id, {
        ended,
        close: () => leave('close', 'closed'),
        stop,
        hear: (news) => {
          if (news.kept !== undefined) {
            keptId = news.kept;
            this.#leaving.isKept(id, keptId !== null);
          }
          hear(news);
        },
      });
      try {
        signal?.addEventListener('abort', cancel, { once: true });
        if (signal?.aborted) cancel();
        return await Promise.race([run(), stopped]);
      } catch (error) {
        const { remains } = toUploadError(error);
        throw toUploadError(
          error,
          keptId && remains === 'unknown' ? { remains: 'parts', resumeId: keptId } : undefined,
        );
      } finally {
        isOver = true;
        signal?.removeEventListener('abort', cancel);
        this.#followers.delete(id);
        this.#leaving.ends(id);
        end();
      }
    };
    return [follow(), cancel];
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

/** Opens the file of an earlier visit again, if its handle was kept, the user allows it and the file is still there. */
async function reopen(reach: Connection, id: string): Promise<File> {
  const needed = (cause?: unknown): UploadError => {
    return localError('file-needed', undefined, cause, { remains: 'parts', resumeId: id });
  };
  const handle = (await reach.handleOf(id)) as (FileSystemFileHandle & Partial<Permissions>) | undefined;
  if (!handle) throw needed();
  try {
    const read = { mode: 'read' } as const;
    const isAllowed =
      (await handle.queryPermission?.(read)) === 'granted' || (await handle.requestPermission?.(read)) === 'granted';
    if (isAllowed) return await handle.getFile();
  } catch (cause) {
    throw needed(cause);
  }
  throw needed();
}

/** Not in TypeScript's DOM library yet: https://wicg.github.io/file-system-access/ */
interface Permissions {
  queryPermission(descriptor: { mode: 'read' }): Promise<PermissionState>;
  requestPermission(descriptor: { mode: 'read' }): Promise<PermissionState>;
}
