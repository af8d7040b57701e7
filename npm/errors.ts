// `UploadError`: the error with which a failed upload rejects.
import type { ErrorCode, Remains } from './types.js';

/** The members of an `UploadError` as a plain object, which can be posted between page and worker. */
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
  /** `AbortError` if the upload was cancelled, as in the platform's own APIs; otherwise `UploadError`. */
  override readonly name: 'UploadError' | 'AbortError';
  /** The stable code of the error; `docs/errors.md` lists all codes. */
  readonly code: ErrorCode;
  /** Whether the same upload may succeed later. */
  readonly retryable: boolean;
  /** The HTTP status of the response that ended the upload; 0 without a response. */
  readonly status: number;
  /** Whether S3 still holds parts of the upload, or possibly the object. */
  readonly remains: Remains;
  /** The id of the request in the server's logs. */
  readonly requestId: string | undefined;
  /** The id for `resume`; undefined if this upload can't be resumed. */
  readonly resumeId: string | undefined;
  /** The value of the rule that refused the file: `minBytes` or `maxBytes`, in bytes, or `maxFiles`. */
  readonly limit: number | undefined;
  /** The actual value that broke the rule: the size of the file in bytes, or the number of files. */
  readonly actual: number | undefined;

  /** Only the package calls this. @internal */
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

/** Messages of errors that JavaScript raises; the same as in `src/protocol/error_code.rs`. */
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

/** Returns an error that JavaScript raises, not the Wasm module. */
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

/**
 * Turns any thrown value into an `UploadError`. An error with the name `UploadError` keeps its members: only the module
 * and this package make errors with that name.
 */
export function toUploadError(error: unknown, more?: Partial<PlainError>): UploadError {
  const isOne = error instanceof UploadError;
  if (isOne && !more) return error;
  const { name, message } = Object(error);
  const cause = isOne ? error.cause : error;
  if (isOne || name === 'UploadError') return new UploadError({ ...plainError(error as UploadError), ...more }, cause);
  // The code is not read from `error.code`: the browser's errors have a number there, and pages may throw any value.
  return localError('internal', String(message ?? error), error, { remains: 'unknown', ...more });
}

/** Returns the members of an error as a plain object, which can be posted between page and worker. */
export function plainError(error: PlainError): PlainError {
  const { message, code, retryable, status, remains, requestId, resumeId, limit, actual } = error;
  return { message, code, retryable, status, remains: remains ?? 'unknown', requestId, resumeId, limit, actual };
}
