// The drop zone of `<direct-put>`: its words, its buttons, and the ways by which files come in.
import { button, h, put, say } from './dom.js';
import { canPick, type Found, foundIn, picked, watchDrops } from './files.js';
import type { Labels } from './labels.js';

/** A file input that only a button opens, and tools that drive browsers. */
const UNSEEN = { type: 'file', tabindex: '-1', 'aria-hidden': 'true' };

/** What the zone shows, apart from the element's attributes. */
export interface Shown {
  labels: Labels;
  isDisabled: boolean;
  /** Which files are taken, in words; empty if all are. */
  limits: string;
}

export class Zone {
  readonly element = h('div', { part: 'drop', role: 'group', 'aria-labelledby': 'drop-words' });
  readonly choose = button('choose', () => void this.#pick());
  readonly #host: HTMLElement;
  readonly #words = h('p', { part: 'drop-words', id: 'drop-words' });
  readonly #limits = h('p', { part: 'limits', id: 'limits' });
  readonly #chooseFolder = button('choose-folder', () => this.#folder.click());
  readonly #choices = h('div', { part: 'choices' }, this.choose, this.#chooseFolder);
  readonly #file = h('input', { ...UNSEEN, id: 'file' });
  readonly #folder = h('input', { ...UNSEEN, id: 'folder', webkitdirectory: true });
  readonly #take: (found: Found[]) => void;

  constructor(host: HTMLElement, take: (found: Found[]) => void) {
    this.#host = host;
    this.#take = take;
    this.element.append(this.#words, this.#choices, this.#limits, this.#file);
    for (const input of [this.#file, this.#folder]) {
      input.addEventListener('change', () => {
        take(foundIn(input.files ?? []));
        // The same file can be chosen again.
        input.value = '';
      });
    }
    watchDrops(host, take);
    this.element.addEventListener('click', ({ target }) => {
      const isControl = (target as Element).closest('button, input');
      if (!isControl && !this.choose.disabled) void this.#pick();
    });
  }

  render({ labels, isDisabled, limits }: Shown): void {
    const host = this.#host;
    const isMultiple = host.hasAttribute('multiple');
    say(this.#words, isMultiple ? labels.drop : labels.dropOne);
    say(this.choose, isMultiple ? labels.choose : labels.chooseOne);
    say(this.#chooseFolder, labels.chooseFolder);
    say(this.#limits, limits);
    this.#limits.hidden = !limits;
    put(this.element, 'aria-describedby', limits ? 'limits' : null);
    const hasFolders = host.hasAttribute('folders');
    this.#chooseFolder.hidden = !hasFolders;
    if (hasFolders) this.element.append(this.#folder);
    else this.#folder.remove();
    this.#file.accept = host.getAttribute('accept') ?? '';
    this.#file.multiple = isMultiple;
    put(this.#file, 'capture', host.getAttribute('capture'));
    for (const control of [this.choose, this.#chooseFolder, this.#file, this.#folder]) control.disabled = isDisabled;
  }

  /** Takes what is pasted into the page, unless it is text for a field. */
  paste(event: ClipboardEvent): void {
    const { clipboardData, defaultPrevented } = event;
    if (defaultPrevented || !clipboardData?.files.length || this.choose.disabled) return;
    const [target] = event.composedPath() as Element[];
    const isField = target?.matches?.('input, textarea, [contenteditable], [contenteditable] *');
    if (isField && clipboardData.types.includes('text/plain')) return;
    event.preventDefault();
    this.#take(foundIn(clipboardData.files));
  }

  async #pick(): Promise<void> {
    const host = this.#host;
    // Where there is such a dialog, the browser can open the file again after a reload.
    if (canPick() && !host.matches('[file-picker=input], [accept], [capture]')) {
      const found = await picked(host.hasAttribute('multiple'));
      if (found) {
        this.#take(found);
        return;
      }
    }
    this.#file.click();
  }
}
