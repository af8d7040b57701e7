// What tells one file from another without reading all of it.
import { localError } from '../errors.js';
import { SAMPLES_MS, within } from '../limits.js';

/** How much is read at the start, in the middle and at the end of the file, in bytes. */
const SAMPLE_BYTES = 65_536;

/**
 * The SHA-256 of a file's size and three samples, in hex. It shows which upload a file may belong to; whether its bytes
 * are those that were sent is for the parts' checksums to say. Name and time are no part of it: phones change them each
 * time that a file is picked. The second is what records had before, with both. Rejects with `file-changed` if the file
 * can't be read, and with `read-timeout`. Only for secure contexts; nothing is kept in others.
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
