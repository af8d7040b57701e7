// What is written down of one upload while it is under way, so that a later visit can go on with it.
import { localError } from '../errors.js';
import type { Metadata } from '../types.js';
import { take } from './locks.js';
import { type EngineRecord, isResumable, type Kept, type Records } from './records.js';

/** What a record holds of a file besides its size. */
export interface About extends Metadata {
  handle?: FileSystemFileHandle;
}

/** How often what S3 has confirmed is written down, in milliseconds. */
const NOTE_EVERY_MS = 2_000;

/** The prints of a file, on their way: see `fingerprints`. */
export type Printing = Promise<[now: string, before: string]>;

export const isPrintOf = (prints: string[], { fingerprint }: Kept): boolean => prints.includes(fingerprint);

/** Keeps the record of an upload that is this tab's. */
export class Keeper {
  /** What the module said last; before that what an earlier visit has left, or nothing. */
  record: EngineRecord | undefined;
  /** Whether that is written down. */
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

  /** Takes an upload of an earlier visit. Rejects with `in-use` or `upload-gone`, and if the store fails. */
  static async of(records: Records, id: string): Promise<Keeper> {
    const release = await take(id);
    if (!release) throw localError('in-use', undefined, undefined, { remains: 'parts', resumeId: id });
    // Another tab may have ended it meanwhile.
    const kept = await records.get(id).catch((error) => {
      release();
      throw error;
    });
    if (kept && isResumable(kept)) return new Keeper(records, release, kept);
    release();
    throw localError('upload-gone');
  }

  /**
   * Takes the earlier upload that fits a file best, except those that refused it; otherwise
   * begins a record. Rejects if the store or the file fails.
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
    // The file is read for nothing if there is nothing to go on with.
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
    // The fingerprint is replaced before it is written, as the module's record is.
    const record = { expiresInSeconds: 0, discard: false };
    const facts = { id, endpoint, caller, fingerprint: '', name, size, type, modified };
    const kept = { ...facts, confirmedBytes: 0, startedAt: now, expiresAt: now, record };
    return new Keeper(records, release, kept, printing).with(handle);
  }

  get id(): string {
    return this.#kept.id;
  }

  /** Whether a file may be the one that the upload began with. */
  isOf(file: Blob, prints: string[]): boolean {
    return file.size === this.#kept.size && isPrintOf(prints, this.#kept);
  }

  with(handle: FileSystemFileHandle | undefined): this {
    if (handle) this.#kept.handle = handle;
    return this;
  }

  /** Takes what the module gives out to be kept: a record, or nothing once there is nothing to keep. */
  take(record: EngineRecord | null): void {
    const isFirst = !this.record;
    this.record = record ?? undefined;
    if (record) {
      const expiresAt = isFirst ? Date.now() + record.expiresInSeconds * 1_000 : this.#kept.expiresAt;
      this.#kept = { ...this.#kept, record, expiresAt };
    }
    this.#write();
  }

  /** Writes down from time to time what S3 has confirmed. */
  note(confirmedBytes: number): void {
    if (!this.record || confirmedBytes <= this.#kept.confirmedBytes || Date.now() < this.#notedAt + NOTE_EVERY_MS)
      return;
    this.#notedAt = Date.now();
    this.#kept = { ...this.#kept, confirmedBytes };
    this.#write();
  }

  /** Whether a later visit will find the upload, once all is written. */
  async isFound(): Promise<boolean> {
    await this.#writing;
    const kept = await this.#records.get(this.id).catch(() => undefined);
    return kept !== undefined && isResumable(kept);
  }

  /** Lets go of the upload once its last word is written. */
  async close(): Promise<void> {
    await this.#writing;
    this.#release();
  }

  /** One after the other: the last word must be the last one written. */
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
