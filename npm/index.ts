// The package's entry: the page's `Uploader`, which passes uploads to the host in the worker.

import { localError, toUploadError, type UploadError } from './errors.js';
import { CLOSE_MS, within } from './limits.js';
import type { Addressed, Message } from './message-batcher.js';
import { type UploadDetail, type UploaderEventMap, UploaderEvents } from './page/events.js';
import { admit } from './page/file-rules.js';
import { type Connection, start } from './page/host-connection.js';
import { LeaveWarning } from './page/leave-warning.js';
import { absolute, checkNames, checkTuning, checkUploaderOptions, UPLOAD_OPTIONS } from './page/options.js';
import { preconnect } from './page/preconnect.js';
import { ProgressStream } from './page/progress-stream.js';
import { Scheduler } from './page/scheduler.js';
import { FollowedUpload, type Start } from './page/upload.js';
import type { FileRules, Resumable, Upload, UploaderOptions, UploadOptions } from './types.js';
import type { PlainOptions } from './worker/host.js';

export { UploadError } from './errors.js';
export { type Assets, init } from './page/assets.js';
export type { EventDetails, UploadDetail, UploaderEventMap } from './page/events.js';
export { isAccepted } from './page/file-rules.js';
export type * from './types.js';

/**
 * Uploads files directly to S3 and verifies every byte. Reports on all uploads by events, and on each upload by its
 * promise and callbacks.
 */
export class Uploader extends UploaderEvents {
  readonly #start: () => Promise<Connection>;
  readonly #warning: LeaveWarning;
  readonly #listening = new AbortController();
  readonly #scheduler = new Scheduler();
  readonly #bucket: string | undefined;
  readonly #rules: FileRules;
  readonly #followed = new Map<number, FollowedUpload>();
  /** The promise of the connection to the host; undefined after the connection was lost or could not be made. */
  #connecting: Promise<Connection> | undefined;
  #uploads = 0;
  /** Uploads that count for `maxFiles`: stored or under way, and not released. */
  readonly #taken = new Set<Upload>();

  /** Takes the options; `endpoint` is required. Throws `UploadError` with `invalid-option`. */
  constructor(options: UploaderOptions) {
    super();
    const checked = checkUploaderOptions(options);
    this.#rules = options;
    this.#bucket = options.preconnect && absolute('preconnect', options.preconnect);
    this.#start = () => start(checked, options.worker ?? true, (messages) => this.#deliver(messages));
    this.#warning = new LeaveWarning(options.warnBeforeLeaving ?? true);
    this.#connect().catch(() => {
      // Ignored here: each upload connects again and rejects with the reason.
    });
    for (const [event, isOnline] of [
      ['online', true],
      ['offline', false],
    ] as const) {
      const { signal } = this.#listening;
      globalThis.addEventListener?.(
        event,
        () => void this.#connecting?.then((connection) => connection.setOnline(isOnline)).catch(() => {}),
        { signal },
      );
    }
  }

  /**
   * Uploads a file or a Blob. Resumes the upload of an earlier visit if that visit left this file unfinished. Rejects
   * with `UploadError`.
   */
  upload(file: Blob, options: UploadOptions = {}): Upload {
    const { maxFiles: limit = Number.POSITIVE_INFINITY } = this.#rules;
    const actual = this.#taken.size + 1;
    return this.#begin(file, options, async () => {
      if (!(file instanceof Blob)) throw localError('invalid-option', 'file: expected a File or a Blob');
      if (actual > limit) throw localError('too-many-files', undefined, undefined, { limit, actual });
      checkNames(options, UPLOAD_OPTIONS);
      const [admitted, own] = await admit(this.#rules, file, options);
      const checked = plain(own);
      return (connection, id) => connection.upload(id, admitted, checked);
    });
  }

  /**
   * Resumes an upload of an earlier visit. Without `file`, opens the file by its stored handle. The browser may then
   * ask the user for permission, so call this in a click handler.
   *
   * Rejects with `UploadError`: `file-needed` if the user has to choose the file, `wrong-file` if the file is another
   * file or has changed, `in-use` if another tab runs the upload, `upload-gone` if the upload can no longer be resumed.
   * After the first three of these errors, the upload can still be resumed.
   */
  resume(id: string, file?: Blob, options: UploadOptions = {}): Upload {
    const admit = async (): Promise<Start> => {
      checkNames(options, UPLOAD_OPTIONS);
      const own = file ?? (await reopen(await this.#connect(), id));
      return (connection, call) => connection.resume(call, id, own, plain(options));
    };
    return this.#begin(file, options, admit, id);
  }

  /** Stops counting an upload for `maxFiles`, for example after the user has removed it from the page. */
  release(upload: Upload): void {
    this.#taken.delete(upload);
  }

  /**
   * Lists the uploads of earlier visits that can be resumed, except those that a tab is running. The list is empty if
   * the browser's storage can't be read.
   */
  listResumable(): Promise<Resumable[]> {
    return this.#ask((connection) => connection.list());
  }

  /**
   * Removes an upload of an earlier visit and its parts in S3. Rejects with `in-use` if a tab is running the upload.
   */
  forget(id: string): Promise<void> {
    return this.#ask((connection) => connection.forget(id));
  }

  /** Resolves to whether uploads run in a worker; false if no worker could start. */
  runsInWorker(): Promise<boolean> {
    return this.#ask((connection) => connection.inWorker);
  }

  /**
   * Ends all uploads under way with the code `closed`, then ends the worker. Keeps uploads that can be resumed, and
   * removes the parts of all others. Waits at most 5 s. Later calls reject with `closed`.
   */
  async close(): Promise<void> {
    const connecting = this.#connecting;
    this.#listening.abort();
    this.#connecting = Promise.reject(localError('closed'));
    this.#connecting.catch(() => {});
    const followed = [...this.#followed.values()];
    for (const upload of followed) upload.close();
    await within(CLOSE_MS, Promise.allSettled(followed.map(({ result }) => result))).catch(() => {});
    for (const upload of this.#followed.values()) {
      upload.stop(localError('closed', undefined, undefined, { remains: 'unknown' }));
    }
    this.#warning.close();
    connecting?.then(({ close }) => close()).catch(() => {});
  }

  /** Returns the connection to the host. Makes a new connection if the last one was lost or could not be made. */
  #connect(): Promise<Connection> {
    if (this.#connecting) return this.#connecting;
    const connecting = this.#start();
    this.#connecting = connecting;
    const renew = (): void => {
      if (this.#connecting === connecting) this.#connecting = undefined;
    };
    connecting.then(({ lost, setOnline }) => {
      void lost.then(renew);
      // The module starts as online. If `onLine` is wrongly false, the module still tries a request from time to time.
      if (globalThis.navigator?.onLine === false) setOnline(false);
    }, renew);
    return connecting;
  }

  async #ask<T>(call: (connection: Connection) => T | Promise<T>): Promise<T> {
    try {
      return await call(await this.#connect());
    } catch (error) {
      throw toUploadError(error);
    }
  }

  /** Passes messages to their uploads. Drops messages to uploads that have ended. */
  #deliver(messages: Addressed[]): void {
    for (const [id, message] of messages) {
      if (message.freed) this.dispatchEvent(new Event('resumablechange'));
      else this.#followed.get(id)?.hear(message);
    }
  }

  #begin(file: Blob | undefined, options: UploadOptions, admit: () => Promise<Start>, resumes?: string): Upload {
    const id = this.#uploads++;
    if (this.#bucket && this.#followed.size === 0) preconnect(this.#bucket);
    // Waits for the scheduler twice: before the checks and before the start. Posting a file to a worker takes 0.5 ms,
    // and a page may upload thousands of files at once.
    const turn = this.#scheduler
      .next()
      .then(() => Promise.all([this.#connect(), admit()]))
      .then((ready) => this.#scheduler.next().then(() => ready));
    const stream = new ProgressStream();
    const tell = <K extends keyof UploaderEventMap>(type: K, more?: object): boolean =>
      this.dispatchEvent(new CustomEvent(type, { cancelable: type === 'failed', detail: { ...detail, ...more } }));
    const onMessage = ({ progress, retry, part }: Message): void => {
      if (progress) {
        stream.set(progress);
        guarded(options.onProgress, progress);
        tell('progress', { progress });
      }
      if (retry) {
        guarded(options.onRetry, retry);
        tell('retry', { retry });
      }
      if (part) guarded(options.onPart, part);
    };
    const followed = new FollowedUpload(id, {
      turn,
      warning: this.#warning,
      signal: options.signal,
      resumes,
      onMessage,
      forget: (keptId) => this.forget(keptId),
    });
    this.#followed.set(id, followed);
    const ended = followed.result
      .finally(() => this.#followed.delete(id))
      .then(
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
    const control = (command: 'pause' | 'unpause'): void =>
      followed.send((connection) => connection.control(id, command));
    const controls = {
      pause: () => control('pause'),
      resume: () => control('unpause'),
      cancel: () => followed.cancel(),
      prioritize: (priority: number) => followed.send((connection) => connection.prioritize(id, priority)),
    };
    const iterable = { [Symbol.asyncIterator]: () => stream.until(upload) };
    const upload: Upload = Object.assign(ended, controls, iterable);
    this.#taken.add(upload);
    const detail: UploadDetail = { upload, file };
    tell('start');
    return upload;
  }
}

/** Returns the options that can be posted to a worker. */
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

/** Calls a callback. Reports an error that the callback throws as an uncaught error. The upload continues. */
function guarded<T>(callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch (error) {
    reportError(error);
  }
}

/**
 * Opens the file of an earlier visit by its stored handle. Rejects with `file-needed` if there is no handle, the user
 * denies permission, or the file can't be opened.
 */
async function reopen(connection: Connection, id: string): Promise<File> {
  const needed = (cause?: unknown): UploadError => {
    return localError('file-needed', undefined, cause, { remains: 'parts', resumeId: id });
  };
  const handle = (await connection.handleOf(id)) as (FileSystemFileHandle & Partial<Permissions>) | undefined;
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
