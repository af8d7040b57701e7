// What is kept of unfinished uploads for later visits: IndexedDB, and one Web Lock for each upload.
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';

/** What is kept of one upload. It holds the upload token: whoever can run scripts here can use it. */
export interface Kept {
  id: string;
  /** The API that began it. */
  endpoint: string;
  /** Tells its file from others. */
  fingerprint: string;
  name: string;
  size: number;
  type: string;
  confirmedBytes: number;
  startedAt: number;
  expiresAt: number;
  handle?: FileSystemFileHandle;
  /** What the engine needs to go on; nobody else looks into it, but for these two. */
  record: EngineRecord;
}

export interface EngineRecord {
  expiresInSeconds: number;
  /** Nobody wants the upload any more; only its removal is missing. */
  discard: boolean;
}

interface Schema extends DBSchema {
  uploads: { key: string; value: Kept; indexes: { endpoint: string } };
}

/** How long the database may take to open, in milliseconds: no upload waits for a browser's broken one. */
const OPEN_MS = 3_000;

/** The uploads that were begun with one API. */
export class Records {
  readonly #database: IDBPDatabase<Schema>;
  readonly #endpoint: string;

  private constructor(database: IDBPDatabase<Schema>, endpoint: string) {
    this.#database = database;
    this.#endpoint = endpoint;
  }

  /** Nothing where a browser keeps nothing, or where tabs could not keep out of each other's way. */
  static async open(endpoint: string): Promise<Records | undefined> {
    if (!globalThis.indexedDB || !globalThis.navigator?.locks) return undefined;
    const opened = openDB<Schema>('directput', 1, {
      upgrade(fresh) {
        fresh.createObjectStore('uploads', { keyPath: 'id' }).createIndex('endpoint', 'endpoint');
      },
    });
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, OPEN_MS));
    try {
      const database = await Promise.race([opened, late]);
      return database && new Records(database, endpoint);
    } catch {
      // Private windows of some browsers, and full disks.
      return undefined;
    }
  }

  all(): Promise<Kept[]> {
    return this.#database.getAllFromIndex('uploads', 'endpoint', this.#endpoint);
  }

  get(id: string): Promise<Kept | undefined> {
    return this.#database.get('uploads', id);
  }

  /** Uploads of files of this size that can be gone on with, those that came furthest first. */
  async ofSize(size: number): Promise<Kept[]> {
    const all = (await this.all()).filter((kept) => kept.size === size && isResumable(kept));
    return all.sort((one, other) => other.confirmedBytes - one.confirmedBytes);
  }

  async put(kept: Kept): Promise<void> {
    await this.#database.put('uploads', kept);
  }

  async delete(id: string): Promise<void> {
    await this.#database.delete('uploads', id);
  }
}

export function isResumable(kept: Kept): boolean {
  return !kept.record.discard && kept.expiresAt > Date.now();
}

const lockName = (id: string): string => `directput:${id}`;

/** Takes the upload for this tab, until what is returned is called; nothing if another tab has it. */
export function take(id: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(lockName(id), { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(undefined);
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}

/** Says which uploads some tab has. */
export async function taken(): Promise<(id: string) => boolean> {
  const { held = [] } = await navigator.locks.query();
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
  navigator.locks.request(lockName(id), { mode: 'shared' }, () => {}).then(free, () => {});
}
