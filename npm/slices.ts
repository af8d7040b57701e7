// Thousands of small things, done in slices: all at once they would take a second, in which the page does nothing else.
import { anotherTask } from './another-task.js';

/** Does things in the order in which they come, a few in each task. */
export class Slices {
  readonly #size: number;
  #queue: (() => void)[] = [];
  /** How many were done in this task. */
  #count = 0;

  /** Takes how many are done in one task. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Does something at once, or in a later task if others were enough for this one. */
  do(act: () => void): void {
    if (this.#count === 0) void anotherTask().then(() => this.#goOn());
    this.#count += 1;
    if (this.#count > this.#size) this.#queue.push(act);
    else act();
  }

  /** Takes out what still waits. */
  take(): (() => void)[] {
    return this.#queue.splice(0);
  }

  #goOn(): void {
    const next = this.#queue.splice(0, this.#size);
    this.#count = 0;
    for (const act of next) this.do(act);
    // What comes now waits for its turn, too.
    if (this.#queue.length > 0) this.#count = this.#size;
  }
}
