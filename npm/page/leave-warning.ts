// Has the browser ask before the page is left, but only while an upload would be lost by it.

/** The uploads under way, and which of them no later visit could go on with. */
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

  /** A page that listens is never kept in the back-forward cache, so it listens only while it has to. */
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
