// One Web Lock per upload, so that no two tabs run the same upload.
import { LOCK_MS, within } from '../limits.js';

const lockName = (id: string): string => `directput:${id}`;

/**
 * Locks an upload for this tab. Resolves to a function that releases the lock, or to undefined if another tab holds the
 * lock. Rejects after `LOCK_MS`.
 */
export function take(id: string): Promise<(() => void) | undefined> {
  let isLate = false;
  const taken = new Promise<(() => void) | undefined>((resolve, reject) => {
    navigator.locks
      .request(lockName(id), { ifAvailable: true }, (lock) => {
        if (!lock || isLate) return resolve(undefined);
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
  return within(LOCK_MS, taken).catch((error) => {
    isLate = true;
    throw error;
  });
}

/** Resolves to a function that returns whether any tab held the lock of an upload at the time of this call. */
export async function taken(): Promise<(id: string) => boolean> {
  const { held = [] } = await within(LOCK_MS, navigator.locks.query());
  const names = new Set(held.map((lock) => lock.name));
  return (id) => names.has(lockName(id));
}

const awaited = new Set<string>();

/** Calls `call` once no tab holds the lock: the tab was closed, or has ended or released the upload. */
export function whenFree(id: string, call: () => void): void {
  if (awaited.has(id)) return;
  awaited.add(id);
  const free = (): void => {
    awaited.delete(id);
    call();
  };
  // Shared, so that several waiting tabs do not block each other.
  navigator.locks.request(lockName(id), { mode: 'shared' }, () => {}).then(free, () => awaited.delete(id));
}
