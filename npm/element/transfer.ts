// One file in `<direct-put>`: its upload, and what is true of it. `Row` shows it while it is in view.
import { isHopeless } from '../hopeless.js';
import { UploadError } from '../index.js';
import type { ErrorCode, Progress, Retry, Upload, UploadOptions, UploadResult } from '../types.js';
import type { Row } from './row.js';

export type State = 'ready' | 'waiting' | 'running' | 'paused' | 'stored' | 'failed' | 'cancelled';

const UNDER_WAY: readonly State[] = ['waiting', 'running', 'paused'];

/** What is known of a file before it is opened. */
export interface Facts {
  name: string;
  size: number;
  file?: Blob | undefined;
  /** Where it lies in its folder; empty without one. */
  path?: string | undefined;
}

/** What is told of a transfer. */
export interface Listener {
  /** It wants to begin: `go` is to be called when it is its turn. */
  waits(go: () => void): void;
  /** Why it may not begin, if there are too many. */
  refusal(): UploadError | undefined;
  /** Its upload was begun. */
  begun(transfer: Transfer, upload: Upload): void;
  /** Its state is another. */
  changed(transfer: Transfer): void;
  /** It has moved on. */
  moved(transfer: Transfer): void;
  /** It has failed without an upload. */
  refused(transfer: Transfer, error: UploadError): void;
}

export class Transfer {
  readonly name: string;
  readonly path: string;
  readonly file: Blob | undefined;
  /** In bytes. */
  size: number;
  state: State = 'ready';
  upload: Upload | undefined;
  progress: Progress | undefined;
  /** What is done again, until something else is to be said. */
  retry: Retry | undefined;
  /** How often something was done again. */
  retries = 0;
  result: UploadResult | undefined;
  error: UploadError | undefined;
  /** Whether it was ever to begin. */
  wasBegun = false;
  /** Whether it was cancelled, and that is not confirmed yet. */
  isCancelling = false;
  /** How far it was when that was last said aloud, in quarters. */
  said = 0;
  /** What shows it. */
  row: Row | undefined;
  /** How high that was last, in CSS pixels; 0 if it was never seen. */
  height = 0;
  readonly #listener: Listener;
  readonly #begin: (options: UploadOptions) => Upload;

  constructor(listener: Listener, { name, size, file, path }: Facts, begin?: (options: UploadOptions) => Upload) {
    this.#listener = listener;
    this.#begin = begin as (options: UploadOptions) => Upload;
    this.name = name;
    this.size = size;
    this.file = file;
    this.path = path ?? '';
  }

  /** How much has left, from 0 to 1. */
  get share(): number {
    if (this.state === 'stored') return 1;
    const { size, sentBytes, phase } = this.progress ?? { size: 0, sentBytes: 0, phase: 'hash' };
    return size === 0 ? Number(phase === 'done') : sentBytes / size;
  }

  get isUnderWay(): boolean {
    return UNDER_WAY.includes(this.state);
  }

  /** Whether a new try makes sense after it has failed. */
  get canRetry(): boolean {
    return this.state === 'failed' && !isHopeless(this.error);
  }

  /** Begins, or begins again. */
  run(): void {
    this.error = this.progress = this.retry = this.upload = undefined;
    this.said = 0;
    this.isCancelling = false;
    this.wasBegun = true;
    this.state = 'waiting';
    this.#changed();
    const refusal = this.#listener.refusal();
    if (refusal) this.refuse(refusal);
    else this.#listener.waits(() => this.#go());
  }

  #go(): void {
    // It may have been cancelled, and begun again, before its turn.
    if (this.state !== 'waiting' || this.upload) return;
    try {
      const upload = this.#begin({
        onProgress: (progress) => this.#follow(progress),
        onRetry: (retry) => this.#again(retry),
      });
      this.upload = upload;
      this.#listener.begun(this, upload);
      upload.then(
        (result) => this.store(result),
        (error: UploadError) => this.#fail(error),
      );
    } catch (error) {
      // An uploader that can't be made, for want of an endpoint or so.
      this.refuse(error as UploadError);
    }
  }

  /** Begins it again after it was cancelled; before it was ever begun it waits again. */
  undo(): void {
    if (this.wasBegun) {
      this.run();
      return;
    }
    this.state = 'ready';
    this.#changed();
  }

  /** Pauses it, or lets it go on. */
  togglePause(): void {
    if (this.isCancelling || !this.upload) return;
    const isPaused = this.state === 'paused';
    this.state = isPaused ? 'running' : 'paused';
    if (isPaused) this.upload?.resume();
    else this.upload?.pause();
    this.#changed();
  }

  /** Ends it; it can be begun again. */
  cancel(): void {
    if (this.upload) this.isCancelling = true;
    else this.state = 'cancelled';
    this.upload?.cancel();
    this.#changed();
  }

  /** It is stored, now or since an earlier visit to the page. */
  store(result: UploadResult): void {
    this.result = result;
    this.state = 'stored';
    this.#changed();
  }

  /** It fails without an upload. */
  refuse(error: UploadError): void {
    this.#fail(error);
    this.#listener.refused(this, error);
  }

  #fail(error: UploadError): void {
    this.error = error;
    this.state = error.code === 'aborted' ? 'cancelled' : 'failed';
    this.#changed();
  }

  #changed(): void {
    this.row?.render();
    this.#listener.changed(this);
  }

  #follow(progress: Progress): void {
    const { phase, held, size } = progress;
    if (phase !== this.progress?.phase || held !== this.progress.held) this.retry = undefined;
    this.progress = progress;
    this.size = size;
    if (this.state === 'waiting') {
      this.state = 'running';
      this.#listener.changed(this);
    }
    this.row?.render();
    this.#listener.moved(this);
  }

  #again(retry: Retry): void {
    this.retry = retry;
    this.retries += 1;
    this.row?.render();
  }
}

/** The error of a file that has no upload. */
export function refusal(code: ErrorCode, message: string, more?: object, cause?: unknown): UploadError {
  return new UploadError({ message, code, retryable: false, status: 0, remains: 'nothing', ...more }, cause);
}
