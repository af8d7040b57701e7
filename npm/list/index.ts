// The sub-export `directput/list`: uploads as a list that user interfaces draw. A Svelte store as it is, and what the
// hooks for React and Vue stand on.
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

/** What is true of an upload in a list. */
export type UploadState = 'running' | 'paused' | 'stored' | 'failed' | 'cancelled';

/** An upload in a list, as it is at one moment; its methods act on it whenever they are called. */
export interface UploadItem {
  /** Names it in its list. */
  readonly id: number;
  /** The name of the file. */
  readonly name: string;
  /** Its size in bytes; of what is uploaded in place of the file, if `beforeUpload` has replaced it. */
  readonly size: number;
  /** Where it lies in the folder that was chosen, such as `photos/2026/a.jpg`; empty without one. It is in no key. */
  readonly path: string;
  /** What is uploaded; undefined if an upload of an earlier visit opens it by itself. */
  readonly file: Blob | undefined;
  /** What is true of it. */
  readonly state: UploadState;
  /** The last that was heard of it. */
  readonly progress: Progress | undefined;
  /** What S3 has confirmed, if it is `stored`. */
  readonly result: UploadResult | undefined;
  /** Why it is `failed`; with the code `aborted` if it is `cancelled`. */
  readonly error: UploadError | undefined;
  /** Stops it until `resume`. */
  pause(): void;
  /** Lets it go on. */
  resume(): void;
  /** Ends it, and removes what was sent. */
  cancel(): void;
  /** Begins it again if it has failed or was cancelled. */
  retry(): void;
  /** Cancels it if it is under way, and takes it off the list. */
  remove(): void;
}

/** How far all uploads of a list are together. Those that have failed or were cancelled are left out. */
export interface Total extends Pick<Progress, 'size' | 'sentBytes' | 'bytesPerSecond' | 'secondsLeft'> {}

/** The total of items, for stores that say nothing but their items. */
export function totalOf(items: readonly UploadItem[]): Total {
  let [size, sentBytes, bytesLeft, bytesPerSecond] = [0, 0, 0, 0];
  for (const { state, size: own, progress } of items) {
    if (state === 'failed' || state === 'cancelled') continue;
    const sent = state === 'stored' ? own : (progress?.sentBytes ?? 0);
    const speed = state === 'running' ? (progress?.bytesPerSecond ?? 0) : 0;
    size += own;
    sentBytes += sent;
    // An upload knows what waits in buffers.
    bytesLeft += speed * (progress?.secondsLeft ?? 0) || own - sent;
    bytesPerSecond += speed;
  }
  return { size, sentBytes, bytesPerSecond, secondsLeft: bytesPerSecond ? bytesLeft / bytesPerSecond : null };
}

/** What acts on a list, without the list around it. */
export type ListMethods = Pick<UploadList, 'add' | 'goOn' | 'retryAll' | 'cancelAll' | 'clearFinished' | 'clear'>;

const METHODS: readonly (keyof ListMethods)[] = ['add', 'goOn', 'retryAll', 'cancelAll', 'clearFinished', 'clear'];

/** What hooks give their components. */
export function methodsOf(list: UploadList): ListMethods {
  return Object.fromEntries(METHODS.map((name) => [name, list[name].bind(list)])) as unknown as ListMethods;
}

/** What is known of an item before it begins. */
type Facts = Pick<UploadItem, 'name' | 'size' | 'path' | 'file'>;

/** An `Uploader`, or what takes its place in tests. */
export type AnyUploader = Pick<Uploader, keyof Uploader>;

/** Whether it is an uploader, and not the options of one. */
export function isUploader(source: AnyUploader | UploaderOptions): source is AnyUploader {
  return 'upload' in source;
}

/** So many uploads begin in one task. */
const AT_ONCE = 100;

/** Uploads in the order in which they were asked for. */
export class UploadList {
  readonly #source: AnyUploader | UploaderOptions;
  readonly #subscribers = new Set<(items: readonly UploadItem[]) => void>();
  readonly #entries = new Set<Entry>();
  readonly #begins = new Slices(AT_ONCE);
  #items: readonly UploadItem[] = [];
  #own: Uploader | undefined;
  /** What the array does not show yet; nothing while no change is on its way. */
  #changed: Set<Entry> | undefined;
  #isShorter = false;
  #count = 0;
  #holders = 0;
  #closing: Promise<void> | undefined;

  /** Takes an uploader, or the options of one that is made with the first file. */
  constructor(source: AnyUploader | UploaderOptions) {
    this.#source = source;
  }

  /** The uploader behind it. Throws `UploadError` if its options are wrong. */
  get uploader(): AnyUploader {
    if (isUploader(this.#source)) return this.#source;
    this.#own ??= new Uploader(this.#source);
    return this.#own;
  }

  /** All uploads; another array, with another object for what has changed, after each change. */
  get items(): readonly UploadItem[] {
    return this.#items;
  }

  /** Calls back with all uploads now and after each change, until what it returns is called: Svelte's store contract. */
  subscribe(subscriber: (items: readonly UploadItem[]) => void): () => void {
    this.#subscribers.add(subscriber);
    subscriber(this.#items);
    return () => void this.#subscribers.delete(subscriber);
  }

  /** Uploads files. Throws `UploadError` if the uploader's options are wrong; all else is the items' to tell. */
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
      // What was cancelled is no more: its file is uploaded anew.
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

  /** Begins all again that have failed and may succeed. */
  retryAll(): void {
    for (const { state, error, retry } of this.#now()) if (state === 'failed' && !isHopeless(error)) retry();
  }

  /** Cancels all that are under way. */
  cancelAll(): void {
    for (const { state, cancel } of this.#now()) if (isUnderWay(state)) cancel();
  }

  /** Takes all that are stored or cancelled off the list. Objects stay in the bucket. */
  clearFinished(): void {
    for (const { state, remove } of this.#now()) if (state === 'stored' || state === 'cancelled') remove();
  }

  /** Cancels what is under way, and empties the list. */
  clear(): void {
    for (const { remove } of this.#now()) remove();
  }

  /**
   * Keeps the uploader until what it returns is called. When the last holder lets go the list is closed, a task later:
   * a component that is mounted twice, as React does in strict mode, keeps its uploads. Uploads that a close has ended go
   * on with the next holder, where they were.
   */
  hold(): () => void {
    this.#holders += 1;
    // What was kept can be resumed once the uploader before has let go of it.
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

  /** Ends an uploader that was made here. What it has under way fails with `closed`. */
  async close(): Promise<void> {
    // What waits for its turn would have another uploader made.
    for (const begin of this.#begins.take()) begin();
    const own = this.#own;
    this.#own = undefined;
    this.#closing = own?.close() ?? this.#closing;
    await this.#closing;
  }

  /** The items as they are, those included that the array does not show yet. */
  #now(): readonly UploadItem[] {
    return [...this.#entries].map(({ item }) => item);
  }

  #enter(
    facts: Facts,
    options: UploadOptions = {},
    begin: (uploader: AnyUploader, options: UploadOptions) => Upload,
  ): void {
    // If it can't be made this throws, and there is no item that could not begin.
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
        // Another file has its place.
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

  /** Many changes of one task are told of once. Of items that did not change only the array's slots are copied. */
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
      // An item that was removed may still change, when its upload ends.
      for (const entry of this.#changed ?? []) if (this.#entries.has(entry)) items[entry.place] = entry.item;
      this.#changed = undefined;
      this.#items = items;
      for (const subscriber of this.#subscribers) subscriber(items);
    });
  }
}

/** What an item shows from one moment to the next. */
class Entry {
  item: UploadItem;
  /** Where it stands in the array. */
  place = 0;
  readonly #waits: (go: () => void) => void;
  readonly #begin: () => Upload;
  readonly #changed: () => void;
  #upload: Upload | undefined;
  /** Whether it was paused when it failed. */
  #wasPaused = false;
  /** Whether it was removed. */
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

  /** Its upload; what is done about one that waits for its turn begins it. */
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

  /** Resumes if it was under way when its uploader was closed. */
  reopen(): void {
    if (this.item.error?.code !== 'closed') return;
    this.run();
    if (this.#wasPaused) this.item.pause();
  }
}

const isUnderWay = (state: UploadState): boolean => state === 'running' || state === 'paused';

const BEGUN = { state: 'running', progress: undefined, result: undefined, error: undefined } as const;
