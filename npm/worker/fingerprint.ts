// Fingerprints of files. They tell one file from another, and only samples of a file are read.
import { localError } from '../errors.js';
import { SAMPLES_MS, within } from '../limits.js';

/** Size of each sample, at the start, middle and end of the file, in bytes. */
const SAMPLE_BYTES = 65_536;

/**
 * Returns two fingerprints of a file, in hex. The first is the SHA-256 of the file's size and three samples. It finds
 * the upload that a file may belong to; the checksums of the parts then verify the bytes. It leaves out name and time,
 * because phones change both each time the user picks a file. The second fingerprint includes name and time, as records
 * of older versions do.
 *
 * Rejects with `file-changed` if the file can't be read, and with `read-timeout` if reading takes too long. Needs a
 * secure context; in other contexts no record is kept.
 */
export async function fingerprints(file: Blob): Promise<[now: string, before: string]> {
  const { name = '', lastModified = 0, size } = file as File;
  const end = Math.max(size - SAMPLE_BYTES, 0);
  const samples = [0, Math.floor(end / 2), end].map((start) => file.slice(start, start + SAMPLE_BYTES));
  const print = async (...about: unknown[]): Promise<string> => {
    const bytes = await new Blob([JSON.stringify(about), ...samples]).arrayBuffer().catch((cause) => {
      throw localError('file-changed', undefined, cause);
    });
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  const both = Promise.all([print(size), print(name, size, lastModified)]);
  return within(SAMPLES_MS, both, localError('read-timeout'));
}
