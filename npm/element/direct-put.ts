// `<direct-put>`: a drop zone and its uploads, as a control of the form that it stands in.
import {
  type Upload,
  type UploadDetail,
  type UploadError,
  Uploader,
  type UploaderOptions,
  type UploadOptions,
  type UploadResult,
} from '../index.js';
import type { AnyUploader } from '../list/index.js';
import { Slices } from '../slices.js';
import type { Resumable } from '../types.js';
import { ATTRIBUTES, OF_UPLOADER, optionsOf, REFLECTED, reflect } from './attributes.js';
import { fill, type Kept, restored, validate } from './control.js';
import { h, say, upgrade } from './dom.js';
import { Earlier } from './earlier.js';
import { DirectPutBase } from './events.js';
import { type Found, foundIn } from './files.js';
import { internalsOf } from './internals.js';
import type { Labels } from './labels.js';
import { Language } from './language.js';
import { styleOf } from './style.js';
import { refusal, type Transfer } from './transfer.js';
import { Transfers } from './transfers.js';
import { Zone } from './zone.js';

/** So many files are put on the list in one task. */
const AT_ONCE = 500;

/**
 * The element. It tells of its uploads by the events of `Uploader`, and by `change` when its value has. The form gets the
 * key of every object under its `name`, and is not sent before.
 */
export class DirectPut extends DirectPutBase {
  /** It is a control of forms (HTML standard, "form-associated custom elements"). */
  static readonly formAssociated = true;
  /** The attributes whose changes take effect. */
  static readonly observedAttributes = [...ATTRIBUTES, 'lang'];

  readonly #internals = internalsOf(this);
  readonly #root = this.attachShadow({ mode: 'open', delegatesFocus: true });
  readonly #zone = new Zone(this, (found) => this.#addFound(found));
  readonly #offline = h('p', { part: 'offline', role: 'status' });
  readonly #transfers: Transfers;
  readonly #earlier: Earlier;
  readonly #language = new Language(this, () => this.#translate());
  #options: Partial<UploaderOptions> = {};
  #uploadOptions: ((file: Blob | undefined) => UploadOptions) | undefined;
  #uploader: AnyUploader | undefined;
  #isOwn = false;
  readonly #adds = new Slices(1);
  #listening = new AbortController();

  constructor() {
    super();
    this.#transfers = new Transfers({
      language: this.#language,
      put: this,
      tell: (type, detail, transfer) => void this.#tell(type, detail, transfer),
      summedUp: (changes, isOther) => this.#summedUp(changes, isOther),
      refusal: () => this.#refusal(),
      released: (upload) => this.#uploader?.release(upload),
      focus: () => this.#zone.choose.focus(),
    });
    this.#earlier = new Earlier({
      language: this.#language,
      list: async () => {
        // One that has gone from the page needs no uploader to look with.
        const canLook = this.isConnected && (this.#uploader || this.hasAttribute('endpoint'));
        return canLook ? this.uploader.listResumable() : [];
      },
      place: (element) => this.#zone.element.after(element),
      forget: async (id) => {
        await this.uploader.forget(id);
        await this.refresh();
      },
      goOn: (kept, file) => this.#goOn(kept, file),
    });
    this.#root.adoptedStyleSheets = [styleOf()];
    const { overview, rows, speaker } = this.#transfers;
    this.#root.append(this.#offline, this.#zone.element, overview.element, rows.element, speaker.element);
  }

  /** What else the uploader is told, such as `headers` and `preconnect`. Set it before the first file. */
  get options(): Partial<UploaderOptions> {
    return this.#options;
  }

  set options(options: Partial<UploaderOptions>) {
    this.#options = options;
    this.#renew();
    this.#render();
  }

  /** What each upload is told, by its file, such as `priority`. */
  get uploadOptions(): ((file: Blob | undefined) => UploadOptions) | undefined {
    return this.#uploadOptions;
  }

  set uploadOptions(uploadOptions: ((file: Blob | undefined) => UploadOptions) | undefined) {
    this.#uploadOptions = uploadOptions;
  }

  /** The uploader behind it: one that was set, or one made of the attributes. Throws `UploadError`. */
  get uploader(): AnyUploader {
    if (!this.#uploader) {
      this.#take(new Uploader(this.#rules as UploaderOptions), true);
    }
    return this.#uploader as AnyUploader;
  }

  set uploader(uploader: AnyUploader) {
    if (uploader === this.#uploader) return;
    this.#renew();
    this.#take(uploader, false);
    this.#lookAgain();
  }

  /** All its texts: those that were set, otherwise in the page's language if there is a file for it. */
  get labels(): Labels {
    return this.#language.labels;
  }

  set labels(labels: Partial<Labels>) {
    this.#language.set(labels);
  }

  /** What S3 has confirmed, in the order of the rows. */
  get results(): UploadResult[] {
    return this.#transfers.all.flatMap(({ result }) => result ?? []);
  }

  /** The keys of those objects, with commas between. */
  get value(): string {
    return this.results.map(({ key }) => key).join(',');
  }

  /** The form that it stands in. */
  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }

  /** Why the form can't be sent, if it can't. */
  get validity(): ValidityState {
    return this.#internals.validity;
  }

  /** The same in words. */
  get validationMessage(): string {
    return this.#internals.validationMessage;
  }

  /** Whether the form can be sent, as far as this is concerned. */
  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }

  /** The same, and the browser shows why not. */
  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }

  /** Uploads files, as if they had been dropped. */
  add(files: Iterable<File>): void {
    this.#addFound(foundIn(files));
  }

  /** Without `autostart`: begins what has not begun. */
  start(): void {
    this.#addAll();
    this.#transfers.start();
  }

  /** Begins all again that have failed and may succeed. */
  retryAll(): void {
    this.#transfers.retryAll();
  }

  /** Cancels all that are under way. */
  cancelAll(): void {
    this.#addAll();
    this.#transfers.cancelAll();
  }

  /** Takes off the list all that are stored or cancelled. Objects stay in the bucket, and the form sends their keys no more. */
  clearFinished(): void {
    this.#transfers.clearFinished();
  }

  /** Cancels what is under way, and removes all rows. Objects that are stored stay in the bucket. */
  clear(): void {
    this.#adds.take();
    this.#transfers.remove(this.#transfers.all);
  }

  /** Looks once more for what earlier visits have left. Resolves when it is shown. */
  refresh(): Promise<void> {
    return this.#earlier.look();
  }

  /** Called by the browser. */
  connectedCallback(): void {
    upgrade(this, ['options', 'uploadOptions', 'labels', 'uploader', ...REFLECTED]);
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const render = (): void => this.#render();
    for (const event of ['online', 'offline']) addEventListener(event, render, { signal });
    // Another tab may have ended or left an upload meanwhile.
    addEventListener('focus', () => this.#lookAgain(), { signal });
    document.addEventListener('paste', (event) => this.paste && this.#zone.paste(event), { signal });
    this.#language.follow(signal);
    this.#render();
    // What is set in the same task belongs to the first uploader.
    queueMicrotask(() => this.#lookAgain());
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    this.#listening.abort();
    // An element that is only moved is connected again in the same task.
    queueMicrotask(() => {
      if (!this.isConnected) this.#renew();
    });
  }

  /** Called by the browser. */
  attributeChangedCallback(name: string): void {
    if (OF_UPLOADER.includes(name)) this.#renew();
    if (name === 'lang' && this.isConnected) this.#language.listen();
    this.#render();
    if (name === 'details') this.#showDetails().catch(() => {});
  }

  /** Called by the browser. */
  formResetCallback(): void {
    this.clear();
  }

  /** Called by the browser. */
  formDisabledCallback(): void {
    this.#render();
  }

  /** Called by the browser when it shows a page again: the list is what it was, as far as it is stored. */
  formStateRestoreCallback(state: unknown): void {
    const kept = restored(state);
    this.#transfers.add(kept, (transfer, index) => transfer.store((kept[index] as Kept).result));
  }

  /** Nobody waits for it, and what can't be listed is not shown. */
  #lookAgain(): void {
    this.refresh().catch(() => {});
  }

  /** The next upload has another uploader, if this one is its own; it ends with its last upload. */
  #renew(): void {
    if (!this.#isOwn) return;
    const before = this.#uploader;
    this.#uploader = undefined;
    void Promise.allSettled(this.#transfers.all.map(({ upload }) => upload)).then(() => before?.close());
  }

  #take(uploader: AnyUploader, isOwn: boolean): void {
    this.#uploader = uploader;
    this.#isOwn = isOwn;
    for (const type of ['progress', 'retry', 'stored', 'failed'] as const) {
      uploader.addEventListener(type, (event) => this.#forward(event));
    }
    uploader.addEventListener('resumablechange', () => this.#lookAgain());
  }

  /** An uploader that was set may have uploads of others, too. */
  #forward(event: CustomEvent<UploadDetail>): void {
    const { type, detail, cancelable } = event;
    const transfer = this.#transfers.of(detail.upload);
    if (!this.#isOwn && !transfer) return;
    // A failure that was handled here needs no handling there.
    if (!this.#tell(type, detail, transfer, cancelable)) event.preventDefault();
  }

  #tell(type: string, detail: object, transfer: Transfer | undefined, cancelable = false): boolean {
    return this.dispatchEvent(new CustomEvent(type, { detail: { ...detail, path: transfer?.path ?? '' }, cancelable }));
  }

  get #isDisabled(): boolean {
    return this.matches(':disabled');
  }

  #addFound(found: Found[]): void {
    if (this.#isDisabled) return;
    const taken = this.multiple ? found : found.slice(0, 1);
    // As with an input, one file is replaced by the next.
    if (!this.multiple && taken.length > 0) this.clear();
    const begun = taken.map(({ name, file, handle, path }) => ({
      name,
      size: file?.size ?? 0,
      file,
      path,
      begin: (options: UploadOptions): Upload => {
        const own = { ...this.#uploadOptions?.(file), ...options, ...(handle && { handle }) };
        return this.uploader.upload(file as File, own);
      },
    }));
    for (let at = 0; at < begun.length; at += AT_ONCE) {
      this.#adds.do(() =>
        this.#transfers.add(begun.slice(at, at + AT_ONCE), (transfer, index) => {
          if (!transfer.file) {
            const { cause } = taken[at + index] as Found;
            transfer.refuse(refusal('file-changed', 'The file changed or can no longer be read.', {}, cause));
          }
          // One that would wait for the start button is told at once that it is one too many.
          else if (this.autostart || this.#refusal()) transfer.run();
        }),
      );
    }
  }

  /** What waits to be put on the list is meant, too. */
  #addAll(): void {
    for (const add of this.#adds.take()) add();
  }

  #goOn(kept: Resumable, file: File | undefined): Upload | undefined {
    let isGone = false;
    const begin = (options: UploadOptions): Upload => {
      const own = { ...this.#uploadOptions?.(file), ...options };
      // What was cancelled is no more: its file is uploaded anew.
      if (isGone && file) return this.uploader.upload(file, own);
      const upload = this.uploader.resume(kept.id, file, own);
      upload.catch(({ code }: UploadError) => {
        isGone ||= code === 'aborted';
      });
      return upload;
    };
    let upload: Upload | undefined;
    this.#transfers.add([{ ...kept, file, begin }], (transfer) => {
      transfer.run();
      transfer.row?.focus();
      ({ upload } = transfer);
    });
    return upload;
  }

  /** Counts those of earlier uploaders and visits, too; the uploader knows nothing of them. */
  #refusal(): UploadError | undefined {
    const { maxFiles: limit = Number.POSITIVE_INFINITY } = this.#rules;
    const { taken: actual } = this.#transfers.totals;
    if (!(actual > limit)) return undefined;
    return refusal('too-many-files', 'No more files are accepted here.', { limit, actual });
  }

  /** What the uploader is told by attributes and options. */
  get #rules(): Partial<UploaderOptions> {
    return { ...optionsOf(this), ...this.#options };
  }

  #summedUp(changes: readonly Transfer[], isOther: boolean): void {
    this.#updateForm();
    if (isOther) this.dispatchEvent(new Event('change', { bubbles: true }));
    // Of what an earlier visit has left, only these ends can have made another list.
    const isQuiet = this.#transfers.totals.underWay === 0;
    if (isQuiet || changes.some(({ error }) => error?.resumeId)) this.#lookAgain();
  }

  /** What the form sends, and why it can't yet. While uploads are under way it is not sent, and keys can wait. */
  #updateForm(): void {
    const { totals, overview, all } = this.#transfers;
    const controls = [this.#zone.choose, overview.start] as const;
    validate(this.#internals, totals, this.#language.labels, this.required, controls);
    if (totals.underWay === 0) fill(this.#internals, this.name, all);
  }

  async #showDetails(): Promise<void> {
    if (this.details && !this.#transfers.loaded) {
      const details = await import('./details.js');
      this.#transfers.loaded = details;
      this.#root.adoptedStyleSheets.push(styleOf(details.CSS));
    }
    this.#transfers.rows.render();
  }

  #translate(): void {
    this.#render();
    this.#transfers.rows.render();
    this.#earlier.render();
  }

  #render(): void {
    const labels = this.#language.labels;
    const isDisabled = this.isConnected && this.#isDisabled;
    const { accept, minBytes, maxBytes, maxFiles } = this.#rules;
    const rules = { accept, minBytes, maxBytes, maxFiles: this.multiple ? maxFiles : undefined };
    this.#zone.render({ labels, isDisabled, limits: labels.limits(rules) });
    this.#offline.hidden = navigator.onLine;
    say(this.#offline, labels.offline);
    this.#transfers.render();
    this.#updateForm();
  }
}

reflect(DirectPut.prototype);
