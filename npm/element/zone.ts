// The drop zone of `<direct-put>`: its text, its buttons, and all ways to hand over files.
import { button, h, put, say } from './dom.js';
import { canPick, type Found, foundIn, picked, watchDrops } from './files.js';
import { icon, UPLOAD } from './icons.js';
import type { Labels } from './labels.js';

/** Attributes of a hidden file input. Only a button or a test tool uses it. */
const UNSEEN = { type: 'file', tabindex: '-1', 'aria-hidden': 'true' };

/** The values that the zone shows, besides the element's attributes. */
export interface Shown {
  labels: Labels;
  isDisabled: boolean;
  /** A text that describes the accepted files; empty if there is no rule. */
  limits: string;
}

export class Zone {
  readonly element = h('div', { part: 'drop', role: 'group', 'aria-labelledby': 'drop-words' });
  readonly choose = button('choose', () => void this.#pick());
  readonly #host: HTMLElement;
  readonly #words = h('p', { part: 'drop-words', id: 'drop-words' });
  readonly #dropNow = h('p', { part: 'drop-now', 'aria-hidden': 'true' });
  readonly #limits = h('p', { part: 'limits', id: 'limits' });
  readonly #chooseFolder = button('choose-folder', () => this.#folder.click());
  readonly #choices = h('div', { part: 'choices' }, this.choose, this.#chooseFolder);
  readonly #file = h('input', { ...UNSEEN, id: 'file' });
  readonly #folder = h('input', { ...UNSEEN, id: 'folder', webkitdirectory: true });
  readonly #take: (found: Found[]) => void;

  constructor(host: HTMLElement, take: (found: Found[]) => void) {
    this.#host = host;
    this.#take = take;
    const sign = h('span', { part: 'drop-icon' }, icon(UPLOAD));
    this.element.append(sign, this.#words, this.#choices, this.#limits, this.#dropNow, this.#file);
    for (const input of [this.#file, this.#folder]) {
      input.addEventListener('change', () => {
        take(foundIn(input.files ?? []));
        // Cleared, so that choosing the same file again fires `change`.
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
    say(this.#dropNow, labels.dropNow);
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

  /** Takes files pasted into the page, unless the clipboard also holds text and the target is a text field. */
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
    // This dialog gives handles, so the browser can open the file again after a reload.
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
