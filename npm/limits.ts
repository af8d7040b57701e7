// Maximum times that directput waits for the browser: for its storage, a worker, a file.

/** Maximum time for the worker's script to load, in milliseconds. After that the host runs in the page. */
export const WORKER_START_MS = 10_000;

/**
 * Maximum time to load the Wasm module, and maximum time for the host to open it, in milliseconds. The module's 54 kB
 * take 9 s at 50 kbit/s.
 */
export const MODULE_MS = 60_000;

/** Time between two pings to a worker while a call is pending, in milliseconds. */
export const PING_EVERY_MS = 5_000;

/**
 * Number of pings in a row after which a worker that answers none of them counts as lost. This is a count, not a time,
 * because computers may sleep.
 */
export const MISSED_PINGS = 6;

/** Maximum time for the host to accept a cancel or close command, in milliseconds. */
export const CANCEL_MS = 2_000;

/**
 * Maximum time for all uploads to end when their uploader is closed, in milliseconds, including the removal of parts.
 */
export const CLOSE_MS = 5_000;

/** Maximum time for one call of IndexedDB, in milliseconds. */
export const STORE_MS = 3_000;

/** Maximum time for the browser to grant or refuse a Web Lock, in milliseconds. */
export const LOCK_MS = 3_000;

/** Maximum time to read the three samples for a file's fingerprint, in milliseconds. */
export const SAMPLES_MS = 10_000;

/** Resolves as the promise does; rejects with `error` after `ms` milliseconds. */
export async function within<T>(
  ms: number,
  promise: Promise<T>,
  error: Error = new Error(`timeout: ${ms} ms`),
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
