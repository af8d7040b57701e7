// Announces uploads to screen readers, in one polite live region and with a pause between announcements.
import { h } from './dom.js';
import type { Labels } from './labels.js';
import type { Transfer } from './transfer.js';

/** Minimum time between announcements, in milliseconds, so that a screen reader can finish one before the next. */
const SAY_EVERY_MS = 1_500;

/** Number of equal steps of an upload's progress. The end of each step but the last is announced. */
const QUARTERS = 4;

export class Speaker {
  readonly element = h('p', { part: 'status', role: 'status', 'aria-live': 'polite' });
  #waiting = new Map<unknown, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Announces a text about a subject. Replaces an earlier text about it that was not announced yet. */
  say(subject: unknown, text: string): void {
    this.#waiting.delete(subject);
    this.#waiting.set(subject, text);
    this.#timer ??= setTimeout(() => this.#speak(), 0);
  }

  /** Announces an upload's progress at each quarter. */
  progress(transfer: Transfer, { announce }: Labels): void {
    const quarter = Math.floor(transfer.share * QUARTERS);
    if (quarter === QUARTERS || quarter <= transfer.said) return;
    transfer.said = quarter;
    this.say(transfer, announce.progress(transfer.name, quarter / QUARTERS));
  }

  /** Announces the end of an upload. For a stored upload, announces `summary` instead, unless that is null. */
  end(transfer: Transfer, { announce, error, cancelled }: Labels, summary: string | null): void {
    const { name, state } = transfer;
    if (state === 'failed' && transfer.error) this.say(transfer, announce.failed(name, error(transfer.error)));
    else if (state === 'cancelled') this.say(transfer, announce.failed(name, cancelled));
    else if (state === 'stored' && summary) this.say('summary', summary);
    else if (state === 'stored') this.say(transfer, announce.stored(name));
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
