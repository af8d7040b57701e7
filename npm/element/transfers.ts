// All transfers of `<direct-put>`: their list, what is true of them together, and what is said of them aloud.
import type { UploadError } from '../errors.js';
import type { Upload, UploadOptions } from '../types.js';
import type { Language } from './language.js';
import { Overview } from './overview.js';
import type { Details } from './row.js';
import { Rows } from './rows.js';
import { Speaker } from './speaker.js';
import { Totals } from './totals.js';
import { type Facts, type Listener, Transfer } from './transfer.js';

/** So many uploads begin at once; the others give the page time to draw. */
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
  /** Tells who listens to the element. */
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

export class Transfers {
  readonly totals = new Totals();
  readonly rows: Rows;
  readonly overview: Overview;
  readonly speaker = new Speaker();
  /** What shows details, once it is loaded. */
  details: Details | undefined;
  readonly #owner: Owner;
  readonly #listener: Listener;
  /** Which one an upload is of. */
  readonly #byUpload = new WeakMap<Upload, Transfer>();
  #queue: (() => void)[] = [];
  #changes = new Set<Transfer>();
  #isOther = false;
  #isPlanned = false;
  #atOnce = 0;
  #showing: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: Owner) {
    this.#owner = owner;
    this.#listener = {
      waits: (go) => this.#begin(go),
      refusal: () => owner.refusal(),
      begun: (transfer, upload) => {
        this.#byUpload.set(upload, transfer);
        owner.tell('start', { upload, file: transfer.file }, transfer);
      },
      changed: (transfer) => this.#changed(transfer),
      moved: (transfer) => this.#moved(transfer),
      refused: (transfer, error) => {
        owner.tell('failed', { upload: undefined, file: transfer.file, error }, transfer);
      },
    };
    const self = this;
    this.rows = new Rows({
      language: owner.language,
      get details() {
        return owner.put.hasAttribute('details') ? self.details : undefined;
      },
      get isShort() {
        return self.all.length < 4;
      },
      remove: (transfer) => this.remove([transfer]),
      copied: () => this.speaker.say('copied', owner.language.labels.copied),
    });
    this.overview = new Overview({
      start: () => this.start(),
      retryAll: () => this.retryAll(),
      cancelAll: () => this.cancelAll(),
      clearFinished: () => this.clearFinished(),
      focus: () => owner.focus(),
    });
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
    const added = begun.map((facts) => new Transfer(this.#listener, facts, facts.begin));
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
    if (this.rows.remove(gone)) this.#owner.focus();
    this.#plan();
  }

  /** Shows all of it anew. */
  render(): void {
    clearTimeout(this.#showing);
    this.#showing = undefined;
    this.overview.render(this.#owner.put, this.#owner.language.labels, this.totals);
  }

  /** To begin thousands at once would take a second, in which the page does nothing else. */
  #begin(go: () => void): void {
    if (this.#atOnce === 0) inAnotherTask(() => this.#goOn());
    this.#atOnce += 1;
    if (this.#atOnce > AT_ONCE) this.#queue.push(go);
    else go();
  }

  #goOn(): void {
    const next = this.#queue.splice(0, AT_ONCE);
    this.#atOnce = 0;
    for (const go of next) this.#begin(go);
    // Those that come now wait for their turn, too.
    if (this.#queue.length > 0) this.#atOnce = AT_ONCE;
  }

  /** What is done for one does not grow with their number. */
  #changed(transfer: Transfer): void {
    if (this.totals.has(transfer)) this.#count(transfer);
  }

  #count(transfer: Transfer): void {
    if (this.totals.count(transfer)) this.#isOther = true;
    this.#changes.add(transfer);
    this.#plan();
  }

  #moved(transfer: Transfer): void {
    if (!this.totals.has(transfer)) return;
    this.totals.count(transfer);
    // Of many uploads nobody wants to hear each quarter.
    if (this.all.length === 1) this.speaker.progress(transfer, this.#owner.language.labels);
    if (this.#owner.put.hasAttribute('total')) this.#show();
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
    const { labels } = this.#owner.language;
    // What happens to a few is shown at once, as a click is.
    if (this.rows.isLong) this.#show();
    else this.render();
    const summary = this.all.length > 1 ? this.overview.words(labels, this.totals) : null;
    for (const transfer of changes) this.speaker.end(transfer, labels, summary);
    this.#owner.summedUp(changes, isOther);
  }
}

/** Timers would do, but in a page that is not seen they come once a second. */
function inAnotherTask(act: () => void): void {
  // Test environments that are no browsers have none.
  if (!globalThis.MessageChannel) {
    setTimeout(act);
    return;
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    act();
  };
  port2.postMessage(0);
}
