// All transfers of `<direct-put>`: their list, what is true of them together, and what is said of them aloud.
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

/** So many uploads begin in one task. */
const AT_ONCE = 20;

/** All is shown no sooner after the last time, in milliseconds. */
const SHOW_EVERY_MS = 200;

/** What is to be uploaded, and how that begins. */
export interface Begun extends Facts {
  /** Absent for what is stored already. */
  begin?(options: UploadOptions): Upload;
}

/** What the element does with its transfers. */
export interface Owner {
  readonly language: Language;
  /** The element itself. */
  readonly put: HTMLElement;
  /** Dispatches an event of the element. */
  tell(type: string, detail: object, transfer: Transfer): void;
  /** Some have changed. Whether one that is stored has come or gone is `isOther`. */
  summedUp(changes: readonly Transfer[], isOther: boolean): void;
  /** Why one may not begin, if there are too many. */
  refusal(): UploadError | undefined;
  /** The row of an upload is gone. */
  released(upload: Upload): void;
  /** Takes the focus of what is gone. */
  focus(): void;
}

export class Transfers implements Acts, Host, Listener {
  readonly totals = new Totals();
  readonly rows: Rows = new Rows(this);
  readonly overview = new Overview(this);
  readonly speaker = new Speaker();
  /** What shows details, once it is loaded. */
  loaded: Details | undefined;
  readonly #owner: Owner;
  /** Which one an upload is of. */
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

  get isShort(): boolean {
    return this.all.length < 4;
  }

  copied(): void {
    this.speaker.say('copied', this.language.labels.copied);
  }

  get all(): readonly Transfer[] {
    return this.rows.all;
  }

  /** The one that an upload is of, if it is on the list. */
  of(upload: Upload): Transfer | undefined {
    return this.#byUpload.get(upload);
  }

  /** Puts some on the list, and does something with each; those before it count by then. */
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

  retryAll(): void {
    for (const transfer of this.all) if (transfer.canRetry) transfer.run();
  }

  cancelAll(): void {
    for (const transfer of this.all) if (transfer.isUnderWay) transfer.cancel();
  }

  clearFinished(): void {
    this.remove(this.all.filter(({ state }) => state === 'stored' || state === 'cancelled'));
  }

  /** Takes the focus of what is gone. */
  focus(): void {
    this.#owner.focus();
  }

  /** Takes some off the list. */
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

  /** Shows all of it anew. */
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

  /** What is done for one does not grow with their number. */
  changed(transfer: Transfer): void {
    if (this.totals.has(transfer)) this.#count(transfer);
  }

  moved(transfer: Transfer): void {
    if (!this.totals.has(transfer)) return;
    this.totals.count(transfer);
    // With many uploads, each quarter of each would be too much to hear.
    if (this.all.length === 1) this.speaker.progress(transfer, this.language.labels);
    if (this.#owner.put.hasAttribute('total')) this.#show();
  }

  #count(transfer: Transfer): void {
    if (this.totals.count(transfer)) this.#isOther = true;
    this.#changes.add(transfer);
    this.#plan();
  }

  #show(): void {
    this.#showing ??= setTimeout(() => this.render(), SHOW_EVERY_MS);
  }

  /** A thousand change in one task, and what is said of all is said once. */
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
    // What happens to a few is shown at once, as a click is.
    if (this.rows.isLong) this.#show();
    else this.render();
    const summary = this.all.length > 1 ? this.overview.words(labels, this.totals) : null;
    for (const transfer of changes) this.speaker.end(transfer, labels, summary);
    this.#owner.summedUp(changes, isOther);
  }
}
