// What uploads tell on their way, many in one message: each costs both threads a task, and two hundred small files have
// a thousand things to say.
import type { PartNews, Progress, Retry } from './types.js';

/** What an upload tells of itself: one of these. */
export interface Message {
  progress?: Progress;
  retry?: Retry;
  part?: PartNews;
  /** What `resume` takes to go on with it, once that is written down; null if it no longer is. */
  kept?: string | null;
  /** Another tab has let go of an upload; news of nobody. */
  freed?: true;
}

/** In place of the upload that news is of. */
export const NOBODY = -1;

/** Message, and which upload it is of. */
export type Addressed = [id: number, news: Message];

/** Messages are no closer together than this, in milliseconds. */
const SEND_EVERY_MS = 50;

/** Gathers news and sends it, the first at once. What it does with one piece does not grow with what it holds. */
export class MessageBatcher {
  readonly #send: (items: Addressed[]) => unknown;
  readonly #unsent = new Map<number, Message[]>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(send: (items: Addressed[]) => unknown) {
    this.#send = send;
  }

  add(id: number, news: Message): void {
    const own = this.#unsent.get(id) ?? [];
    this.#unsent.set(id, own);
    const last = own.at(-1)?.progress;
    // Of two reports of one phase the second says all.
    if (last && last.phase === news.progress?.phase) own.pop();
    own.push(news);
    this.#timer ??= setTimeout(() => this.#flush(), this.#sentAt + SEND_EVERY_MS - performance.now());
  }

  /** Hands out what is still unsent of an upload that has ended. */
  take(id: number): Addressed[] {
    const own = this.#unsent.get(id) ?? [];
    this.#unsent.delete(id);
    return own.map((news) => [id, news]);
  }

  #flush(): void {
    this.#timer = undefined;
    const items = [...this.#unsent.keys()].flatMap((id) => this.take(id));
    if (items.length === 0) return;
    this.#sentAt = performance.now();
    this.#send(items);
  }
}
