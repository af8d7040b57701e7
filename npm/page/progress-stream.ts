// Progress for `for await`: a slow loop skips to the latest progress.
import type { Progress } from '../types.js';

/** Passes progress of an upload to one or more loops. */
export class ProgressStream {
  #progress: Progress | undefined;
  #count = 0;
  #wakes: (() => void)[] = [];

  set(progress: Progress): void {
    this.#progress = progress;
    this.#count += 1;
    for (const wake of this.#wakes.splice(0)) wake();
  }

  /** Yields progress until the upload ends. Throws the error if the upload rejects. */
  async *until(ended: Promise<unknown>): AsyncGenerator<Progress, void, undefined> {
    let isOver = false;
    const finish = (): void => {
      isOver = true;
    };
    // `finish` also marks a rejection as handled. The loop below throws the error.
    const over = ended.then(finish, finish);
    for (let seen = 0; ; ) {
      if (this.#progress && seen < this.#count) {
        seen = this.#count;
        yield this.#progress;
      } else if (isOver) {
        await ended;
        return;
      } else {
        await Promise.race([over, new Promise<void>((resolve) => this.#wakes.push(resolve))]);
      }
    }
  }
}
