// All transfers of `<direct-put>`: their rows, their totals, and their announcements to screen readers.
import type { UploadError } from '../errors.js';
import { Slices } from '../slices.js';
import type { Upload, UploadOptions } from '../types.js';
import type { Language } from './language.js';
import { type Acts, Overview } from './overview.js';
import type { Details, Host } from './row.js';
import { Rows } from './rows.js';
import { Speaker } from './speaker.js';
import { Totals } from './totals.js';
import { type Facts, type Listener, Transfer } from './transfer.js';

/** Number of uploads started in one task. */
const AT_ONCE = 20;

/** Minimum time between renderings of the overview of a long list, and of the total progress, in milliseconds. */
const SHOW_EVERY_MS = 200;

/** A file, and a function that starts its upload. */
export interface Begun extends Facts {
  /** Absent for files that are stored already. */
  begin?(options: UploadOptions): Upload;
}

/** The element that owns the transfers. */
export interface Owner {
  readonly language: Language;
  /** The element itself. */
  readonly put: HTMLElement;
  /** Dispatches an event of the element. */
  tell(type: string, detail: object, transfer: Transfer): void;
  /** Called after transfers have changed. `isOther`: whether the set of stored files has changed. */
  summedUp(changes: readonly Transfer[], isOther: boolean): void;
  /** Returns an error if there are more transfers than `max-files`. */
  refusal(): UploadError | undefined;
  /** Called when the row of an upload was removed. */
  released(upload: Upload): void;
  /** Moves the focus to the drop zone, after the focused control was removed. */
  focus(): void;
}

export class Transfers implements Acts, Host, Listener {
  readonly totals = new Totals();
  readonly rows: Rows = new Rows(this);
  readonly overview = new Overview(this);
  readonly speaker = new Speaker();
  /** The module behind the attribute `details`, once it is loaded. */
  loaded: Details | undefined;
  readonly #owner: Owner;
  /** The transfer of each upload. */
  readonly #byUpload = new WeakMap<Upload, Transfer>();
  readonly #begins = new Slices(AT_ONCE);
  #changes = new Set<Transfer>();
  #isOther = false;
  #isPlanned = false;
  #showing: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  get language(): Language {
    return this.#owner.language;
  }

  get details(): Details | undefined {
    return this.#owner.put.hasAttribute('details') ? this.loaded : undefined;
  }

  copied(): void {
    this.speaker.say('copied', this.language.labels.copied);
  }

  get all(): readonly Transfer[] {
    return this.rows.all;
  }

  /** Returns the transfer of an upload, if it is on the list. */
  of(upload: Upload): Transfer | undefined {
    return this.#byUpload.get(upload);
  }

  /** Adds transfers to the list, and calls `act` for each. The totals then include it and those before it. */
  add(begun: readonly Begun[], act: (transfer: Transfer, index: number) => void): void {
    const added = begun.map((facts) => new Transfer(this, facts, facts.begin));
    this.rows.add(added);
    for (const [index, transfer] of added.entries()) {
      this.#count(transfer);
      act(transfer, index);
    }
  }

  start(): void {
    for (const transfer of this.all) if (transfer.state === 'ready') transfer.run();
  }

  /** Pauses or resumes all transfers that are under way. */
  pauseAll(isPaused: boolean): void {
    for (const transfer of this.all) {
      if (transfer.isUnderWay && (transfer.state === 'paused') !== isPaused) transfer.togglePause();
    }
  }

  retryAll(): void {
    for (const transfer of this.all) if (transfer.canRetry) transfer.run();
  }

  cancelAll(): void {
    for (const transfer of this.all) if (transfer.isUnderWay) transfer.cancel();
  }

  clearFinished(): void {
    this.remove(this.all.filter(({ state }) => state === 'stored' || state === 'cancelled'));
  }

  /** Moves the focus to the drop zone, after the focused control was removed. */
  focus(): void {
    this.#owner.focus();
  }

  /** Removes transfers from the list, and cancels those that are under way. */
  remove(transfers: readonly Transfer[]): void {
    const gone = new Set(transfers);
    for (const transfer of gone) {
      if (transfer.isUnderWay) transfer.cancel();
      if (this.totals.drop(transfer)) this.#isOther = true;
      this.#changes.delete(transfer);
      const { upload } = transfer;
      if (!upload) continue;
      this.#byUpload.delete(upload);
      this.#owner.released(upload);
    }
    if (this.rows.remove(gone)) this.focus();
    this.#plan();
  }

  /** Renders the overview. */
  render(): void {
    clearTimeout(this.#showing);
    this.#showing = undefined;
    this.overview.render(this.#owner.put, this.language.labels, this.totals);
  }

  waits(go: () => void): void {
    this.#begins.do(go);
  }

  refusal(): UploadError | undefined {
    return this.#owner.refusal();
  }

  begun(transfer: Transfer, upload: Upload): void {
    this.#byUpload.set(upload, transfer);
    this.#owner.tell('start', { upload, file: transfer.file }, transfer);
  }

  refused(transfer: Transfer, error: UploadError): void {
    this.#owner.tell('failed', { upload: undefined, file: transfer.file, error }, transfer);
  }

  /** Updates totals and overview. The cost of one change does not grow with the number of transfers. */
  changed(transfer: Transfer): void {
    if (this.totals.has(transfer)) this.#count(transfer);
  }

  moved(transfer: Transfer): void {
    if (!this.totals.has(transfer)) return;
    this.totals.count(transfer);
    // With several uploads, announcing each quarter of each would be too much.
    if (this.all.length === 1) this.speaker.progress(transfer, this.language.labels);
    if (this.overview.isShown) this.#show();
  }

  #count(transfer: Transfer): void {
    if (this.totals.count(transfer)) this.#isOther = true;
    this.#changes.add(transfer);
    this.#plan();
  }

  #show(): void {
    this.#showing ??= setTimeout(() => this.render(), SHOW_EVERY_MS);
  }

  /** Sums up all changes of a task once, in a microtask. */
  #plan(): void {
    if (!this.#isPlanned) queueMicrotask(() => this.#sumUp());
    this.#isPlanned = true;
  }

  #sumUp(): void {
    this.#isPlanned = false;
    const changes = [...this.#changes];
    const isOther = this.#isOther;
    this.#changes.clear();
    this.#isOther = false;
    const { labels } = this.language;
    // A short list is rendered at once, so that clicks take effect without delay.
    if (this.rows.isLong) this.#show();
    else this.render();
    this.rows.sort();
    const summary = this.all.length > 1 ? this.overview.words(labels, this.totals) : null;
    for (const transfer of changes) this.speaker.end(transfer, labels, summary);
    this.#owner.summedUp(changes, isOther);
  }
}
