// Messages of uploads, batched: each transfer costs both threads a task, and two hundred small files have a thousand
// messages.
import type { PartNews, Progress, Retry } from './types.js';

/** A message of an upload: one of these members. */
export interface Message {
  progress?: Progress;
  retry?: Retry;
  part?: PartNews;
  /** What `resume` takes, once that is written down; null if it no longer is. */
  kept?: string | null;
  /** Another tab has released an upload. Its number is `NO_UPLOAD`. */
  freed?: true;
}

/** In place of an upload's number. */
export const NO_UPLOAD = -1;

/** A message and the upload that it is of. */
export type Addressed = [id: number, message: Message];

/** Messages are no closer together than this, in milliseconds. */
const SEND_EVERY_MS = 50;

/** Collects messages and sends them in batches, the first at once. The work for a message does not grow with what it holds. */
export class MessageBatcher {
  readonly #send: (messages: Addressed[]) => unknown;
  readonly #unsent = new Map<number, Message[]>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(send: (messages: Addressed[]) => unknown) {
    this.#send = send;
  }

  add(id: number, message: Message): void {
    const own = this.#unsent.get(id) ?? [];
    this.#unsent.set(id, own);
    const last = own.at(-1)?.progress;
    // The later of two reports of one phase replaces the earlier.
    if (last && last.phase === message.progress?.phase) own.pop();
    own.push(message);
    this.#timer ??= setTimeout(() => this.#flush(), this.#sentAt + SEND_EVERY_MS - performance.now());
  }

  /** Hands out what is still unsent of an upload that has ended. */
  take(id: number): Addressed[] {
    const own = this.#unsent.get(id) ?? [];
    this.#unsent.delete(id);
    return own.map((message) => [id, message]);
  }

  #flush(): void {
    this.#timer = undefined;
    const messages = [...this.#unsent.keys()].flatMap((id) => this.take(id));
    if (messages.length === 0) return;
    this.#sentAt = performance.now();
    this.#send(messages);
  }
}
