// Which failures a new try can't change, for whatever tries all again.
import type { UploadError } from './errors.js';
import type { ErrorCode } from './types.js';

const HOPELESS: readonly ErrorCode[] = [
  'type-not-allowed',
  'file-too-large',
  'file-too-small',
  'not-accepted',
  'file-changed',
  'wrong-file',
  'file-needed',
];

/** Whether the same upload of the same file would fail again. */
export const isHopeless = (error: UploadError | undefined): boolean => HOPELESS.includes(error?.code as ErrorCode);
