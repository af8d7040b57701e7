// Progress for `for await`: a loop that is slow gets the latest progress, not all of it.
import type { Progress } from '../types.js';

/** Hands progress from an upload to one loop, or several. */
export class ProgressStream {
  #progress: Progress | undefined;
  #count = 0;
  #wakes: (() => void)[] = [];

  set(progress: Progress): void {
    this.#progress = progress;
    this.#count += 1;
    for (const wake of this.#wakes.splice(0)) wake();
  }

  /** Ends when the upload does, and throws what it rejects with. */
  async *until(ended: Promise<unknown>): AsyncGenerator<Progress, void, undefined> {
    let isOver = false;
    const finish = (): void => {
      isOver = true;
    };
    // The loop throws it, so it is handled.
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
