// What is true of all transfers of `<direct-put>` together. What is done for one does not grow with their number.
import type { State, Transfer } from './transfer.js';

/** What was counted of a transfer. */
interface Counted {
  state: State;
  size: number;
  sent: number;
  speed: number;
}

export class Totals {
  readonly counts: Record<State, number> = {
    ready: 0,
    waiting: 0,
    running: 0,
    paused: 0,
    stored: 0,
    failed: 0,
    cancelled: 0,
  };
  /** Of all that are to be stored, or are. */
  bytes = 0;
  sentBytes = 0;
  bytesPerSecond = 0;
  readonly #counted = new Map<Transfer, Counted>();

  /** Number of transfers that are waiting, running or paused. */
  get underWay(): number {
    const { waiting, running, paused } = this.counts;
    return waiting + running + paused;
  }

  /** Number of places that `max-files` counts. */
  get taken(): number {
    return this.underWay + this.counts.ready + this.counts.stored;
  }

  has(transfer: Transfer): boolean {
    return this.#counted.has(transfer);
  }

  /** Counts a transfer as it is now. Says whether a stored one has come or gone. */
  count(transfer: Transfer): boolean {
    const before = this.#counted.get(transfer);
    const { state, size, share, progress } = transfer;
    const isOut = state === 'failed' || state === 'cancelled';
    const now = {
      state,
      size: isOut ? 0 : size,
      sent: isOut ? 0 : size * share,
      speed: state === 'running' ? (progress?.bytesPerSecond ?? 0) : 0,
    };
    this.#counted.set(transfer, now);
    if (before) this.#add(before, -1);
    this.#add(now, 1);
    return (before?.state === 'stored') !== (state === 'stored');
  }

  /** Counts a transfer no more. Says whether it was stored. */
  drop(transfer: Transfer): boolean {
    const before = this.#counted.get(transfer);
    this.#counted.delete(transfer);
    if (before) this.#add(before, -1);
    return before?.state === 'stored';
  }

  #add({ state, size, sent, speed }: Counted, sign: 1 | -1): void {
    this.counts[state] += sign;
    this.bytes += sign * size;
    this.sentBytes += sign * sent;
    this.bytesPerSecond += sign * speed;
  }
}
