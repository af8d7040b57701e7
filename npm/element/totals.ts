// Totals over all transfers of `<direct-put>`. A change of one transfer costs the same, however many there are.
import type { State, Transfer } from './transfer.js';

const SUMS = ['bytes', 'sentBytes', 'bytesLeft', 'bytesPerSecond', 'retryable'] as const;

/** The values that the totals include for a transfer. */
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
  /** Size in bytes of all transfers, except failed and cancelled ones. */
  bytes = 0;
  sentBytes = 0;
  /** Bytes that have not arrived at S3, as estimated by the uploads. */
  bytesLeft = 0;
  bytesPerSecond = 0;
  /** Number of failed transfers that a retry may store. */
  retryable = 0;
  readonly #counted = new Map<Transfer, Counted>();

  /** Number of transfers that are waiting, running or paused. */
  get underWay(): number {
    const { waiting, running, paused } = this.counts;
    return waiting + running + paused;
  }

  /** Number of all transfers. */
  get all(): number {
    return this.#counted.size;
  }

  /** Number of transfers that count for `max-files`. */
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
    const retryable = Number(transfer.canRetry);
    const now = { state, bytes, sentBytes, bytesLeft, bytesPerSecond, retryable };
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
