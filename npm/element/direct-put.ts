// `<direct-put>`: a drop zone and its uploads, as a control of the form that it stands in.
import {
  type Upload,
  type UploadDetail,
  Uploader,
  type UploaderOptions,
  type UploadOptions,
  type UploadResult,
} from '../index.js';
import { OF_UPLOADER, optionsOf } from './attributes.js';
import { button, h, upgrade } from './dom.js';
import { canPick, type Found, picked, watchDrops } from './files.js';
import { internalsOf } from './internals.js';
import { ENGLISH, type Labels } from './labels.js';
import { type Facts, type Host, Row } from './row.js';
import { Speaker } from './speaker.js';
import { style } from './style.js';
import { Unfinished } from './unfinished.js';

/** A file input that only its button opens. */
const UNSEEN = { type: 'file', tabindex: '-1', 'aria-hidden': 'true' };

/** What the summary counts, and the form. */
type Count = 'running' | 'stored' | 'failed';

/** On a server there is nothing to extend, and nothing to show. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/**
 * The element. Attributes: `endpoint`, `name`, `required`, `disabled`, `multiple`, `folders`, `details`, `accept`,
 * `min-bytes`, `max-bytes`, `max-files`, `checksum`. It tells of its uploads by the events of `Uploader`, and by
 * `change` when its value has. The form gets the key of every object under its `name`, and is not sent before.
 */
export class DirectPut extends Base {
  /** It is a control of forms (HTML standard, "form-associated custom elements"). */
  static readonly formAssociated = true;
  /** A change of these is seen to. */
  static readonly observedAttributes = [...OF_UPLOADER, 'multiple', 'folders', 'disabled', 'required', 'name'];

  readonly #internals = internalsOf(this);
  readonly #root = this.attachShadow({ mode: 'open', delegatesFocus: true });
  readonly #speaker = new Speaker();
  /** All rows, each with what it is counted as. */
  readonly #rows = new Map<Row, Count | undefined>();
  readonly #counts = { running: 0, stored: 0, failed: 0 };
  readonly #ours = new WeakSet<Upload>();
  readonly #words = h('p', { part: 'drop-words', id: 'drop-words' });
  readonly #choose = button('choose', '', () => void this.#pick());
  readonly #chooseFolder = button('choose-folder', '', () => this.#folder.click());
  readonly #file = h('input', { ...UNSEEN, id: 'file' });
  readonly #folder = h('input', { ...UNSEEN, id: 'folder', webkitdirectory: true });
  readonly #drop = h('div', { part: 'drop', role: 'group', 'aria-labelledby': 'drop-words' });
  readonly #offline = h('p', { part: 'offline', role: 'status' });
  readonly #summary = h('p', { part: 'summary', id: 'summary', hidden: true });
  readonly #list = h('ul', { part: 'uploads', id: 'uploads' });
  readonly #unfinished: Unfinished;
  readonly #host: Host;
  #options: Partial<UploaderOptions> = {};
  #uploadOptions: ((file: Blob | undefined) => UploadOptions) | undefined;
  #labels = ENGLISH;
  #uploader: Uploader | undefined;
  #isOwn = false;
  #changes: Row[] = [];
  #isChanged = false;
  #listening = new AbortController();

  constructor() {
    super();
    const self = this;
    this.#host = {
      get labels() {
        return self.#labels;
      },
      get hasDetails() {
        return self.hasAttribute('details');
      },
      started: ({ upload, file }) => {
        this.#ours.add(upload as Upload);
        this.dispatchEvent(new CustomEvent('start', { detail: { upload, file } }));
      },
      changed: (row) => this.#changed(row),
      moved: (row) => {
        // Of many uploads nobody wants to hear each quarter.
        if (this.#rows.size === 1) this.#speaker.progress(row, this.#labels);
      },
      removed: (row) => this.#removeRow(row),
      copied: () => this.#speaker.say('copied', this.#labels.copied),
    };
    this.#unfinished = new Unfinished({
      get labels() {
        return self.#labels;
      },
      list: async () => {
        // One that has gone from the page needs no uploader to look with.
        const canLook = this.isConnected && (this.#uploader || this.hasAttribute('endpoint'));
        return canLook ? this.uploader.listResumable() : [];
      },
      forget: (id) => this.uploader.forget(id),
      goOn: (kept, file) => {
        const row = this.#add({ ...kept, file }, (options) => this.uploader.resume(kept.id, file, options));
        row.focus();
        return row.upload;
      },
    });
    this.#drop.append(
      this.#words,
      h('div', { part: 'choices' }, this.#choose, this.#chooseFolder),
      this.#file,
      this.#folder,
    );
    this.#root.adoptedStyleSheets = [style()];
    this.#root.append(
      this.#offline,
      this.#drop,
      this.#unfinished.element,
      this.#summary,
      this.#list,
      this.#speaker.element,
    );
    for (const input of [this.#file, this.#folder]) {
      input.addEventListener('change', () => {
        this.#addFound([...(input.files ?? [])].map((file) => ({ file })));
        // The same file can be chosen again.
        input.value = '';
      });
    }
    watchDrops(this, (found) => this.#addFound(found));
  }

  /** What else the uploader is told, such as `headers` and `preconnect`. Set it before the first file. */
  get options(): Partial<UploaderOptions> {
    return this.#options;
  }

  set options(options: Partial<UploaderOptions>) {
    this.#options = options;
    this.#renew();
  }

  /** What each upload is told, by its file, such as `priority`. */
  get uploadOptions(): ((file: Blob | undefined) => UploadOptions) | undefined {
    return this.#uploadOptions;
  }

  set uploadOptions(uploadOptions: ((file: Blob | undefined) => UploadOptions) | undefined) {
    this.#uploadOptions = uploadOptions;
  }

  /** The uploader behind it: one that was set, or one made of the attributes. Throws `UploadError`. */
  get uploader(): Uploader {
    if (!this.#uploader) {
      this.#take(new Uploader({ ...optionsOf(this), ...this.#options } as UploaderOptions), true);
    }
    return this.#uploader as Uploader;
  }

  set uploader(uploader: Uploader) {
    if (uploader === this.#uploader) return;
    this.#renew();
    this.#take(uploader, false);
    this.#lookAgain();
  }

  /** Every word that it says. */
  get labels(): Labels {
    return this.#labels;
  }

  set labels(labels: Partial<Labels>) {
    this.#labels = { ...ENGLISH, ...labels };
    this.#render();
  }

  /** What S3 has confirmed, in the order of the rows. */
  get results(): UploadResult[] {
    return [...this.#rows.keys()].flatMap(({ result }) => result ?? []);
  }

  /** The keys of those objects, with commas between. */
  get value(): string {
    return this.results.map(({ key }) => key).join(',');
  }

  /** The name under which the form sends keys. */
  get name(): string {
    return this.getAttribute('name') ?? '';
  }

  /** Frameworks set what an element has as a property. */
  set name(name: string) {
    this.setAttribute('name', name);
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

  /** The same, and the browser says why not. */
  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }

  /** Uploads files, as if they had been dropped. */
  add(files: Iterable<File>): void {
    this.#addFound([...files].map((file) => ({ file })));
  }

  /** Cancels what is under way, and removes all rows. Objects that are stored stay in the bucket. */
  clear(): void {
    for (const row of this.#rows.keys()) this.#removeRow(row);
  }

  /** Looks once more for what earlier visits have left. Resolves when it is shown. */
  async refresh(): Promise<void> {
    await this.#unfinished.refresh();
  }

  /** Called by the browser. */
  connectedCallback(): void {
    upgrade(this, ['options', 'uploadOptions', 'labels', 'uploader']);
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const render = (): void => this.#render();
    for (const event of ['online', 'offline']) addEventListener(event, render, { signal });
    // Another tab may have ended or left an upload meanwhile.
    addEventListener('focus', () => this.#lookAgain(), { signal });
    this.#render();
    // What is set in the same task belongs to the first uploader.
    queueMicrotask(() => this.#lookAgain());
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    this.#listening.abort();
    // Who only moves it elsewhere has it connected again in the same task.
    queueMicrotask(() => {
      if (!this.isConnected) this.#renew();
    });
  }

  /** Called by the browser. */
  attributeChangedCallback(name: string): void {
    if (OF_UPLOADER.includes(name)) this.#renew();
    this.#render();
  }

  /** Called by the browser. */
  formResetCallback(): void {
    this.clear();
  }

  /** Called by the browser. */
  formDisabledCallback(): void {
    this.#render();
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
    void Promise.allSettled([...this.#rows.keys()].map(({ upload }) => upload)).then(() => before?.close());
  }

  #take(uploader: Uploader, isOwn: boolean): void {
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
    if (this.#isOwn || this.#ours.has(detail.upload)) this.dispatchEvent(new CustomEvent(type, { detail, cancelable }));
  }

  async #pick(): Promise<void> {
    // Where there is such a dialog, the browser can open the file again after a reload.
    const found = canPick() && !this.hasAttribute('accept') && (await picked(this.#isMultiple));
    if (found) this.#addFound(found);
    else this.#file.click();
  }

  get #isMultiple(): boolean {
    return this.hasAttribute('multiple');
  }

  get #isDisabled(): boolean {
    return this.matches(':disabled');
  }

  #addFound(found: Found[]): void {
    if (this.#isDisabled) return;
    const taken = this.#isMultiple ? found : found.slice(0, 1);
    // As with an input, one file is replaced by the next.
    if (!this.#isMultiple && taken.length > 0) this.clear();
    for (const { file, handle } of taken) {
      const { name, size } = file;
      this.#add({ name, size, file }, (options) => {
        return this.uploader.upload(file, { ...options, ...(handle && { handle }) });
      });
    }
  }

  #add(facts: Facts, begin: (options: UploadOptions) => ReturnType<Uploader['upload']>): Row {
    const own = (): UploadOptions => this.#uploadOptions?.(facts.file) ?? {};
    const row = new Row(this.#host, facts, (options) => begin({ ...own(), ...options }));
    this.#rows.set(row, undefined);
    this.#list.append(row.element);
    row.run();
    return row;
  }

  #removeRow(row: Row): void {
    if (row.isRunning) row.cancel();
    const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
    const hadFocus = row.element.contains(this.#root.activeElement);
    this.#count(row, undefined);
    this.#rows.delete(row);
    this.#ours.delete(row.upload as Upload);
    row.element.remove();
    if (hadFocus) ([...this.#rows.keys()].find(({ element }) => element === next) ?? this.#choose).focus();
    this.#changed(row);
  }

  #changed(row: Row): void {
    this.#changes.push(row);
    // A thousand files change in one task, and are counted once.
    if (this.#changes.length === 1) queueMicrotask(() => this.#sumUp(this.#changes.splice(0)));
  }

  /** Counts a row anew. What is done for one does not grow with the number of rows. */
  #count(row: Row, now: Count | undefined): void {
    const before = this.#rows.get(row);
    if (before) this.#counts[before] -= 1;
    if (now) this.#counts[now] += 1;
    this.#rows.set(row, now);
    if ((before === 'stored') !== (now === 'stored')) this.#isChanged = true;
  }

  #sumUp(changes: Row[]): void {
    for (const row of changes) {
      if (this.#rows.has(row)) this.#count(row, row.isRunning ? 'running' : (row.state as Count));
    }
    const { stored, failed } = this.#counts;
    const { size } = this.#rows;
    this.#summary.hidden = size === 0;
    this.#summary.textContent = this.#labels.summary(stored, failed, size);
    for (const row of changes) {
      if (this.#rows.has(row)) this.#speaker.end(row, this.#labels, size > 1 ? this.#summary.textContent : null);
    }
    this.#updateForm();
    if (!changes.every((row) => row.isRunning)) this.#lookAgain();
  }

  /** What the form sends, and why it can't yet. While uploads are under way it is not sent, and keys can wait. */
  #updateForm(): void {
    const { running, stored } = this.#counts;
    if (running > 0) {
      this.#internals.setValidity({ customError: true }, this.#labels.underWay, this.#choose);
    } else {
      const { name } = this;
      const data = new FormData();
      for (const { key } of this.results) data.append(name, key);
      this.#internals.setFormValue(name && stored > 0 ? data : null);
      const isMissing = this.hasAttribute('required') && stored === 0;
      if (isMissing) this.#internals.setValidity({ valueMissing: true }, this.#labels.missing, this.#choose);
      else this.#internals.setValidity({});
    }
    if (!this.#isChanged) return;
    this.#isChanged = false;
    this.dispatchEvent(new Event('change', { bubbles: true }));
  }

  #render(): void {
    const labels = this.#labels;
    this.#words.textContent = this.#isMultiple ? labels.drop : labels.dropOne;
    this.#choose.textContent = this.#isMultiple ? labels.choose : labels.chooseOne;
    this.#chooseFolder.textContent = labels.chooseFolder;
    this.#chooseFolder.hidden = !this.hasAttribute('folders');
    this.#file.accept = this.getAttribute('accept') ?? '';
    this.#file.multiple = this.#isMultiple;
    for (const control of [this.#choose, this.#chooseFolder, this.#file, this.#folder]) {
      control.disabled = this.isConnected && this.#isDisabled;
    }
    this.#offline.hidden = navigator.onLine;
    this.#offline.textContent = labels.offline;
    this.#updateForm();
  }
}
