// How long directput waits for what is not its own: a browser's store, a worker, a file. All limits are here.

/** For the worker's script, in milliseconds; after that the page does the work. */
export const WORKER_START_MS = 10_000;

/** For the Wasm module, and for the worker to open it, in milliseconds: 54 kB take 9 s at 50 kbit/s. */
export const MODULE_MS = 60_000;

/** Between two questions to a worker that owes an answer, in milliseconds. */
export const PING_EVERY_MS = 5_000;

/** A worker that has left this number of questions in a row unanswered is lost. Counted, since machines sleep. */
export const MISSED_PINGS = 6;

/** For the worker to confirm a cancellation, in milliseconds. */
export const CANCEL_MS = 2_000;

/** For all uploads to end when their uploader is closed, in milliseconds; what is not kept is removed meanwhile. */
export const CLOSE_MS = 5_000;

/** For one call of IndexedDB, in milliseconds. */
export const STORE_MS = 3_000;

/** For the browser to grant or refuse a Web Lock, in milliseconds. */
export const LOCK_MS = 3_000;

/** For the three samples of a file that its fingerprint needs, in milliseconds. */
export const SAMPLES_MS = 10_000;

/** What the promise resolves to; rejects with the error if that takes longer than the limit. */
export async function within<T>(
  ms: number,
  promise: Promise<T>,
  error: Error = new Error(`no answer within ${ms} ms`),
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, ms, error);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
