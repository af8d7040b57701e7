// Finds the failures that a retry can't change, so that "retry all" leaves them out.
import type { UploadError } from './errors.js';

const HOPELESS = /^(type-not-allowed|not-accepted|wrong-file|file-(too-large|too-small|changed|needed))$/;

/** Returns whether the same upload of the same file would fail again. */
export const isHopeless = (error: UploadError | undefined): boolean => HOPELESS.test(`${error?.code}`);
