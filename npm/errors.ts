// The error that every failed upload ends with.
import type { ErrorCode, Remains } from './types.js';

/** What crosses the worker's boundary in place of an error. */
export interface PlainError {
  message: string;
  code: ErrorCode;
  retryable: boolean;
  status: number;
  remains: Remains;
  requestId?: string | undefined;
  resumeId?: string | undefined;
  limit?: number | undefined;
  actual?: number | undefined;
}

/** Why an upload failed. */
export class UploadError extends Error {
  /** `AbortError` if the upload was cancelled, as the platform's own promises have it; `UploadError` otherwise. */
  override readonly name: 'UploadError' | 'AbortError';
  /** The stable name of what happened; `docs/errors.md` lists them. */
  readonly code: ErrorCode;
  /** Whether the same upload may succeed later. */
  readonly retryable: boolean;
  /** The HTTP status that it ended with; 0 when there was no answer. */
  readonly status: number;
  /** What S3 holds of the upload. */
  readonly remains: Remains;
  /** Names the request in the server's logs. */
  readonly requestId: string | undefined;
  /** What `resume` takes to go on with this upload; undefined if nothing of it is kept. */
  readonly resumeId: string | undefined;
  /** What the page's rule allows, if one refused the file: `minBytes` or `maxBytes`, in bytes, or `maxFiles`. */
  readonly limit: number | undefined;
  /** What there is in its place: the size of the file in bytes, or the number of files. */
  readonly actual: number | undefined;

  /** Made by the package alone. @internal */
  constructor(plain: PlainError, cause?: unknown) {
    super(plain.message, cause === undefined ? undefined : { cause });
    this.name = plain.code === 'aborted' ? 'AbortError' : 'UploadError';
    this.code = plain.code;
    this.retryable = plain.retryable;
    this.status = plain.status;
    this.remains = plain.remains;
    this.requestId = plain.requestId;
    this.resumeId = plain.resumeId;
    this.limit = plain.limit;
    this.actual = plain.actual;
  }
}

/** Titles of errors that arise in JavaScript, as in `src/protocol/error_code.rs`. */
const WORDS: { readonly [code in ErrorCode]?: string } = {
  aborted: 'The upload was cancelled.',
  closed: 'The uploader was closed.',
  'file-changed': 'The file changed or can no longer be read.',
  'file-too-large': 'The file is larger than is accepted here.',
  'file-too-small': 'The file is smaller than is accepted here.',
  'not-accepted': 'This file is not accepted here.',
  'too-many-files': 'No more files are accepted here.',
  'type-not-allowed': 'Files of this type are not accepted here.',
  'file-needed': 'The file has to be picked again.',
  'in-use': 'This upload is under way in another tab.',
  'read-timeout': 'The file could not be read in time.',
  'upload-gone': 'The upload was completed, cancelled or cleaned up.',
  'worker-lost': "The uploader's worker has stopped.",
  'load-failed': 'The uploader could not be loaded.',
  'unsupported-environment': 'Files cannot be uploaded from this browser.',
  'wrong-file': 'This is not the file that the upload began with.',
};

const RETRYABLE: readonly ErrorCode[] = ['closed', 'in-use', 'internal', 'read-timeout', 'worker-lost', 'load-failed'];

/** An error of what the module does not say. */
export function localError(
  code: ErrorCode,
  message?: string,
  cause?: unknown,
  more?: Partial<PlainError>,
): UploadError {
  const retryable = RETRYABLE.includes(code);
  return new UploadError(
    { message: message ?? WORDS[code] ?? code, code, retryable, status: 0, remains: 'nothing', ...more },
    cause,
  );
}

/** Whatever was thrown, as an `UploadError`. Only the module and this package make errors of that name. */
export function toUploadError(error: unknown, more?: Partial<PlainError>): UploadError {
  const isOne = error instanceof UploadError;
  if (isOne && !more) return error;
  const { name, message } = Object(error);
  const cause = isOne ? error.cause : error;
  if (isOne || name === 'UploadError') return new UploadError({ ...plainError(error as UploadError), ...more }, cause);
  // Browsers throw errors whose `code` is a number, and pages throw anything.
  return localError('internal', String(message ?? error), error, { remains: 'unknown', ...more });
}

/** The members of an error, for the way out of a worker. */
export function plainError(error: PlainError): PlainError {
  const { message, code, retryable, status, remains, requestId, resumeId, limit, actual } = error;
  return { message, code, retryable, status, remains: remains ?? 'unknown', requestId, resumeId, limit, actual };
}
