// Lists unfinished uploads of earlier visits. Loads the section that shows them only if there are any.
import type { Resumable } from '../types.js';
import type { Asked, Unfinished } from './unfinished.js';

/** Callbacks of the element. */
export interface Wanted extends Asked {
  list(): Promise<Resumable[]>;
  /** Inserts the section into the document. */
  place(element: HTMLElement): void;
}

export class Earlier {
  readonly #wanted: Wanted;
  #shown: Unfinished | undefined;
  #looking: Promise<unknown> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** Lists unfinished uploads and shows them. Calls made while a look runs share the next look. */
  look(): Promise<void> {
    this.#next ??= this.#looking.then(() => {
      this.#next = undefined;
      const looked = this.#look();
      this.#looking = looked.catch(() => {});
      return looked;
    });
    return this.#next;
  }

  /** Shows the same uploads with the current labels. */
  render(): void {
    this.#shown?.render();
  }

  async #look(): Promise<void> {
    const found = await this.#wanted.list();
    if (!this.#shown && found.length > 0) {
      const { Unfinished } = await import('./unfinished.js');
      this.#shown = new Unfinished(this.#wanted);
      this.#wanted.place(this.#shown.element);
    }
    this.#shown?.show(found);
  }
}
