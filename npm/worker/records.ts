// What is written down of unfinished uploads for later visits, in IndexedDB. Each call may fail; the next one opens the
// database again, which may have been cleared or closed meanwhile.
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import { STORE_MS, within } from '../limits.js';

/** What is kept of one upload. It holds the upload token: a script of this origin can use it. */
export interface Kept {
  id: string;
  /** The API that began it. */
  endpoint: string;
  /** The caller that began it; records of older versions have none. */
  caller?: string;
  /** Tells its file from others. */
  fingerprint: string;
  name: string;
  size: number;
  type: string;
  /** When the file was changed last; records of older versions have none. */
  modified?: number | undefined;
  confirmedBytes: number;
  startedAt: number;
  expiresAt: number;
  handle?: FileSystemFileHandle;
  /** What the module needs to resume it. JavaScript reads only these two. */
  record: EngineRecord;
}

export interface EngineRecord {
  expiresInSeconds: number;
  /** The upload is no longer wanted; only its removal is missing. */
  discard: boolean;
}

interface Schema extends DBSchema {
  uploads: { key: string; value: Kept; indexes: { endpoint: string } };
}

type Mode = 'readonly' | 'readwrite';

type Transaction<M extends Mode> = IDBPTransaction<Schema, ['uploads'], M>;

/** The uploads that one caller has begun with one API. */
export class Records {
  readonly endpoint: string;
  readonly caller: string;
  #opening: Promise<IDBPDatabase<Schema>> | undefined;

  constructor(endpoint: string, caller: string) {
    this.endpoint = endpoint;
    this.caller = caller;
  }

  async all(): Promise<Kept[]> {
    return (await this.#ofEndpoint()).filter((kept) => this.#isOwn(kept));
  }

  async get(id: string): Promise<Kept | undefined> {
    const kept = await this.#request('readonly', ({ store }) => store.get(id));
    return kept && this.#isOwn(kept) ? kept : undefined;
  }

  /** Resolves when it is on disk. */
  async put(kept: Kept): Promise<void> {
    await this.#request('readwrite', ({ store }) => store.put(kept));
  }

  async delete(id: string): Promise<void> {
    await this.#request('readwrite', ({ store }) => store.delete(id));
  }

  /** Returns those that are too old to be resumed, of any caller. */
  async expired(): Promise<Kept[]> {
    return (await this.#ofEndpoint()).filter(({ expiresAt }) => expiresAt <= Date.now());
  }

  #ofEndpoint(): Promise<Kept[]> {
    return this.#request('readonly', ({ store }) => store.index('endpoint').getAll(this.endpoint));
  }

  #isOwn({ endpoint, caller = '' }: Kept): boolean {
    return endpoint === this.endpoint && caller === this.caller;
  }

  async #request<M extends Mode, T>(mode: M, ask: (transaction: Transaction<M>) => Promise<T>): Promise<T> {
    try {
      return await within(STORE_MS, this.#transact(mode, ask));
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  async #transact<M extends Mode, T>(mode: M, ask: (transaction: Transaction<M>) => Promise<T>): Promise<T> {
    const begin = async (): Promise<Transaction<M>> => {
      this.#opening ??= open(() => this.#close());
      return (await this.#opening).transaction(['uploads'], mode);
    };
    // A lost connection is noticed only now.
    const transaction = await begin().catch(() => {
      this.#close();
      return begin();
    });
    const asked = (async () => ask(transaction))();
    // A full disk fails the transaction after its request has succeeded.
    const [answer] = await Promise.all([asked, transaction.done]);
    return answer;
  }

  #close(): void {
    this.#opening?.then(
      (database) => database.close(),
      () => {},
    );
    this.#opening = undefined;
  }
}

/** Opens the database; what browsers throw at once is a rejection, too. */
async function open(lost: () => void): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>('directput', 1, {
    upgrade: (fresh) => fresh.createObjectStore('uploads', { keyPath: 'id' }).createIndex('endpoint', 'endpoint'),
    terminated: lost,
    // Site data is cleared, which an open connection would hold up.
    blocking: lost,
  });
}

export function isResumable(kept: Kept): boolean {
  return !kept.record.discard && kept.expiresAt > Date.now();
}
