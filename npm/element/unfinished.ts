// The list of unfinished uploads from earlier visits, in `<direct-put>`. Loaded only if there are any.
import type { UploadError } from '../errors.js';
import type { ErrorCode, Resumable } from '../types.js';
import { button, h } from './dom.js';
import type { Language } from './language.js';

/** Codes of failures after which the user has to choose the file. */
const NEEDS_FILE: readonly ErrorCode[] = ['file-needed', 'wrong-file', 'file-changed'];

/** Callbacks of the element. */
export interface Asked {
  readonly language: Language;
  /** Returns the icon and the name of a file. */
  named(name: string): [HTMLElement, HTMLElement];
  /** Removes an unfinished upload and refreshes the list. */
  forget(id: string): Promise<void>;
  /** Resumes an upload, with the file if the user chose one. Returns the upload; undefined if it has not started. */
  goOn(upload: Resumable, file?: File): Promise<unknown> | undefined;
}

export class Unfinished {
  readonly element = h('section', { part: 'unfinished-list', 'aria-labelledby': 'unfinished-title', hidden: true });
  readonly #asked: Asked;
  /** Ids of uploads whose file the browser could not open, or whose file has changed. */
  readonly #closed = new Set<string>();
  readonly #title = h('h2', { id: 'unfinished-title' });
  readonly #list = h('ul');
  #found: readonly Resumable[] = [];

  constructor(asked: Asked) {
    this.#asked = asked;
    this.element.append(this.#title, this.#list);
  }

  /** Shows these uploads. */
  show(found: readonly Resumable[]): void {
    this.#found = found;
    const focused = (this.element.getRootNode() as ShadowRoot).activeElement;
    // Keeps the rows while a button in them has the focus, so that it does not move before the user presses it.
    if (focused && this.#list.contains(focused) && found.length === this.#list.childElementCount) return;
    this.render();
  }

  /** Renders the list with the current labels. */
  render(): void {
    this.#title.textContent = this.#asked.language.labels.unfinished;
    this.element.hidden = this.#found.length === 0;
    this.#list.replaceChildren(...this.#found.map((upload) => this.#row(upload)));
  }

  #row(upload: Resumable): HTMLElement {
    const { labels } = this.#asked.language;
    const { id, name } = upload;
    const hasFile = upload.hasFile && !this.#closed.has(id);
    const trouble = h('p', { part: 'trouble', role: 'alert' });
    const goOn = button(
      'go-on',
      () => {
        if (hasFile) this.#goOn(row, upload);
        else this.#pick((file) => this.#goOn(row, upload, file));
      },
      hasFile ? labels.goOn : labels.goOnWithFile,
    );
    const forget = button(
      'forget',
      async () => {
        forget.disabled = true;
        try {
          await this.#asked.forget(id);
        } catch (error) {
          trouble.textContent = `${labels.error(error as UploadError)} ${labels.advice(error as UploadError)}`;
          forget.disabled = false;
        }
      },
      labels.forget,
    );
    for (const control of [goOn, forget]) control.setAttribute('aria-label', `${control.textContent}: ${name}`);
    const line = h('div', { part: 'line' }, h('span', { part: 'facts' }, labels.begun(upload)));
    const [tile, shown] = this.#asked.named(name);
    const title = h('div', { part: 'title' }, shown, line, trouble);
    const row = h('li', { part: 'unfinished' }, tile, title, h('div', { part: 'buttons' }, goOn, forget));
    return row;
  }

  #goOn(row: HTMLElement, upload: Resumable, file?: File): void {
    row.remove();
    this.#found = this.#found.filter((other) => other !== upload);
    this.element.hidden = this.#found.length === 0;
    this.#asked.goOn(upload, file)?.catch(({ code }: UploadError) => {
      // The kept file handle would give the wrong file again, so the next button asks for the file.
      if (NEEDS_FILE.includes(code)) this.#closed.add(upload.id);
    });
  }

  #pick(take: (file: File) => void): void {
    // In the document only while the dialog is open: test tools expect a single file input, that of the drop zone.
    const input = h('input', { type: 'file', id: 'again', tabindex: '-1', 'aria-hidden': 'true' });
    this.element.append(input);
    input.addEventListener('cancel', () => input.remove());
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      input.remove();
      if (file) take(file);
    });
    input.click();
  }
}
