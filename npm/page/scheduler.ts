// Spreads work over several tasks, so that the page can render and handle input between them.
import { anotherTask } from '../another-task.js';

/** Time after which work continues in another task, in milliseconds: half of a frame at 60 Hz. */
const TASK_MS = 8;

export class Scheduler {
  #last: Promise<void> = Promise.resolve();
  #since = 0;

  /** Resolves when the caller may continue. Calls resolve in order. */
  next(): Promise<void> {
    this.#last = this.#last.then(async () => {
      const now = performance.now();
      if (now - this.#since < TASK_MS) return;
      // If other tasks have run since the last call, this extra task is not needed. It costs little.
      if (this.#since > 0) await anotherTask();
      this.#since = performance.now();
    });
    return this.#last;
  }
}
