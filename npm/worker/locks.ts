// One Web Lock for each upload, so that tabs keep out of each other's way.
import { LOCK_MS, within } from '../limits.js';

const lockName = (id: string): string => `directput:${id}`;

/** Takes the upload for this tab, until what is returned is called; nothing if another tab has it. */
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

/** Returns which uploads any tab has. */
export async function taken(): Promise<(id: string) => boolean> {
  const { held = [] } = await within(LOCK_MS, navigator.locks.query());
  const names = new Set(held.map((lock) => lock.name));
  return (id) => names.has(lockName(id));
}

const awaited = new Set<string>();

/** Calls back once no tab has the upload: its tab was closed, or has ended or left the upload. */
export function whenFree(id: string, call: () => void): void {
  if (awaited.has(id)) return;
  awaited.add(id);
  const free = (): void => {
    awaited.delete(id);
    call();
  };
  // Shared, so that tabs that wait do not block each other.
  navigator.locks.request(lockName(id), { mode: 'shared' }, () => {}).then(free, () => awaited.delete(id));
}
