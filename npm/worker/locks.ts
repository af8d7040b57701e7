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

/** Says which uploads some tab has. */
export async function taken(): Promise<(id: string) => boolean> {
  const { held = [] } = await within(LOCK_MS, navigator.locks.query());
  const names = new Set(held.map((lock) => lock.name));
  return (id) => names.has(lockName(id));
}

const awaited = new Set<string>();

/** Calls back once no tab has the upload any more: one that was closed, or has ended it or left it. */
export function whenFree(id: string, call: () => void): void {
  if (awaited.has(id)) return;
  awaited.add(id);
  const free = (): void => {
    awaited.delete(id);
    call();
  };
  // Shared, so that those who wait are not in each other's way.
  navigator.locks.request(lockName(id), { mode: 'shared' }, () => {}).then(free, () => awaited.delete(id));
}
