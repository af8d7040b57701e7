// Spreads work over several tasks, so that between them the page can draw and hear its user.

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

/** Timers would do, but in a page that is not seen they come once a second. */
function anotherTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
