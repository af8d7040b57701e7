// Makes the browser ask before the user leaves the page, while leaving would lose an upload.

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

  /** Adds or removes the listener. A page with it can't enter the back-forward cache, so it is added only when needed. */
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
