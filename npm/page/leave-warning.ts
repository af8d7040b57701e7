// Shows the browser's warning when the user leaves the page while an upload would be lost.

/** Tracks the uploads that are under way, and which of them would be lost with the page. */
export class LeaveWarning {
  readonly #running = new Set<number>();
  readonly #atRisk = new Set<number>();
  readonly #warns: boolean;
  #isListening = false;

  constructor(warns: boolean) {
    this.#warns = warns && typeof globalThis.window === 'object';
  }

  begins(id: number): void {
    this.#running.add(id);
    this.isKept(id, false);
  }

  isKept(id: number, isKept: boolean): void {
    if (isKept || !this.#running.has(id)) this.#atRisk.delete(id);
    else this.#atRisk.add(id);
    this.#update();
  }

  ends(id: number): void {
    this.#running.delete(id);
    this.isKept(id, true);
  }

  close(): void {
    this.#running.clear();
    this.#atRisk.clear();
    this.#update();
  }

  /**
   * Adds or removes the listener for `beforeunload`. Some browsers do not put a page with this listener into the
   * back-forward cache, so the listener exists only while it is needed.
   */
  #update(): void {
    const wouldLose = this.#warns && this.#atRisk.size > 0;
    if (wouldLose === this.#isListening) return;
    this.#isListening = wouldLose;
    if (wouldLose) window.addEventListener('beforeunload', ask);
    else window.removeEventListener('beforeunload', ask);
  }
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
