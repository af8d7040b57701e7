// `<direct-put>`: a form control with a drop zone and a list of uploads.
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
import { named } from './name.js';
import { styleOf } from './style.js';
import { refusal, type Transfer } from './transfer.js';
import { Transfers } from './transfers.js';
import { Zone } from './zone.js';

/** Number of files added to the list in one task. */
const AT_ONCE = 200;

/**
 * The element. Dispatches the events of `Uploader` for its uploads, and `change` when its value changes. The form submits
 * the key of every object under `name`, and can't be submitted while uploads are under way.
 */
export class DirectPut extends DirectPutBase {
  /** Makes the element a form control (HTML standard, "form-associated custom elements"). */
  static readonly formAssociated = true;
  /** The attributes whose changes call `attributeChangedCallback`. */
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
      named,
      list: async () => {
        // An element that left the page makes no uploader only to list unfinished uploads.
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

  /** Further options of the uploader, such as `headers` and `preconnect`. Set them before the first file. */
  get options(): Partial<UploaderOptions> {
    return this.#options;
  }

  set options(options: Partial<UploaderOptions>) {
    this.#options = options;
    this.#renew();
    this.#render();
  }

  /** A function that returns the options of an upload for its file, such as `priority`. */
  get uploadOptions(): ((file: Blob | undefined) => UploadOptions) | undefined {
    return this.#uploadOptions;
  }

  set uploadOptions(uploadOptions: ((file: Blob | undefined) => UploadOptions) | undefined) {
    this.#uploadOptions = uploadOptions;
  }

  /** The uploader: the one that the page set, or one made from attributes and `options`. Throws `UploadError`. */
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

  /** All texts. Default: in the page's language, or in English if there is no translation. */
  get labels(): Labels {
    return this.#language.labels;
  }

  set labels(labels: Partial<Labels>) {
    this.#language.set(labels);
  }

  /** The results of all stored files, in the order of the rows. */
  get results(): UploadResult[] {
    return this.#transfers.all.flatMap(({ result }) => result ?? []);
  }

  /** The keys of the stored objects, separated by commas. */
  get value(): string {
    return this.results.map(({ key }) => key).join(',');
  }

  /** The form that the element belongs to. */
  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }

  /** Whether the element allows the form to be submitted, and if not, why. */
  get validity(): ValidityState {
    return this.#internals.validity;
  }

  /** The message that the browser shows while the element is invalid. */
  get validationMessage(): string {
    return this.#internals.validationMessage;
  }

  /** Whether the element is valid. */
  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }

  /** Whether the element is valid; if not, the browser shows the message. */
  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }

  /** Adds files, as if the user had dropped them. */
  add(files: Iterable<File>): void {
    this.#addFound(foundIn(files));
  }

  /** Without `autostart`: starts all files that wait for the start button. */
  start(): void {
    this.#addAll();
    this.#transfers.start();
  }

  /** Retries all failed uploads that may succeed. */
  retryAll(): void {
    this.#transfers.retryAll();
  }

  /** Cancels all uploads that are under way. */
  cancelAll(): void {
    this.#addAll();
    this.#transfers.cancelAll();
  }

  /** Removes stored and cancelled rows. Objects stay in the bucket; the form no longer submits their keys. */
  clearFinished(): void {
    this.#transfers.clearFinished();
  }

  /** Cancels all uploads that are under way, and removes all rows. Stored objects stay in the bucket. */
  clear(): void {
    this.#adds.take();
    this.#transfers.remove(this.#transfers.all);
  }

  /** Lists unfinished uploads of earlier visits again. Resolves when they are shown. */
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
    // Another tab may have ended or released an upload since the last look.
    addEventListener('focus', () => this.#lookAgain(), { signal });
    document.addEventListener('paste', (event) => this.paste && this.#zone.paste(event), { signal });
    this.#language.follow(signal);
    this.#render();
    // In a microtask, so that properties set in the same task count for the first uploader.
    queueMicrotask(() => this.#lookAgain());
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    this.#listening.abort();
    // In a microtask, because an element that is only moved is connected again in the same task.
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

  /** Called by the browser when it shows a page again: restores the stored files in the list. */
  formStateRestoreCallback(state: unknown): void {
    const kept = restored(state);
    this.#transfers.add(kept, (transfer, index) => transfer.store((kept[index] as Kept).result));
  }

  /** Refreshes the list of unfinished uploads. Ignores errors: uploads that can't be listed are not shown. */
  #lookAgain(): void {
    this.refresh().catch(() => {});
  }

  /** Drops the uploader if the element made it: later uploads use a new one. Closes the old one after its last upload. */
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

  /** Dispatches an event of the uploader. If the page set the uploader, events of uploads from elsewhere are ignored. */
  #forward(event: CustomEvent<UploadDetail>): void {
    const { type, detail, cancelable } = event;
    const transfer = this.#transfers.of(detail.upload);
    if (!this.#isOwn && !transfer) return;
    // A listener on the element that prevents the default has handled the failure for the uploader, too.
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
    // Without `multiple`, a new file replaces the previous one, as in an `<input>`.
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
          // A file above `max-files` fails at once, even without `autostart`.
          else if (this.autostart || this.#refusal()) transfer.run();
        }),
      );
    }
  }

  /** Adds all files that still wait for their turn, so that an act on all rows includes them. */
  #addAll(): void {
    for (const add of this.#adds.take()) add();
  }

  #goOn(kept: Resumable, file: File | undefined): Upload | undefined {
    let isGone = false;
    const begin = (options: UploadOptions): Upload => {
      const own = { ...this.#uploadOptions?.(file), ...options };
      // The cancelled upload can no longer be resumed, so this uploads the file from the start.
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

  /** Returns an error if there are more than `max-files`. Counts rows of earlier uploaders, which the uploader can't know. */
  #refusal(): UploadError | undefined {
    const { maxFiles: limit = Number.POSITIVE_INFINITY } = this.#rules;
    const { taken: actual } = this.#transfers.totals;
    if (!(actual > limit)) return undefined;
    return refusal('too-many-files', 'No more files are accepted here.', { limit, actual });
  }

  /** The uploader's options, from attributes and `options`. */
  get #rules(): Partial<UploaderOptions> {
    return { ...optionsOf(this), ...this.#options };
  }

  #summedUp(changes: readonly Transfer[], isOther: boolean): void {
    this.#updateForm();
    if (isOther) this.dispatchEvent(new Event('change', { bubbles: true }));
    // Only these ends of uploads can change the list of unfinished uploads.
    const isQuiet = this.#transfers.totals.underWay === 0;
    if (isQuiet || changes.some(({ error }) => error?.resumeId)) this.#lookAgain();
  }

  /** Updates validity and value. While uploads are under way the form can't be submitted, so the value can wait. */
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
