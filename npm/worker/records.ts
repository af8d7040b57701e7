// Records of unfinished uploads for later visits, in IndexedDB. Each call may fail, because the browser may clear or
// close the database at any time. The next call opens the database again.
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import { STORE_MS, within } from '../limits.js';

/** The record of one upload. Contains the upload token, which any script of this origin can read and use. */
export interface Kept {
  id: string;
  /** The address of the API that started the upload. */
  endpoint: string;
  /** The option `caller` of the uploader; records of older versions have none. */
  caller?: string;
  /** Fingerprint of the file: see `fingerprints`. */
  fingerprint: string;
  name: string;
  size: number;
  type: string;
  /** The file's `lastModified`, in milliseconds since 1970; records of older versions have none. */
  modified?: number | undefined;
  confirmedBytes: number;
  /** Start of the upload, in milliseconds since 1970. */
  startedAt: number;
  /** Time until which the upload can be resumed, in milliseconds since 1970. */
  expiresAt: number;
  handle?: FileSystemFileHandle;
  /** The data that the Wasm module needs to resume the upload. JavaScript reads only the two members below. */
  record: EngineRecord;
}

export interface EngineRecord {
  expiresInSeconds: number;
  /** Whether the upload was cancelled or forgotten, and its parts in S3 are still to be removed. */
  discard: boolean;
}

interface Schema extends DBSchema {
  uploads: { key: string; value: Kept; indexes: { endpoint: string } };
}

type Mode = 'readonly' | 'readwrite';

type Transaction<M extends Mode> = IDBPTransaction<Schema, ['uploads'], M>;

/** The records of one caller and one API. */
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

  /** Resolves when the record is on disk. */
  async put(kept: Kept): Promise<void> {
    await this.#request('readwrite', ({ store }) => store.put(kept));
  }

  async delete(id: string): Promise<void> {
    await this.#request('readwrite', ({ store }) => store.delete(id));
  }

  /** Returns the records of this API, of any caller, that are too old to be resumed. */
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
    // A lost connection to the database fails only when a transaction starts. The database is then opened again.
    const transaction = await begin().catch(() => {
      this.#close();
      return begin();
    });
    const asked = (async () => ask(transaction))();
    // Waits for both: on a full disk the request succeeds and the transaction fails.
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

/** Opens the database. `async`, so that errors that browsers throw synchronously become rejections. */
async function open(lost: () => void): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>('directput', 1, {
    upgrade: (fresh) => fresh.createObjectStore('uploads', { keyPath: 'id' }).createIndex('endpoint', 'endpoint'),
    terminated: lost,
    // Another tab deletes or upgrades the database, or the user clears site data. An open connection would block that.
    blocking: lost,
  });
}

export function isResumable(kept: Kept): boolean {
  return !kept.record.discard && kept.expiresAt > Date.now();
}
