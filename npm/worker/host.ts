// The host of the Wasm module and its uploads. Runs in the worker, or in the page if no worker can start.
import init, { singlePutBytes, type UploadHandle, Uploader as WasmUploader } from '../../target/wasm/directput.js';
import { localError, type PlainError, plainError, toUploadError, type UploadError } from '../errors.js';
import { type Addressed, type Message, MessageBatcher, NO_UPLOAD } from '../message-batcher.js';
import type {
  ErrorCode,
  Headers,
  Metadata,
  PartNews,
  Progress,
  Resumable,
  Retry,
  Tuning,
  UploaderOptions,
  UploadResult,
} from '../types.js';
import { fingerprints } from './fingerprint.js';
import { Keeper } from './keeper.js';
import { take, taken, whenFree } from './locks.js';
import { type EngineRecord, isResumable, type Kept, Records } from './records.js';

/** The options of an upload that can be posted to a worker. */
export interface PlainOptions extends Metadata, Tuning {
  priority?: number;
  /** Whether the page has an `onPart` callback. */
  wantsParts?: boolean;
  handle?: FileSystemFileHandle;
}

/** Sends a message of an upload to the page. */
type Tell = (message: Message) => void;

/**
 * Codes after which `upload` stops trying to resume an earlier upload. The record of that upload stays. `upload` then
 * tries the next earlier upload of the file, or starts a new upload.
 */
const REFUSALS: readonly ErrorCode[] = ['wrong-file', 'not-your-upload', 'token-invalid'];

/**
 * The outcome of an upload, with its last messages. The error is a plain object, because a posted `Error` loses its
 * members.
 */
export type Outcome = ({ ok: true; result: UploadResult } | { ok: false; error: PlainError }) & {
  messages: Addressed[];
};

/** An upload, from the page's call until its outcome. */
interface Running {
  /**
   * Members of the error if a resumed upload is closed before the module has it. S3 then holds the parts of the earlier
   * visit.
   */
  kept?: Pick<PlainError, 'remains' | 'resumeId'>;
  /** The command by which the page ended it. */
  end?: 'cancel' | 'close';
  isPaused: boolean;
  priority: number;
  /** The module's handle, while the module runs the upload. */
  upload?: UploadHandle;
  /** Rejects the page's call, if the module does not have the upload yet. */
  stop(error: UploadError): void;
}

export class Host {
  #uploader: WasmUploader | undefined;
  #records: Records | undefined;
  #batcher = new MessageBatcher(() => {});
  readonly #running = new Map<number, Running>();
  /** Functions that reject the promises that wait for the module. */
  readonly #waiting = new Set<(error: UploadError) => void>();

  /** Loads the module. Must succeed before any other method except `ping` is called. */
  async open(
    { caller = '', ...options }: UploaderOptions,
    tell: (messages: Addressed[]) => unknown,
    askHeaders: (() => Promise<Headers>) | undefined,
    module: WebAssembly.Module,
  ): Promise<void> {
    await init({ module_or_path: module });
    this.#uploader = new WasmUploader(askHeaders ? { ...options, headers: () => askHeaders() } : options);
    this.#batcher = new MessageBatcher(tell);
    // Records need IndexedDB, which stores them, and Web Locks, which prevent two tabs from using one record.
    if (globalThis.indexedDB && globalThis.navigator?.locks) this.#records = new Records(`${options.endpoint}`, caller);
    // If this fails, a later visit tries again.
    void this.#tidy().catch(() => {});
  }

  /** Returns at once. A worker that has died never answers. */
  ping(): void {}

  /** Uploads a file. Resumes an unfinished upload of the same file from an earlier visit. */
  upload(id: number, file: Blob, options: PlainOptions): Promise<Outcome> {
    return this.#lead(id, options, async (running, tell) => {
      const records = this.#records;
      // An interrupted single PUT leaves nothing in S3 to resume.
      if (!records || file.size <= singlePutBytes()) return this.#run(running, file, options, tell);
      const printing = fingerprints(file);
      printing.catch(() => {});
      for (const refused: string[] = []; ; ) {
        // If the store fails, the upload runs without a record and can't be resumed by a later visit.
        const keeper = await Keeper.for(records, file, options, printing, refused).catch(() => undefined);
        const goesOn = keeper?.record;
        try {
          return await this.#run(running, file, options, tell, keeper);
        } catch (error) {
          if (!keeper || !goesOn || !REFUSALS.includes((error as UploadError).code)) throw error;
          refused.push(keeper.id);
        }
      }
    });
  }

  /** Resumes an upload of an earlier visit. A wrong file rejects, and the upload can still be resumed. */
  resume(id: number, keptId: string, file: Blob, options: PlainOptions): Promise<Outcome> {
    const kept = { remains: 'parts', resumeId: keptId } as const;
    const goOn = async (running: Running, tell: Tell): Promise<UploadResult> => {
      if (!this.#records) throw localError('upload-gone');
      const keeper = await Keeper.of(this.#records, keptId);
      try {
        if (!keeper.isOf(file, await fingerprints(file))) throw localError('wrong-file');
      } catch (error) {
        await keeper.close();
        throw toUploadError(error, kept);
      }
      return this.#run(running, file, options, tell, keeper.with(options.handle));
    };
    return this.#lead(id, options, goOn, kept);
  }

  control(id: number, command: 'pause' | 'unpause' | 'cancel' | 'close'): void {
    const running = this.#running.get(id);
    if (!running) return;
    const isEnd = command === 'cancel' || command === 'close';
    if (isEnd) running.end ??= command;
    else running.isPaused = command === 'pause';
    if (running.upload) this.#call(() => running.upload?.[command]());
    else if (command === 'cancel') running.stop(localError('aborted'));
    else if (command === 'close') running.stop(localError('closed', undefined, undefined, running.kept));
  }

  prioritize(id: number, priority: number): void {
    const running = this.#running.get(id);
    if (!running) return;
    running.priority = priority;
    this.#call(() => running.upload?.prioritize(priority));
  }

  setOnline(isOnline: boolean): void {
    this.#call(() => this.#uploader?.setOnline(isOnline));
  }

  async list(): Promise<Resumable[]> {
    try {
      const [all = [], isTaken] = await Promise.all([this.#records?.all(), taken()]);
      const resumable = all.filter(isResumable);
      // After a reload or a crash, the browser releases the locks a moment later. The message `freed` then tells the
      // page to list again.
      for (const { id } of resumable)
        if (isTaken(id)) whenFree(id, () => this.#batcher.add(NO_UPLOAD, { freed: true }));
      return resumable
        .filter(({ id }) => !isTaken(id))
        .map(({ id, name, size, confirmedBytes, startedAt, expiresAt, handle }) => {
          return { id, name, size, confirmedBytes, startedAt, expiresAt, hasFile: handle !== undefined };
        });
    } catch {
      return [];
    }
  }

  async handleOf(keptId: string): Promise<FileSystemFileHandle | undefined> {
    return (await this.#records?.get(keptId))?.handle;
  }

  /** Removes an upload's parts in S3 and its record. If that fails, a later visit tries again. */
  async forget(keptId: string): Promise<void> {
    if (!this.#records) return;
    const release = await take(keptId);
    if (!release) throw localError('in-use', undefined, undefined, { remains: 'parts', resumeId: keptId });
    try {
      const kept = await this.#records.get(keptId);
      if (kept) await this.#remove(this.#records, kept);
    } finally {
      release();
    }
  }

  /** Ends all uploads and drops the module, after the module has failed or the page has closed the connection. */
  end(): void {
    this.#uploader = undefined;
    const error = localError('worker-lost', undefined, undefined, { remains: 'unknown' });
    for (const reject of this.#waiting) reject(error);
    for (const { upload } of this.#running.values()) {
      try {
        // Stops requests that a failed module would otherwise continue.
        upload?.close();
      } catch {
        // The module has failed and may throw.
      }
    }
  }

  async #lead(
    id: number,
    options: PlainOptions,
    run: (running: Running, tell: Tell) => Promise<UploadResult>,
    kept?: Running['kept'],
  ): Promise<Outcome> {
    const stopped = new Promise<never>((_, stop) => {
      this.#running.set(id, { isPaused: false, priority: options.priority ?? 0, stop, ...(kept && { kept }) });
    });
    let ending: { ok: true; result: UploadResult } | { ok: false; error: PlainError };
    try {
      const ended = run(this.#running.get(id) as Running, (message) => this.#batcher.add(id, message));
      ending = { ok: true, result: await Promise.race([ended, stopped]) };
    } catch (error) {
      ending = { ok: false, error: plainError(toUploadError(error)) };
    }
    this.#running.delete(id);
    return { ...ending, messages: this.#batcher.take(id) };
  }

  async #run(
    running: Running,
    file: Blob,
    { handle: _, wantsParts, ...plain }: PlainOptions,
    tell: Tell,
    keeper?: Keeper,
  ): Promise<UploadResult> {
    let last: Omit<Progress, 'kept'> | undefined;
    const onProgress = (progress = last): void => {
      last = progress;
      if (!progress) return;
      keeper?.note(progress.confirmedBytes);
      tell({ progress: { ...progress, kept: keeper?.isKept ?? false } });
    };
    // A stored part is hashed once more to compare it with the file: after an earlier visit, and with `crc64nvme-after`.
    // It stays `stored` meanwhile.
    const states: PartNews['state'][] = [];
    const onStep = (number: number, state: PartNews['state']): void => {
      if (states[number] === 'stored' && state !== 'sending') return;
      states[number] = state;
      tell({ part: { number, state } });
    };
    const options = {
      ...plain,
      ...(wantsParts && { onStep }),
      ...(keeper && { onRecord: (record: EngineRecord | null) => keeper.take(record) }),
      priority: running.priority,
      onProgress,
      onRetry: (retry: Retry) => tell({ retry }),
    };
    let upload: UploadHandle | undefined;
    try {
      // An upload with a record starts even if it is to end: the module then removes or keeps the parts of the earlier
      // visit.
      if (running.end && !keeper?.record) throw localError(running.end === 'cancel' ? 'aborted' : 'closed');
      upload = this.#call((uploader) =>
        keeper?.record ? uploader.resume(file, keeper.record, options) : uploader.upload(file, options),
      );
      running.upload = upload;
      if (keeper) {
        keeper.changed = () => {
          tell({ kept: keeper.isKept ? keeper.id : null });
          onProgress();
        };
        keeper.changed();
      }
      if (running.isPaused) upload.pause();
      if (running.end) upload[running.end]();
      const result = await this.#settled(upload);
      // Not awaited: the object is stored, and the page need not wait for the removal of the record.
      void keeper?.close();
      return result;
    } catch (error) {
      throw keeper ? await this.#leave(keeper, error) : error;
    } finally {
      delete running.upload;
      if (this.#uploader) upload?.free();
    }
  }

  /**
   * Returns the error with the members that tell whether a later visit can resume the upload. Removes the parts in S3
   * if no record is on disk.
   */
  async #leave(keeper: Keeper, error: unknown): Promise<UploadError> {
    const { record } = keeper;
    let more: Partial<PlainError> | undefined;
    if (await keeper.isFound()) more = { remains: 'parts', resumeId: keeper.id };
    else if (record && !record.discard && this.#uploader) {
      more = { remains: (await this.#discard(record)) ? 'nothing' : 'parts' };
    }
    await keeper.close();
    return toUploadError(error, more);
  }

  /** Removes an upload's parts in S3, and then its record. */
  async #remove(records: Records, kept: Kept): Promise<void> {
    const { record } = kept;
    // Marks the record first: if this visit ends before the removal, a later visit completes the removal.
    if (!record.discard) await records.put({ ...kept, record: { ...record, discard: true } });
    if (await this.#discard(record)) await records.delete(kept.id);
  }

  /** Removes an upload's parts in S3. Returns whether they are gone. */
  async #discard(record: EngineRecord): Promise<boolean> {
    let isGone = false;
    const onRecord = (next: EngineRecord | null): void => {
      isGone = next === null;
    };
    const upload = this.#call((uploader) =>
      uploader.resume(new Blob(), { ...record, discard: true }, optionsOf(onRecord)),
    );
    await this.#settled(upload).catch(() => {});
    if (this.#uploader) upload.free();
    return isGone;
  }

  /** Completes removals that earlier visits could not complete, and deletes expired records. */
  async #tidy(): Promise<void> {
    const records = this.#records;
    if (!records) return;
    const old = await records.expired();
    const unwanted = (await records.all()).filter((kept) => kept.record.discard && kept.expiresAt > Date.now());
    for (const kept of [...old, ...unwanted]) {
      const release = await take(kept.id);
      if (!release) continue;
      if (old.includes(kept)) await records.delete(kept.id);
      else await this.#remove(records, kept);
      release();
    }
  }

  /** Calls the module. Also reports a trap as an uncaught error, so that the page closes the connection. */
  #call<T>(call: (uploader: WasmUploader) => T): T {
    if (!this.#uploader) throw localError('worker-lost', undefined, undefined, { remains: 'unknown' });
    try {
      return call(this.#uploader);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) reportError(error);
      throw error;
    }
  }

  /** Resolves or rejects when an upload of the module ends, or rejects when the module is dropped. */
  async #settled({ done }: UploadHandle): Promise<UploadResult> {
    let end: ((error: UploadError) => void) | undefined;
    const ended = new Promise<never>((_, reject) => {
      end = reject;
      this.#waiting.add(reject);
    });
    try {
      return await Promise.race([done, ended]);
    } finally {
      if (end) this.#waiting.delete(end);
    }
  }
}

/** Returns options that the module takes, but that are not part of the package's API. */
const optionsOf = (onRecord: (record: EngineRecord | null) => void): object => ({ onRecord });
