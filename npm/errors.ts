// The error that every failed upload ends with.
import type { ErrorCode } from './types.js';

/** What crosses the worker's boundary in place of an error. */
export interface PlainError {
  message: string;
  code: ErrorCode;
  retryable: boolean;
  status: number;
  requestId?: string;
  resumeId?: string;
}

/** Why an upload failed. */
export class UploadError extends Error {
  /** Always the same. */
  override readonly name = 'UploadError';
  /** The stable name of what happened; `docs/errors.md` lists them. */
  readonly code: ErrorCode;
  /** Whether the same upload may succeed later. */
  readonly retryable: boolean;
  /** The HTTP status that it ended with; 0 when there was no answer. */
  readonly status: number;
  /** Names the request in the server's logs. */
  readonly requestId: string | undefined;
  /** What `resume` takes to go on with this upload; undefined if nothing of it is kept. */
  readonly resumeId: string | undefined;

  /** Made by the package alone. @internal */
  constructor(plain: PlainError, cause?: unknown) {
    super(plain.message, cause === undefined ? undefined : { cause });
    this.code = plain.code;
    this.retryable = plain.retryable;
    this.status = plain.status;
    this.requestId = plain.requestId;
    this.resumeId = plain.resumeId;
  }
}

/** What happened, in the words of `src/protocol/error_code.rs`, where no Wasm says them. */
const WORDS: { readonly [code in ErrorCode]?: string } = {
  'file-changed': 'The file changed or can no longer be read.',
  'file-too-large': 'The file is larger than is accepted here.',
  'file-too-small': 'The file is smaller than is accepted here.',
  'not-accepted': 'This file is not accepted here.',
  'too-many-files': 'No more files are accepted here.',
  'type-not-allowed': 'Files of this type are not accepted here.',
  'file-needed': 'The file has to be picked again.',
  'in-use': 'This upload is under way in another tab.',
  'upload-gone': 'The upload was completed, cancelled or cleaned up.',
  'wrong-file': 'This is not the file that the upload began with.',
};

/** An error for what never reached the engine. */
export function localError(code: ErrorCode, message?: string, cause?: unknown): UploadError {
  return new UploadError(plainError(code, message), cause);
}

/** The same, for the way out of a worker. */
export function plainError(code: ErrorCode, message: string = WORDS[code] ?? code): PlainError {
  return { message, code, retryable: code === 'in-use', status: 0 };
}
