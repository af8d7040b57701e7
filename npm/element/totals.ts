// What is true of all transfers of `<direct-put>` together. What is done for one does not grow with their number.
import type { State, Transfer } from './transfer.js';

const SUMS = ['bytes', 'sentBytes', 'bytesLeft', 'bytesPerSecond'] as const;

/** What was counted of a transfer. */
type Counted = Pick<Totals, (typeof SUMS)[number]> & Pick<Transfer, 'state'>;

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
  /** Bytes that have not arrived, as far as uploads know that. */
  bytesLeft = 0;
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

  /** Counts a transfer as it is now. Returns whether the number of stored ones changed. */
  count(transfer: Transfer): boolean {
    const before = this.#counted.get(transfer);
    const { state, progress } = transfer;
    const isOut = state === 'failed' || state === 'cancelled';
    const bytes = isOut ? 0 : transfer.size;
    const sentBytes = isOut ? 0 : state === 'stored' ? bytes : (progress?.sentBytes ?? 0);
    const bytesPerSecond = state === 'running' ? (progress?.bytesPerSecond ?? 0) : 0;
    const bytesLeft = bytesPerSecond * (progress?.secondsLeft ?? 0) || bytes - sentBytes;
    const now = { state, bytes, sentBytes, bytesLeft, bytesPerSecond };
    this.#counted.set(transfer, now);
    if (before) this.#add(before, -1);
    this.#add(now, 1);
    return (before?.state === 'stored') !== (state === 'stored');
  }

  /** Stops counting a transfer. Returns whether it was stored. */
  drop(transfer: Transfer): boolean {
    const before = this.#counted.get(transfer);
    this.#counted.delete(transfer);
    if (before) this.#add(before, -1);
    return before?.state === 'stored';
  }

  #add(counted: Counted, sign: 1 | -1): void {
    this.counts[counted.state] += sign;
    for (const sum of SUMS) this[sum] += sign * counted[sum];
  }
}
