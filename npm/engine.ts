// What runs in the worker, or in the page where no worker can start: the Wasm module and its uploads.
import init, { Uploader as WasmUploader } from '../target/wasm/directput.js';
import type { PlainError } from './errors.js';
import type { Progress, Retry, UploaderOptions, UploadResult } from './types.js';

/** The options of an upload that can be sent to a worker. */
export interface PlainOptions {
  name?: string;
  type?: string;
}

/** How an upload ended; errors lose their members on the way out of a worker, so they go as data. */
export type Outcome = { ok: true; result: UploadResult } | { ok: false; error: PlainError };

export class Engine {
  #uploader: WasmUploader | undefined;
  readonly #running = new Map<number, AbortController>();

  /** Loads the module. Until this has succeeded the engine is not used. */
  async open(options: UploaderOptions): Promise<void> {
    await init();
    this.#uploader = new WasmUploader(options);
  }

  async upload(
    id: number,
    file: Blob,
    options: PlainOptions,
    onProgress: (progress: Progress) => void,
    onRetry: (retry: Retry) => void,
  ): Promise<Outcome> {
    if (!this.#uploader) throw new Error('the engine is not open');
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      const signal = controller.signal;
      const result = await this.#uploader.upload(file, { ...options, onProgress, onRetry, signal });
      return { ok: true, result };
    } catch (error) {
      const { message, code, retryable, status, requestId } = error as PlainError;
      return { ok: false, error: { message, code, retryable, status, ...(requestId && { requestId }) } };
    } finally {
      this.#running.delete(id);
    }
  }

  abort(id: number): void {
    this.#running.get(id)?.abort();
  }
}
