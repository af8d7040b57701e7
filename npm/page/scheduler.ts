// Spreads work over several tasks, so that between them the page can draw and hear its user.
import { anotherTask } from '../another-task.js';

/** A task that takes longer than this gives way, in milliseconds: half of what a frame has. */
const TASK_MS = 8;

export class Scheduler {
  #last: Promise<void> = Promise.resolve();
  #since = 0;

  /** Resolves when it is the caller's turn, in the order of the calls. */
  next(): Promise<void> {
    this.#last = this.#last.then(async () => {
      const now = performance.now();
      if (now - this.#since < TASK_MS) return;
      // Between one time and the next there may have been other tasks; to give way once more costs little.
      if (this.#since > 0) await anotherTask();
      this.#since = performance.now();
    });
    return this.#last;
  }
}
