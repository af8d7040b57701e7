// What uploads tell on their way, many in one message: each costs both threads a task, and two hundred small files have
// a thousand things to say.
import type { PartNews, Progress, Retry } from './types.js';

/** What an upload tells of itself: one of these. */
export interface News {
  progress?: Progress;
  retry?: Retry;
  part?: PartNews;
  /** Whether a later visit could go on with it. */
  kept?: boolean;
  /** Another tab has let go of an upload; news of nobody. */
  freed?: true;
}

/** In place of the upload that news is of. */
export const NOBODY = -1;

/** News, and which upload it is of. */
export type Item = [id: number, news: News];

/** Messages are no closer together than this, in milliseconds. */
const SEND_EVERY_MS = 50;

/** Gathers news and sends it, the first at once. */
export class Gatherer {
  readonly #send: (items: Item[]) => unknown;
  #items: Item[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(send: (items: Item[]) => unknown) {
    this.#send = send;
  }

  add(id: number, news: News): void {
    const last = this.#items.filter(([other]) => other === id).at(-1);
    // Of two reports of one phase the second says all.
    if (last?.[1].progress && last[1].progress.phase === news.progress?.phase) last[1] = news;
    else this.#items.push([id, news]);
    this.#timer ??= setTimeout(() => this.#flush(), this.#sentAt + SEND_EVERY_MS - performance.now());
  }

  /** Hands out what is still unsent of an upload that has ended. */
  take(id: number): Item[] {
    const own = this.#items.filter(([other]) => other === id);
    this.#items = this.#items.filter(([other]) => other !== id);
    return own;
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#items.length === 0) return;
    this.#sentAt = performance.now();
    this.#send(this.#items.splice(0));
  }
}
