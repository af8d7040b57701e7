// Keeps the record of one upload up to date while the upload runs, so that a later visit can resume it.
import { localError } from '../errors.js';
import type { Metadata } from '../types.js';
import { take } from './locks.js';
import { type EngineRecord, isResumable, type Kept, type Records } from './records.js';

/** The facts about a file that a record holds besides its size. */
export interface About extends Metadata {
  handle?: FileSystemFileHandle;
}

/** Minimum time between two writes of the number of confirmed bytes, in milliseconds. */
const NOTE_EVERY_MS = 2_000;

/** The promise of a file's fingerprints: see `fingerprints`. */
export type Printing = Promise<[now: string, before: string]>;

export const isPrintOf = (prints: string[], { fingerprint }: Kept): boolean => prints.includes(fingerprint);

/** Keeps the record of an upload. Holds the lock until `close`, so no other tab uses the record. */
export class Keeper {
  /**
   * The module's latest record. Until the module gives the first one: the record of the earlier visit, or undefined for
   * a new upload.
   */
  record: EngineRecord | undefined;
  /** Whether the record is on disk and the upload can be resumed with it. */
  isKept: boolean;
  /** Called when `isKept` has changed. */
  changed: () => void = () => {};
  readonly #records: Records;
  readonly #release: () => void;
  readonly #printing: Printing | undefined;
  #kept: Kept;
  #writing: Promise<void> = Promise.resolve();
  #notedAt = 0;

  private constructor(records: Records, release: () => void, kept: Kept, printing?: Printing) {
    this.#records = records;
    this.#release = release;
    this.#kept = kept;
    this.#printing = printing;
    this.isKept = !printing;
    this.record = printing ? undefined : kept.record;
  }

  /**
   * Locks an upload of an earlier visit. Rejects with `in-use` if another tab holds the lock, with `upload-gone` if the
   * upload can no longer be resumed, and if the store fails.
   */
  static async of(records: Records, id: string): Promise<Keeper> {
    const release = await take(id);
    if (!release) throw localError('in-use', undefined, undefined, { remains: 'parts', resumeId: id });
    // Read after locking, because another tab may have ended the upload.
    const kept = await records.get(id).catch((error) => {
      release();
      throw error;
    });
    if (kept && isResumable(kept)) return new Keeper(records, release, kept);
    release();
    throw localError('upload-gone');
  }

  /**
   * Locks the earlier upload that fits a file best, and leaves out those in `refused`. If no upload fits, creates a
   * record. Rejects if the store fails or the file can't be read.
   */
  static async for(
    records: Records,
    file: Blob,
    { name = (file as File).name ?? '', type = file.type, handle }: About,
    printing: Printing,
    refused: string[],
  ): Promise<Keeper> {
    const { size, lastModified: modified } = file as File;
    const fits = (kept: Kept): boolean => kept.size === size && isResumable(kept) && !refused.includes(kept.id);
    const found = (await records.all()).filter(fits);
    // Does not wait for the fingerprints if there is no upload to compare them with.
    const prints = found.length > 0 ? await printing : [];
    const isSame = (kept: Kept): number => Number(kept.name === name && kept.modified === modified);
    const alike = found
      .filter((kept) => isPrintOf(prints, kept))
      .sort((one, other) => isSame(other) - isSame(one) || other.confirmedBytes - one.confirmedBytes);
    for (const { id } of alike) {
      const keeper = await Keeper.of(records, id).catch(() => undefined);
      if (keeper) return keeper.with(handle);
    }
    const { endpoint, caller } = records;
    const [id, now] = [crypto.randomUUID(), Date.now()];
    const release = await take(id);
    if (!release) throw localError('in-use');
    // Placeholders: fingerprint and record are replaced before the first write.
    const record = { expiresInSeconds: 0, discard: false };
    const facts = { id, endpoint, caller, fingerprint: '', name, size, type, modified };
    const kept = { ...facts, confirmedBytes: 0, startedAt: now, expiresAt: now, record };
    return new Keeper(records, release, kept, printing).with(handle);
  }

  get id(): string {
    return this.#kept.id;
  }

  /** Returns whether the upload may have started with this file. */
  isOf(file: Blob, prints: string[]): boolean {
    return file.size === this.#kept.size && isPrintOf(prints, this.#kept);
  }

  with(handle: FileSystemFileHandle | undefined): this {
    if (handle) this.#kept.handle = handle;
    return this;
  }

  /** Writes the module's new record to disk, or deletes the record if it is null. */
  take(record: EngineRecord | null): void {
    const isFirst = !this.record;
    this.record = record ?? undefined;
    if (record) {
      const expiresAt = isFirst ? Date.now() + record.expiresInSeconds * 1_000 : this.#kept.expiresAt;
      this.#kept = { ...this.#kept, record, expiresAt };
    }
    this.#write();
  }

  /** Writes the number of confirmed bytes to disk, at most every `NOTE_EVERY_MS`. */
  note(confirmedBytes: number): void {
    if (!this.record || confirmedBytes <= this.#kept.confirmedBytes || Date.now() < this.#notedAt + NOTE_EVERY_MS)
      return;
    this.#notedAt = Date.now();
    this.#kept = { ...this.#kept, confirmedBytes };
    this.#write();
  }

  /** Waits for all writes. Resolves to whether a later visit will find the upload. */
  async isFound(): Promise<boolean> {
    await this.#writing;
    const kept = await this.#records.get(this.id).catch(() => undefined);
    return kept !== undefined && isResumable(kept);
  }

  /** Waits for all writes, then releases the lock. */
  async close(): Promise<void> {
    await this.#writing;
    this.#release();
  }

  /** Queues a write. Writes run one after the other, so that the latest record is the last one written. */
  #write(): void {
    const [kept, record] = [this.#kept, this.record];
    this.#writing = this.#writing.then(async () => {
      const wasKept = this.isKept;
      try {
        const fingerprint = (await this.#printing)?.[0] ?? kept.fingerprint;
        await (record ? this.#records.put({ ...kept, fingerprint }) : this.#records.delete(kept.id));
        this.isKept = record !== undefined && !record.discard;
      } catch {
        this.isKept = false;
      }
      if (this.isKept !== wasKept) this.changed();
    });
  }
}
