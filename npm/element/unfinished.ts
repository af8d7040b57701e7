// What earlier visits have left unfinished, in `<direct-put>`.
import type { UploadError } from '../errors.js';
import type { Resumable } from '../types.js';
import { button, h } from './dom.js';
import type { Labels } from './labels.js';

/** What the list asks for. */
export interface Asked {
  labels: Labels;
  list(): Promise<Resumable[]>;
  forget(id: string): Promise<void>;
  /** Goes on with an upload, with the file that was picked for it, if one was. */
  goOn(upload: Resumable, file?: File): Promise<unknown> | undefined;
}

export class Unfinished {
  readonly element = h('section', { part: 'unfinished-list', 'aria-labelledby': 'unfinished-title', hidden: true });
  readonly #asked: Asked;
  /** Uploads whose file the browser could not open, by their ids. */
  readonly #closed = new Set<string>();
  readonly #title = h('h2', { id: 'unfinished-title' });
  readonly #list = h('ul');
  readonly #again = h('input', { type: 'file', id: 'again', tabindex: '-1', 'aria-hidden': 'true' });
  #looking = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.element.append(this.#title, this.#list, this.#again);
  }

  /** Looks what there is. Calls that come while it looks share the next look. */
  refresh(): Promise<void> {
    this.#next ??= this.#looking.then(() => {
      this.#next = undefined;
      const looked = this.#look();
      this.#looking = looked.catch(() => {});
      return looked;
    });
    return this.#next;
  }

  async #look(): Promise<void> {
    const found = await this.#asked.list();
    const { labels } = this.#asked;
    this.#title.textContent = labels.unfinished;
    this.element.hidden = found.length === 0;
    const focused = (this.element.getRootNode() as ShadowRoot).activeElement;
    // Who is about to press a button should find it there.
    if (focused && this.#list.contains(focused) && found.length === this.#list.childElementCount) return;
    this.#list.replaceChildren(...found.map((upload) => this.#row(upload)));
  }

  #row(upload: Resumable): HTMLElement {
    const { labels } = this.#asked;
    const { id, name } = upload;
    const hasFile = upload.hasFile && !this.#closed.has(id);
    const trouble = h('p', { part: 'trouble', role: 'alert' });
    const goOn = button('go-on', hasFile ? labels.goOn : labels.goOnWithFile, () => {
      if (hasFile) this.#goOn(row, upload);
      else this.#pick((file) => this.#goOn(row, upload, file));
    });
    const forget = button('forget', labels.forget, async () => {
      forget.disabled = true;
      try {
        await this.#asked.forget(id);
        await this.refresh();
      } catch (error) {
        const { message } = error as UploadError;
        trouble.textContent = `${message} ${labels.advice(error as UploadError)}`;
        forget.disabled = false;
      }
    });
    for (const control of [goOn, forget]) control.setAttribute('aria-label', `${control.textContent}: ${name}`);
    const title = h(
      'p',
      {},
      h('strong', { part: 'name' }, name),
      ' ',
      h('span', { part: 'facts' }, labels.begun(upload)),
    );
    const row = h('li', { part: 'unfinished' }, title, trouble, h('div', { part: 'buttons' }, goOn, forget));
    return row;
  }

  #goOn(row: HTMLElement, upload: Resumable, file?: File): void {
    row.remove();
    this.#asked.goOn(upload, file)?.catch(({ code }: UploadError) => {
      if (code === 'file-needed') this.#closed.add(upload.id);
    });
  }

  #pick(take: (file: File) => void): void {
    const input = this.#again;
    input.onchange = () => {
      const file = input.files?.[0];
      input.value = '';
      if (file) take(file);
    };
    input.click();
  }
}
