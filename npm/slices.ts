// Runs thousands of small actions in slices. In one task they would block the page for a second.
import { anotherTask } from './another-task.js';

/** Runs actions in order, a limited number in each task. */
export class Slices {
  readonly #size: number;
  #queue: (() => void)[] = [];
  /** Number of actions run or queued in this task. */
  #count = 0;

  /** Takes the number of actions to run in one task. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Runs an action at once, or in a later task if this task has reached its limit. */
  do(act: () => void): void {
    if (this.#count === 0) void anotherTask().then(() => this.#goOn());
    this.#count += 1;
    if (this.#count > this.#size) this.#queue.push(act);
    else act();
  }

  /** Removes and returns the actions that still wait. */
  take(): (() => void)[] {
    return this.#queue.splice(0);
  }

  #goOn(): void {
    const next = this.#queue.splice(0, this.#size);
    this.#count = 0;
    for (const act of next) this.do(act);
    // New actions go to the end of the queue while it is not empty.
    if (this.#queue.length > 0) this.#count = this.#size;
  }
}
