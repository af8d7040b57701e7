// What runs in the worker, or in the page where no worker can start: the Wasm module and its uploads.
import init, { singlePutBytes, type UploadHandle, Uploader as WasmUploader } from '../target/wasm/directput.js';
import { type PlainError, plainError } from './errors.js';
import { fingerprint } from './fingerprint.js';
import { Gatherer, type Item, type News, NOBODY } from './news.js';
import { type EngineRecord, isResumable, type Kept, Records, take, taken, whenFree } from './records.js';
import type {
  Headers,
  Metadata,
  PartNews,
  Progress,
  Resumable,
  Retry,
  Tuning,
  UploaderOptions,
  UploadResult,
} from './types.js';

/** The options of an upload that can be sent to a worker. */
export interface PlainOptions extends Metadata, Tuning {
  priority?: number;
  /** Whether somebody wants to know of each part. */
  wantsParts?: boolean;
  handle?: FileSystemFileHandle;
}

/** Takes what an upload tells of itself. */
type Tell = (news: News) => void;

/** How an upload ended; errors lose their members on the way out of a worker, so they go as data. */
type Ending = { ok: true; result: UploadResult } | { ok: false; error: PlainError };

/** The same, with the last that it had to tell. */
export type Outcome = Ending & { news: Item[] };

/** How often what S3 has confirmed is written down, in milliseconds. */
const NOTE_EVERY_MS = 2_000;

const gone = plainError('upload-gone');
const inUse = plainError('in-use');

/** An upload from the moment that somebody wants it. */
interface Running {
  isCancelled: boolean;
  isPaused: boolean;
  priority: number;
  upload?: UploadHandle;
}

export class Engine {
  #uploader: WasmUploader | undefined;
  #opening: Promise<Records | undefined> = Promise.resolve(undefined);
  #endpoint = '';
  #news = new Gatherer(() => {});
  readonly #running = new Map<number, Running>();

  /** Loads the module. Until this has succeeded the engine is not used. */
  async open(
    options: UploaderOptions,
    tell: (items: Item[]) => unknown,
    askHeaders: (() => Promise<Headers>) | undefined,
    module: WebAssembly.Module | string,
  ): Promise<void> {
    await init({ module_or_path: module });
    this.#uploader = new WasmUploader(askHeaders ? { ...options, headers: () => askHeaders() } : options);
    this.#endpoint = String(options.endpoint);
    this.#news = new Gatherer(tell);
    // A small file needs no records, so nobody waits for them here.
    this.#opening = Records.open(this.#endpoint);
    // It is nobody's concern when this ends, or how.
    void this.#tidy().catch(() => {});
  }

  /** Uploads a file. If an earlier visit has begun to, it goes on with that. */
  async upload(id: number, file: Blob, options: PlainOptions): Promise<Outcome> {
    const running = this.#enter(id, options);
    return this.#leave(id, async (tell) => {
      // Of a single PUT nothing is left when it is cut off.
      const records = file.size > singlePutBytes() && (await this.#opening);
      if (!records) return this.#run(running, file, options, tell);
      // Hashing begins meanwhile, unless there may be something to go on with.
      const printing = fingerprint(file);
      printing.catch(() => {});
      const alike = await records.ofSize(file.size);
      const print = alike.length > 0 ? await printing : undefined;
      for (const kept of alike.filter(({ fingerprint }) => fingerprint === print)) {
        const release = await take(kept.id);
        // Another tab may have ended it meanwhile.
        const fresh = release && (await records.get(kept.id));
        if (fresh && isResumable(fresh)) return this.#keep(running, file, options, tell, fresh, release, true);
        release?.();
      }
      const kept = this.#describe(file, options);
      const release = await take(kept.id);
      return this.#keep(running, file, options, tell, kept, release, false, printing);
    });
  }

  /** Goes on with an upload of an earlier visit. `isSurely` says whether the file is the one it began with. */
  async resume(id: number, keptId: string, file: Blob, isSurely: boolean, options: PlainOptions): Promise<Outcome> {
    const running = this.#enter(id, options);
    return this.#leave(id, async (tell) => {
      const records = await this.#opening;
      if (!records) return { ok: false, error: gone };
      const release = await take(keptId);
      if (!release) return { ok: false, error: inUse };
      const kept = await records.get(keptId);
      if (!kept || !isResumable(kept)) {
        release();
        return { ok: false, error: gone };
      }
      // A file that can't be read is another one too.
      const print = await fingerprint(file).catch(() => undefined);
      if (print === kept.fingerprint) return this.#keep(running, file, options, tell, kept, release, true);
      if (isSurely || ((file as File).name === kept.name && file.size === kept.size)) {
        await this.#remove(kept, release);
        return { ok: false, error: plainError('file-changed') };
      }
      release();
      return { ok: false, error: plainError('wrong-file') };
    });
  }

  control(id: number, command: 'pause' | 'resume' | 'cancel'): void {
    const running = this.#running.get(id);
    if (!running) return;
    if (command === 'cancel') running.isCancelled = true;
    else running.isPaused = command === 'pause';
    running.upload?.[command]();
  }

  prioritize(id: number, priority: number): void {
    const running = this.#running.get(id);
    if (!running) return;
    running.priority = priority;
    running.upload?.prioritize(priority);
  }

  setOnline(isOnline: boolean): void {
    this.#uploader?.setOnline(isOnline);
  }

  async list(): Promise<Resumable[]> {
    const records = await this.#opening;
    if (!records) return [];
    const [all, isTaken] = await Promise.all([records.all(), taken()]);
    const resumable = all.filter(isResumable);
    // A page that was just reloaded, or a tab that has crashed, lets go of its uploads a moment later.
    for (const { id } of resumable) if (isTaken(id)) whenFree(id, () => this.#news.add(NOBODY, { freed: true }));
    return resumable
      .filter(({ id }) => !isTaken(id))
      .map(({ id, name, size, confirmedBytes, startedAt, expiresAt, handle }) => {
        return { id, name, size, confirmedBytes, startedAt, expiresAt, hasFile: handle !== undefined };
      });
  }

  async handleOf(keptId: string): Promise<FileSystemFileHandle | undefined> {
    return (await (await this.#opening)?.get(keptId))?.handle;
  }

  /** Removes an upload, here and in S3. What can't be removed now is removed by a later visit. */
  async forget(keptId: string): Promise<PlainError | undefined> {
    const records = await this.#opening;
    if (!records) return undefined;
    const release = await take(keptId);
    if (!release) return inUse;
    const kept = await records.get(keptId);
    if (kept) await this.#remove(kept, release);
    release();
    return undefined;
  }

  #enter(id: number, options: PlainOptions): Running {
    const running = { isCancelled: false, isPaused: false, priority: options.priority ?? 0 };
    this.#running.set(id, running);
    return running;
  }

  async #leave(id: number, run: (tell: Tell) => Promise<Ending>): Promise<Outcome> {
    const ending = await this.#guard(run((news) => this.#news.add(id, news)));
    this.#running.delete(id);
    return { ...ending, news: this.#news.take(id) };
  }

  async #guard(ending: Promise<Ending>): Promise<Ending> {
    try {
      return await ending;
    } catch (error) {
      const { message, code, retryable, status, requestId, resumeId } = error as PlainError;
      // What has no code was thrown by the browser.
      if (code === undefined) return { ok: false, error: plainError('internal', String(message)) };
      const names = { ...(requestId && { requestId }), ...(resumeId && { resumeId }) };
      return { ok: false, error: { message, code, retryable, status, ...names } };
    }
  }

  async #run(
    running: Running,
    file: Blob,
    { handle: _, wantsParts, ...plain }: PlainOptions,
    tell: Tell,
    record?: EngineRecord,
    onRecord?: (record: EngineRecord | null) => void,
  ): Promise<Ending> {
    if (!this.#uploader) throw new Error('the engine is not open');
    const options = {
      ...plain,
      ...(wantsParts && { onStep: (number: number, state: PartNews['state']) => tell({ part: { number, state } }) }),
      ...(onRecord && { onRecord }),
      priority: running.priority,
      onProgress: (progress: Progress) => tell({ progress }),
      onRetry: (retry: Retry) => tell({ retry }),
    };
    const uploader = this.#uploader;
    const upload = record ? uploader.goOn(file, record, options) : uploader.upload(file, options);
    running.upload = upload;
    if (running.isPaused) upload.pause();
    if (running.isCancelled) upload.cancel();
    try {
      return { ok: true, result: await upload.done };
    } finally {
      delete running.upload;
      upload.free();
    }
  }

  /** Runs an upload and writes down what a later visit needs to go on with it. */
  async #keep(
    running: Running,
    file: Blob,
    options: PlainOptions,
    tell: Tell,
    kept: Kept,
    release: (() => void) | undefined,
    goesOn: boolean,
    printing: Promise<string> = Promise.resolve(kept.fingerprint),
  ): Promise<Ending> {
    const records = await this.#opening;
    if (!records || !release) return this.#run(running, file, options, tell);
    let latest: Kept | undefined = goesOn ? { ...kept, ...(options.handle && { handle: options.handle }) } : undefined;
    let written: Promise<unknown> = Promise.resolve();
    // One after the other: the last word must be the last one written.
    const write = (action: () => Promise<void>): void => {
      written = written.then(action).catch(() => {});
    };
    const store = (next: Kept): void => {
      latest = next;
      write(async () => records.put({ ...next, fingerprint: await printing }));
    };
    const onRecord = (record: EngineRecord | null): void => {
      if (record) {
        const isFirst = latest === undefined;
        const next: Kept = { ...(latest ?? kept), record };
        if (isFirst) next.expiresAt = Date.now() + record.expiresInSeconds * 1_000;
        store(next);
      } else {
        latest = undefined;
        write(() => records.delete(kept.id));
      }
      tell({ kept: latest !== undefined && !latest.record.discard });
    };
    let notedAt = 0;
    const note: Tell = (news) => {
      const confirmedBytes = news.progress?.confirmedBytes ?? 0;
      if (latest && confirmedBytes > latest.confirmedBytes && Date.now() > notedAt + NOTE_EVERY_MS) {
        notedAt = Date.now();
        store({ ...latest, confirmedBytes });
      }
      tell(news);
    };
    if (goesOn) tell({ kept: true });
    try {
      return await this.#run(running, file, options, note, goesOn ? kept.record : undefined, onRecord);
    } catch (error) {
      const resumable = latest as Kept | undefined;
      if (resumable && !resumable.record.discard) Object.assign(error as object, { resumeId: kept.id });
      throw error;
    } finally {
      // The upload is this tab's until its last word is written, but who has an object need not wait for that.
      const last = written.then(release);
      if (latest) await last;
    }
  }

  #describe(file: Blob, options: PlainOptions): Kept {
    const now = Date.now();
    return {
      id: crypto.randomUUID(),
      endpoint: this.#endpoint,
      // Replaced before it is written, as the engine's record is.
      fingerprint: '',
      name: options.name ?? (file as File).name ?? '',
      size: file.size,
      type: options.type ?? file.type,
      confirmedBytes: 0,
      startedAt: now,
      expiresAt: now,
      ...(options.handle && { handle: options.handle }),
      record: { expiresInSeconds: 0, discard: false },
    };
  }

  /** Removes what S3 holds of an upload, and then its record. */
  async #remove(kept: Kept, release: () => void): Promise<void> {
    const discarded = { ...kept, record: { ...kept.record, discard: true } };
    // If this visit doesn't get to remove it, the next one will.
    await (await this.#opening)?.put(discarded);
    const running = { isCancelled: false, isPaused: false, priority: 0 };
    await this.#keep(running, new Blob(), {}, () => {}, discarded, release, true).catch(() => {});
  }

  /** Removes what earlier visits could not, and what is too old to be gone on with. */
  async #tidy(): Promise<void> {
    const records = await this.#opening;
    for (const kept of (await records?.all()) ?? []) {
      if (isResumable(kept)) continue;
      const release = await take(kept.id);
      if (!release) continue;
      if (kept.record.discard && kept.expiresAt > Date.now()) await this.#remove(kept, release);
      else await records?.delete(kept.id);
      release();
    }
  }
}
