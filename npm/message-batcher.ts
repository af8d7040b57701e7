// Batches messages of uploads. Each post costs a task in both threads, and 200 small files send 1,000 messages.
import type { PartNews, Progress, Retry } from './types.js';

/** A message of an upload. Has one of these members. */
export interface Message {
  progress?: Progress;
  retry?: Retry;
  part?: PartNews;
  /** The id for `resume`, once the upload's record is on disk; null if there is no record. */
  kept?: string | null;
  /** Another tab has released an upload. The id of the message is `NO_UPLOAD`. */
  freed?: true;
}

/** The id of messages that belong to no upload. */
export const NO_UPLOAD = -1;

/** A message with the id of its upload. */
export type Addressed = [id: number, message: Message];

/** Minimum time between two batches, in milliseconds. */
const SEND_EVERY_MS = 50;

/**
 * Collects messages and sends them in batches. The first batch is sent at once. The cost of a message does not grow
 * with the number of unsent messages.
 */
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
    // A progress message replaces an unsent one of the same phase.
    if (last && last.phase === message.progress?.phase) own.pop();
    own.push(message);
    this.#timer ??= setTimeout(() => this.#flush(), this.#sentAt + SEND_EVERY_MS - performance.now());
  }

  /** Removes and returns the unsent messages of an upload. */
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
