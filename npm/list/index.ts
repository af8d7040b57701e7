// The sub-export `directput/list`: a list of uploads for user interfaces. It is a Svelte store, and the base of the
// hooks for React and Vue.
import { isHopeless } from '../hopeless.js';
import {
  type Progress,
  type Resumable,
  type Upload,
  type UploadError,
  Uploader,
  type UploaderOptions,
  type UploadOptions,
  type UploadResult,
} from '../index.js';
import { Slices } from '../slices.js';

/** The state of an upload in a list. */
export type UploadState = 'running' | 'paused' | 'stored' | 'failed' | 'cancelled';

/** A snapshot of an upload in a list. The methods of an old snapshot still act on the upload. */
export interface UploadItem {
  /** Identifies the item in its list. */
  readonly id: number;
  /** The name of the file. */
  readonly name: string;
  /** The size in bytes of the file, or of the Blob that `beforeUpload` returned in its place. */
  readonly size: number;
  /**
   * The path in the folder that the user chose, such as `photos/2026/a.jpg`; empty if the user chose no folder. The
   * object's key does not contain the path.
   */
  readonly path: string;
  /** The file; undefined if a resumed upload opens the file of an earlier visit itself. */
  readonly file: Blob | undefined;
  /** The state of the upload. */
  readonly state: UploadState;
  /** The latest progress. */
  readonly progress: Progress | undefined;
  /** The object that S3 has confirmed, if the state is `stored`. */
  readonly result: UploadResult | undefined;
  /** The error, if the state is `failed` or `cancelled`. The code of a cancelled upload is `aborted`. */
  readonly error: UploadError | undefined;
  /** Pauses the upload until `resume`. */
  pause(): void;
  /** Resumes a paused upload. */
  resume(): void;
  /** Cancels the upload and removes the bytes that were sent. */
  cancel(): void;
  /** Starts the upload again if it has failed or was cancelled. */
  retry(): void;
  /** Cancels the upload if it is under way, and removes the item from the list. */
  remove(): void;
}

/** The total progress of all uploads of a list, except failed and cancelled uploads. */
export interface Total extends Pick<Progress, 'size' | 'sentBytes' | 'bytesPerSecond' | 'secondsLeft'> {}

/** Returns the total progress of items, for stores that hold only the items. */
export function totalOf(items: readonly UploadItem[]): Total {
  let [size, sentBytes, bytesLeft, bytesPerSecond] = [0, 0, 0, 0];
  for (const { state, size: own, progress } of items) {
    if (state === 'failed' || state === 'cancelled') continue;
    const sent = state === 'stored' ? own : (progress?.sentBytes ?? 0);
    const speed = state === 'running' ? (progress?.bytesPerSecond ?? 0) : 0;
    size += own;
    sentBytes += sent;
    // Uses the upload's own estimate if there is one, because it counts sent bytes that still wait in buffers.
    bytesLeft += speed * (progress?.secondsLeft ?? 0) || own - sent;
    bytesPerSecond += speed;
  }
  return { size, sentBytes, bytesPerSecond, secondsLeft: bytesPerSecond ? bytesLeft / bytesPerSecond : null };
}

/** The methods of a list as separate functions. */
export type ListMethods = Pick<UploadList, 'add' | 'goOn' | 'retryAll' | 'cancelAll' | 'clearFinished' | 'clear'>;

const METHODS: readonly (keyof ListMethods)[] = ['add', 'goOn', 'retryAll', 'cancelAll', 'clearFinished', 'clear'];

/** Returns the methods of a list, bound to it, for hooks to return. */
export function methodsOf(list: UploadList): ListMethods {
  return Object.fromEntries(METHODS.map((name) => [name, list[name].bind(list)])) as unknown as ListMethods;
}

/** The members of an item that are known before its upload starts. */
type Facts = Pick<UploadItem, 'name' | 'size' | 'path' | 'file'>;

/** An `Uploader`, or a stand-in such as `FakeUploader`. */
export type AnyUploader = Pick<Uploader, keyof Uploader>;

/** Returns whether the argument is an uploader, not options. */
export function isUploader(source: AnyUploader | UploaderOptions): source is AnyUploader {
  return 'upload' in source;
}

/** Number of uploads started in one task. */
const AT_ONCE = 100;

/** A list of uploads, in the order in which they were added. */
export class UploadList {
  readonly #source: AnyUploader | UploaderOptions;
  readonly #subscribers = new Set<(items: readonly UploadItem[]) => void>();
  readonly #entries = new Set<Entry>();
  readonly #begins = new Slices(AT_ONCE);
  #items: readonly UploadItem[] = [];
  #own: Uploader | undefined;
  /** Entries that have changed since `#items` was built; undefined if there are none. */
  #changed: Set<Entry> | undefined;
  #isShorter = false;
  #count = 0;
  #holders = 0;
  #closing: Promise<void> | undefined;

  /** Takes an uploader or options. With options, the list makes its own uploader when the first file is added. */
  constructor(source: AnyUploader | UploaderOptions) {
    this.#source = source;
  }

  /** The uploader. It is made from the options at the first access. Throws `UploadError` if an option is wrong. */
  get uploader(): AnyUploader {
    if (isUploader(this.#source)) return this.#source;
    this.#own ??= new Uploader(this.#source);
    return this.#own;
  }

  /** All uploads. After a change this is a new array, with a new object for each changed upload. */
  get items(): readonly UploadItem[] {
    return this.#items;
  }

  /**
   * Calls `subscriber` with all uploads, now and after each change. Returns a function that unsubscribes. This is the
   * contract of Svelte stores.
   */
  subscribe(subscriber: (items: readonly UploadItem[]) => void): () => void {
    this.#subscribers.add(subscriber);
    subscriber(this.#items);
    return () => void this.#subscribers.delete(subscriber);
  }

  /** Uploads files. Throws `UploadError` if an option of the uploader is wrong. Items report all other errors. */
  add(files: Iterable<Blob>, options?: UploadOptions): void {
    for (const file of files) {
      const name = options?.name ?? (file as File).name ?? '';
      const path = (file as File).webkitRelativePath ?? '';
      this.#enter({ name, size: file.size, path, file }, options, (uploader, own) => uploader.upload(file, own));
    }
  }

  /** Resumes an upload of an earlier visit, as `Uploader.resume` does. */
  goOn({ id, name, size }: Resumable, file?: File, options?: UploadOptions): void {
    let isGone = false;
    this.#enter({ name, size, path: '', file }, options, (uploader, own) => {
      // The cancelled upload can no longer be resumed, so this uploads the file from the start.
      if (isGone && file) return uploader.upload(file, own);
      const upload = uploader.resume(id, file, own);
      upload.catch(({ code }: UploadError) => {
        isGone ||= code === 'aborted';
      });
      return upload;
    });
  }

  /** The size, progress, speed and time left of all uploads together. */
  get total(): Total {
    return totalOf(this.#items);
  }

  /** Retries all failed uploads that may succeed. */
  retryAll(): void {
    for (const { state, error, retry } of this.#now()) if (state === 'failed' && !isHopeless(error)) retry();
  }

  /** Cancels all uploads that are under way. */
  cancelAll(): void {
    for (const { state, cancel } of this.#now()) if (isUnderWay(state)) cancel();
  }

  /** Removes stored and cancelled uploads from the list. Objects stay in the bucket. */
  clearFinished(): void {
    for (const { state, remove } of this.#now()) if (state === 'stored' || state === 'cancelled') remove();
  }

  /** Cancels all uploads that are under way, and empties the list. */
  clear(): void {
    for (const { remove } of this.#now()) remove();
  }

  /**
   * Keeps the uploader open until the returned function is called. When the last holder has called its function, the
   * list closes one task later. The delay keeps the uploads of a component that React mounts twice in strict mode. The
   * next call of `hold` resumes uploads that a close has ended.
   */
  hold(): () => void {
    this.#holders += 1;
    // Entries can resume only after the previous uploader has closed and has unlocked its uploads.
    void this.#closing?.then(() => {
      for (const entry of this.#entries) entry.reopen();
    });
    return () => {
      this.#holders -= 1;
      setTimeout(() => {
        if (this.#holders === 0) void this.close();
      });
    };
  }

  /** Closes the uploader if the list made it. Its uploads that are under way fail with `closed`. */
  async close(): Promise<void> {
    // Starts all queued uploads now: if they started later, they would make a new uploader.
    for (const begin of this.#begins.take()) begin();
    const own = this.#own;
    this.#own = undefined;
    this.#closing = own?.close() ?? this.#closing;
    await this.#closing;
  }

  /** Returns the current items, including changes that `#items` does not show yet. */
  #now(): readonly UploadItem[] {
    return [...this.#entries].map(({ item }) => item);
  }

  #enter(
    facts: Facts,
    options: UploadOptions = {},
    begin: (uploader: AnyUploader, options: UploadOptions) => Upload,
  ): void {
    // If the uploader can't be made, this throws before an item is added.
    let { uploader } = this;
    const id = this.#count++;
    const onProgress = (progress: Progress): void => {
      options.onProgress?.(progress);
      entry.set({ progress, size: progress.size });
    };
    const entry = new Entry(
      { id, ...facts },
      (go) => this.#begins.do(go),
      () => {
        uploader = this.uploader;
        return begin(uploader, { ...options, onProgress });
      },
      () => this.#tell(entry),
      (upload) => {
        // The upload no longer counts for `maxFiles`.
        if (upload) uploader.release(upload);
        this.#isShorter = true;
        this.#entries.delete(entry);
        this.#tell(entry);
      },
    );
    entry.place = this.#entries.size;
    this.#entries.add(entry);
    entry.run();
  }

  /** Notifies subscribers once for all changes of a task. Items that did not change keep their objects. */
  #tell(entry: Entry): void {
    if (this.#changed) return void this.#changed.add(entry);
    this.#changed = new Set([entry]);
    queueMicrotask(() => {
      if (this.#isShorter) {
        this.#isShorter = false;
        this.#changed = this.#entries;
        for (const [place, entry] of [...this.#entries].entries()) entry.place = place;
      }
      const items = this.#items.slice(0, this.#entries.size);
      // A removed item may still change when its upload ends. Such a change is ignored.
      for (const entry of this.#changed ?? []) if (this.#entries.has(entry)) items[entry.place] = entry.item;
      this.#changed = undefined;
      this.#items = items;
      for (const subscriber of this.#subscribers) subscriber(items);
    });
  }
}

/** One upload of the list: holds the current item and replaces it on each change. */
class Entry {
  item: UploadItem;
  /** Index in the array of items. */
  place = 0;
  readonly #waits: (go: () => void) => void;
  readonly #begin: () => Upload;
  readonly #changed: () => void;
  #upload: Upload | undefined;
  /** Whether the upload was paused when it failed. */
  #wasPaused = false;
  /** Whether the item was removed from the list. */
  #isGone = false;

  constructor(
    facts: Facts & Pick<UploadItem, 'id'>,
    waits: (go: () => void) => void,
    begin: () => Upload,
    changed: () => void,
    removed: (upload: Upload | undefined) => void,
  ) {
    this.#waits = waits;
    this.#begin = begin;
    this.#changed = changed;
    this.item = {
      ...facts,
      ...BEGUN,
      pause: () => {
        if (this.item.state !== 'running') return;
        this.#go().pause();
        this.set({ state: 'paused' });
      },
      resume: () => {
        if (this.item.state !== 'paused') return;
        this.#go().resume();
        this.set({ state: 'running' });
      },
      cancel: () => this.#go().cancel(),
      retry: () => {
        if (this.item.error) this.run();
      },
      remove: () => {
        if (isUnderWay(this.item.state)) this.#upload?.cancel();
        this.#isGone = true;
        removed(this.#upload);
      },
    };
  }

  set(change: Partial<UploadItem>): void {
    this.item = { ...this.item, ...change };
    this.#changed();
  }

  run(): void {
    this.#upload = undefined;
    this.set(BEGUN);
    this.#waits(() => {
      if (!this.#isGone) this.#go();
    });
  }

  /** Returns the upload. Starts it if it is still queued, so that a command on a queued item takes effect. */
  #go(): Upload {
    if (this.#upload) return this.#upload;
    const upload = this.#begin();
    this.#upload = upload;
    upload.then(
      (result) => this.set({ state: 'stored', result }),
      (error: UploadError) => {
        this.#wasPaused = this.item.state === 'paused';
        this.set({ state: error.code === 'aborted' ? 'cancelled' : 'failed', error });
      },
    );
    return upload;
  }

  /** Resumes the upload if a close of the uploader had ended it. */
  reopen(): void {
    if (this.item.error?.code !== 'closed') return;
    this.run();
    if (this.#wasPaused) this.item.pause();
  }
}

const isUnderWay = (state: UploadState): boolean => state === 'running' || state === 'paused';

const BEGUN = { state: 'running', progress: undefined, result: undefined, error: undefined } as const;
