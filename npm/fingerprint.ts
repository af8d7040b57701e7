// What tells one file from another without reading all of it.
import { plainError } from './errors.js';

/** How much is read at the start, in the middle and at the end of the file, in bytes. */
const SAMPLE_BYTES = 65_536;

/**
 * The SHA-256 of a file's name, size, time of change and three samples, in hex. It says which upload a file may belong
 * to; whether its bytes are those that were sent is for the parts' checksums to say. Rejects with `file-changed` if the
 * file can't be read. Only for secure contexts; nothing is kept in others.
 */
export async function fingerprint(file: Blob): Promise<string> {
  const { name = '', lastModified = 0 } = file as Partial<File>;
  const end = Math.max(file.size - SAMPLE_BYTES, 0);
  const samples = [0, Math.floor(end / 2), end].map((start) => file.slice(start, start + SAMPLE_BYTES));
  const about = JSON.stringify([name, file.size, lastModified]);
  const bytes = await new Blob([about, ...samples]).arrayBuffer().catch(() => {
    throw plainError('file-changed');
  });
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
