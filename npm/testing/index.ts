// The sub-export `directput/testing`: an uploader that sends nothing, for tests of components that upload files.
import { localError } from '../errors.js';
import {
  type ErrorCode,
  type Progress,
  type Resumable,
  type Upload,
  UploadError,
  type Uploader,
  type UploadOptions,
  type UploadResult,
} from '../index.js';
import { type UploadDetail, UploaderEvents } from '../page/events.js';
import { ProgressStream } from '../page/progress-stream.js';

/** The last command that an upload of a `FakeUploader` received. */
export type FakeControl = 'pause' | 'resume' | 'cancel' | undefined;

/** An upload that the test controls. */
export class FakeUpload {
  /** The upload that the component got. */
  readonly upload: Upload;
  /** The file; undefined if the upload is resumed without a file. */
  readonly file: Blob | undefined;
  /** The options that `upload` or `resume` was called with. */
  readonly options: UploadOptions;
  /** The id that `resume` was called with. */
  readonly resumed: string | undefined;
  /** The last command that the component called; undefined before the first. */
  control: FakeControl;
  /** The priority from the options, or from the last call of `prioritize`. */
  priority: number;
  readonly #target: EventTarget;
  readonly #latest = new ProgressStream();
  #progress: Progress;
  #isOver = false;
  #resolve: (result: UploadResult) => void = () => {};
  #reject: (error: UploadError) => void = () => {};

  /** Only `FakeUploader` calls this. @internal */
  constructor(target: EventTarget, file: Blob | undefined, options: UploadOptions, resumed?: string) {
    this.#target = target;
    this.file = file;
    this.options = options;
    this.resumed = resumed;
    this.priority = options.priority ?? 0;
    this.#progress = { ...NOTHING, size: file?.size ?? 0 };
    const ended = new Promise<UploadResult>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.upload = Object.assign(ended, {
      pause: () => {
        this.control = 'pause';
      },
      resume: () => {
        this.control = 'resume';
      },
      cancel: () => {
        this.control = 'cancel';
        this.fail('aborted');
      },
      prioritize: (priority: number) => {
        this.priority = priority;
      },
      [Symbol.asyncIterator]: () => this.#latest.until(ended),
    });
    options.signal?.addEventListener('abort', () => this.upload.cancel(), { once: true });
    this.#tell('start');
    if (options.signal?.aborted) this.upload.cancel();
  }

  /** Reports progress: the fraction sent and confirmed, from 0 to 1, or any members of `Progress`. */
  progress(told: number | Partial<Progress>): void {
    if (this.#isOver) return;
    const { size } = this.#progress;
    const bytes = (share: number): number => Math.round(share * size);
    const more =
      typeof told === 'number'
        ? { phase: 'upload' as const, sentBytes: bytes(told), confirmedBytes: bytes(told), hashedBytes: size }
        : told;
    this.#progress = { ...this.#progress, ...more };
    this.#latest.set(this.#progress);
    this.options.onProgress?.(this.#progress);
    this.#tell('progress', { progress: this.#progress });
  }

  /** Ends the upload as stored. */
  store(result: Partial<UploadResult> = {}): void {
    if (this.#isOver) return;
    this.progress(1);
    this.progress({ phase: 'done' });
    this.#isOver = true;
    const { size } = this.#progress;
    const stored = { key: 'uploads/fake', etag: 'fake', checksum: null, size, ...result };
    this.#tell('stored', { result: stored });
    this.#resolve(stored);
  }

  /** Ends the upload with an error of this code. `docs/errors.md` lists the codes. */
  fail(code: ErrorCode, more: Partial<Pick<UploadError, 'message' | 'status' | 'retryable' | 'resumeId'>> = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const remains = more.resumeId ? 'parts' : 'nothing';
    const told = { message: code, retryable: RETRYABLE.includes(code), ...more };
    const error = new UploadError({ ...localError(code), ...told, remains });
    if (!this.#tell('failed', { error })) this.upload.catch(() => {});
    this.#reject(error);
  }

  #tell(type: string, more?: object): boolean {
    const detail: UploadDetail = { upload: this.upload, file: this.file, ...more };
    return this.#target.dispatchEvent(new CustomEvent(type, { cancelable: type === 'failed', detail }));
  }
}

/** Codes of errors after which the same upload may succeed later. */
const RETRYABLE: readonly ErrorCode[] = [
  ...(['too-many-requests', 'storage-unavailable', 'internal', 'network', 'timeout', 'in-use'] as const),
  ...(['unexpected-answer', 'headers-timeout', 'read-timeout', 'worker-lost', 'load-failed', 'closed'] as const),
];

const NOTHING: Omit<Progress, 'size'> = {
  phase: 'hash',
  hashedBytes: 0,
  sentBytes: 0,
  confirmedBytes: 0,
  parts: 1,
  confirmedParts: 0,
  bytesPerSecond: 0,
  secondsLeft: null,
  held: null,
  kept: false,
};

/** Replaces an `Uploader` in tests: in `useUpload`, in an `UploadList`, or as the `uploader` of `<direct-put>`. */
export class FakeUploader extends UploaderEvents implements Pick<Uploader, keyof Uploader> {
  /** All uploads, in the order in which they were started. */
  readonly uploads: FakeUpload[] = [];
  /** The uploads that `listResumable` returns. */
  resumable: Resumable[] = [];
  #isClosed = false;

  /** Whether each upload ends as stored one task after its start, without a call of `store`. */
  readonly stores: boolean;

  /** Takes `stores`: whether each upload ends as stored without a call of `store`. Default: false. */
  constructor(stores = false) {
    super();
    this.stores = stores;
  }

  upload(file: Blob, options: UploadOptions = {}): Upload {
    return this.#begin(new FakeUpload(this, file, options));
  }

  resume(id: string, file?: Blob, options: UploadOptions = {}): Upload {
    this.resumable = this.resumable.filter((resumable) => resumable.id !== id);
    return this.#begin(new FakeUpload(this, file, options, id));
  }

  release(): void {}

  async listResumable(): Promise<Resumable[]> {
    return this.resumable;
  }

  async forget(id: string): Promise<void> {
    this.resumable = this.resumable.filter((resumable) => resumable.id !== id);
  }

  async runsInWorker(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const upload of this.uploads) upload.fail('closed');
  }

  #begin(fake: FakeUpload): Upload {
    this.uploads.push(fake);
    if (this.#isClosed) fake.fail('closed');
    else if (this.stores) setTimeout(() => fake.store());
    return fake.upload;
  }
}
