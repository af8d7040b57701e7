// Has the browser ask before the page is left, but only while an upload would be lost by it.

/** The uploads under way, and whether a later visit could go on with each. */
export class Leaving {
  readonly #uploads = new Map<number, boolean>();
  readonly #warns: boolean;
  #isListening = false;

  constructor(warns: boolean) {
    this.#warns = warns && typeof globalThis.window === 'object';
  }

  begins(id: number): void {
    this.#uploads.set(id, false);
    this.#update();
  }

  isKept(id: number, isKept: boolean): void {
    if (this.#uploads.has(id)) this.#uploads.set(id, isKept);
    this.#update();
  }

  ends(id: number): void {
    this.#uploads.delete(id);
    this.#update();
  }

  close(): void {
    this.#uploads.clear();
    this.#update();
  }

  /** A page that listens is never kept in the back-forward cache, so it listens only while it has to. */
  #update(): void {
    const wouldLose = this.#warns && [...this.#uploads.values()].includes(false);
    if (wouldLose === this.#isListening) return;
    this.#isListening = wouldLose;
    if (wouldLose) window.addEventListener('beforeunload', ask);
    else window.removeEventListener('beforeunload', ask);
  }
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
