// One file in `<direct-put>`: its upload and its state. A `Row` shows it while it is in view.
import { isHopeless } from '../hopeless.js';
import { UploadError } from '../index.js';
import type { ErrorCode, Progress, Retry, Upload, UploadOptions, UploadResult } from '../types.js';
import type { Row } from './row.js';

export type State = 'ready' | 'waiting' | 'running' | 'paused' | 'stored' | 'failed' | 'cancelled';

const UNDER_WAY: readonly State[] = ['waiting', 'running', 'paused'];

/** The name, size and place of a file. */
export interface Facts {
  name: string;
  size: number;
  file?: Blob | undefined;
  /** The path in the folder that the user handed over; empty without a folder. */
  path?: string | undefined;
}

/** Callbacks of a transfer. */
export interface Listener {
  /** Queues the start of a transfer: calls `go` when it is its turn. */
  waits(go: () => void): void;
  /** Returns an error if there are more transfers than `max-files`. */
  refusal(): UploadError | undefined;
  /** Called when the upload of a transfer has started. */
  begun(transfer: Transfer, upload: Upload): void;
  /** Called when the state of a transfer has changed. */
  changed(transfer: Transfer): void;
  /** Called when a transfer has made progress. */
  moved(transfer: Transfer): void;
  /** Called when a transfer has failed before it had an upload. */
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
  /** The last retry, until the phase or the reason to wait changes. */
  retry: Retry | undefined;
  #retryAt = 0;
  /** Number of retries. */
  retries = 0;
  result: UploadResult | undefined;
  error: UploadError | undefined;
  /** Whether `run` was ever called. */
  wasBegun = false;
  /** Whether it was cancelled, and the cancellation is not confirmed yet. */
  isCancelling = false;
  /** The progress that was last announced to screen readers, in quarters. */
  said = 0;
  /** The row that shows the transfer; undefined while it is out of view. */
  row: Row | undefined;
  /** Whether the row shows details. */
  isOpen = false;
  /** Last measured height of the row in CSS pixels; 0 if it was never measured. */
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

  /** Fraction of the bytes that were sent, from 0 to 1. */
  get share(): number {
    if (this.state === 'stored') return 1;
    const { size, sentBytes, phase } = this.progress ?? { size: 0, sentBytes: 0, phase: 'hash' };
    return size === 0 ? Number(phase === 'done') : sentBytes / size;
  }

  get isUnderWay(): boolean {
    return UNDER_WAY.includes(this.state);
  }

  /** Whether it has failed and a retry may succeed. */
  get canRetry(): boolean {
    return this.state === 'failed' && !isHopeless(this.error);
  }

  /** Time until the last retry, in milliseconds; 0 after it. */
  get waitMs(): number {
    return Math.max(0, this.#retryAt - Date.now());
  }

  /** Starts the upload, or starts it again. */
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
    // The user may have paused it, cancelled it, or cancelled and restarted it, before its turn.
    if (!this.isUnderWay || this.upload) return;
    try {
      const upload = this.#begin({
        onProgress: (progress) => this.#follow(progress),
        onRetry: (retry) => this.#again(retry),
      });
      this.upload = upload;
      if (this.state === 'paused') upload.pause();
      this.#listener.begun(this, upload);
      upload.then(
        (result) => this.store(result),
        (error: UploadError) => this.#fail(error),
      );
    } catch (error) {
      // The uploader can't be made, for example because the endpoint is missing.
      this.refuse(error as UploadError);
    }
  }

  /** Undoes a cancellation: starts the upload again, or waits for the start button if it had never started. */
  undo(): void {
    if (this.wasBegun) {
      this.run();
      return;
    }
    this.state = 'ready';
    this.#changed();
  }

  /** Pauses the upload, or resumes a paused one. */
  togglePause(): void {
    if (this.isCancelling) return;
    const isPaused = this.state === 'paused';
    this.state = !isPaused ? 'paused' : this.progress ? 'running' : 'waiting';
    if (isPaused) this.upload?.resume();
    else this.upload?.pause();
    this.#changed();
  }

  /** Cancels the upload. The user can start it again. */
  cancel(): void {
    if (this.upload) this.isCancelling = true;
    else this.state = 'cancelled';
    this.upload?.cancel();
    this.#changed();
  }

  /** Marks the file as stored, now or during an earlier visit to the page. */
  store(result: UploadResult): void {
    this.result = result;
    this.state = 'stored';
    this.#changed();
  }

  /** Fails the transfer before it has an upload. */
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
    // The retry after which the upload waits for a busy server is the reason of that wait.
    const isOther = held !== this.progress?.held && held !== 'busy';
    if (phase !== this.progress?.phase || isOther) this.retry = undefined;
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
    this.#retryAt = Date.now() + retry.waitMs;
    this.retries += 1;
    this.row?.render();
  }
}

/** Returns the error of a file that has no upload. */
export function refusal(code: ErrorCode, message: string, more?: object, cause?: unknown): UploadError {
  return new UploadError({ message, code, retryable: false, status: 0, remains: 'nothing', ...more }, cause);
}
