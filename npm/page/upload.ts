// Follows one upload in the page, from the call until its promise settles.
import { localError, toUploadError, UploadError } from '../errors.js';
import { CANCEL_MS, within } from '../limits.js';
import type { Message } from '../message-batcher.js';
import type { ErrorCode, Remains, UploadResult } from '../types.js';
import type { Outcome } from '../worker/host.js';
import type { Connection } from './host-connection.js';
import type { LeaveWarning } from './leave-warning.js';

/** Passes an upload to the host of the module. Resolves to its outcome. */
export type Start = (connection: Connection, id: number) => Promise<Outcome>;

/** Values and functions of the uploader that an upload uses. */
interface Surroundings {
  /** Resolves when it is this upload's turn to start. */
  turn: Promise<readonly [Connection, Start]>;
  warning: LeaveWarning;
  signal: AbortSignal | undefined;
  /** The id of the earlier upload that this upload resumes; undefined for a new upload. */
  resumes: string | undefined;
  /** Called with each message of the upload. */
  onMessage(message: Message): void;
  /** Removes an upload of an earlier visit. */
  forget(id: string): Promise<void>;
}

export class FollowedUpload {
  readonly #id: number;
  readonly #around: Surroundings;
  /** The connection whose host runs the upload; undefined before the start. */
  #connection: Connection | undefined;
  #isOver = false;
  /** The id for `resume` if the record is on disk, otherwise null. Added to the error if the host is lost. */
  #keptId: string | null;
  readonly #stopped: Promise<never>;
  /** Rejects `result` at once, without waiting for the host. */
  readonly stop: (error: UploadError) => void;
  /** Resolves or rejects when the upload ends. */
  readonly result: Promise<UploadResult>;

  constructor(id: number, around: Surroundings) {
    this.#id = id;
    this.#around = around;
    this.#keptId = around.resumes ?? null;
    let stop!: this['stop'];
    this.#stopped = new Promise((_, reject) => {
      stop = reject;
    });
    this.stop = stop;
    this.result = this.#follow();
  }

  /** Handles a message of the upload. */
  hear(message: Message): void {
    const { kept } = message;
    if (kept !== undefined) {
      this.#keptId = kept;
      this.#around.warning.isKept(this.#id, kept !== null);
    }
    this.#around.onMessage(message);
  }

  /** Sends a command to the host, once the host has the upload. */
  send(command: (connection: Connection) => unknown): void {
    void this.#around.turn.then(([connection]) => command(connection)).catch(() => {});
  }

  /** Ends the upload and removes its parts in S3. Waits for the host only if the host has the upload. */
  cancel(): void {
    this.#leave('cancel', 'aborted');
    const { resumes, forget } = this.#around;
    // The host never got the upload, so the parts of the earlier visit are removed here.
    if (!this.#connection && resumes) forget(resumes).catch(() => {});
  }

  /** Ends the upload and keeps the parts that can be resumed. */
  close(): void {
    this.#leave('close', 'closed');
  }

  #leave(command: 'cancel' | 'close', code: ErrorCode): void {
    const { signal, resumes } = this.#around;
    const left = (remains: Remains): void => this.stop(localError(code, undefined, signal?.reason, { remains }));
    if (this.#connection) {
      within(CANCEL_MS, Promise.resolve(this.#connection.control(this.#id, command))).catch(() => left('unknown'));
    } else {
      left(!resumes ? 'nothing' : command === 'cancel' ? 'parts' : 'unknown');
    }
  }

  async #run(): Promise<UploadResult> {
    const { turn, signal } = this.#around;
    const [connection, start] = await turn;
    if (this.#isOver) return this.#stopped;
    this.#connection = connection;
    const outcome = await start(connection, this.#id);
    for (const [, message] of outcome.messages) this.hear(message);
    if (outcome.ok) return outcome.result;
    throw new UploadError(outcome.error, signal?.aborted ? signal.reason : undefined);
  }

  async #follow(): Promise<UploadResult> {
    const { warning, signal } = this.#around;
    const cancel = (): void => this.cancel();
    warning.begins(this.#id);
    try {
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) cancel();
      return await Promise.race([this.#run(), this.#stopped]);
    } catch (error) {
      const { remains } = toUploadError(error);
      const kept = this.#keptId && remains === 'unknown' && ({ remains: 'parts', resumeId: this.#keptId } as const);
      throw toUploadError(error, kept || undefined);
    } finally {
      this.#isOver = true;
      signal?.removeEventListener('abort', cancel);
      warning.ends(this.#id);
    }
  }
}
