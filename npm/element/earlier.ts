// Looks for what earlier visits have left, and loads what shows it if there is something.
import type { Resumable } from '../types.js';
import type { Asked, Unfinished } from './unfinished.js';

/** What it asks for. */
export interface Wanted extends Asked {
  list(): Promise<Resumable[]>;
  /** Puts the list into the document. */
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

  /** Looks what there is. Calls that come while it looks share the next look. */
  look(): Promise<void> {
    this.#next ??= this.#looking.then(() => {
      this.#next = undefined;
      const looked = this.#look();
      this.#looking = looked.catch(() => {});
      return looked;
    });
    return this.#next;
  }

  /** Shows the same in other words. */
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
