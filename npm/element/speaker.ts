// What is said aloud of uploads, politely: one region, few words, and never two at once.
import { h } from './dom.js';

/** Nothing is said sooner after the last, in milliseconds: a screen reader would not get to the end of it. */
const SAY_EVERY_MS = 1_500;

export class Speaker {
  readonly element = h('p', { part: 'status', role: 'status', 'aria-live': 'polite' });
  #waiting = new Map<unknown, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Says something about a subject, in place of what was still to be said about it. */
  say(subject: unknown, text: string): void {
    this.#waiting.delete(subject);
    this.#waiting.set(subject, text);
    this.#timer ??= setTimeout(() => this.#speak(), 0);
  }

  #speak(): void {
    const texts = [...this.#waiting.values()];
    this.#waiting.clear();
    this.element.textContent = texts.slice(-3).join(' ');
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#waiting.size > 0) this.#speak();
    }, SAY_EVERY_MS);
  }
}
