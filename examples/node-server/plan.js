// Divides a file into parts within the limits of S3: at most 10,000 parts, each of 5 MiB to 5 GiB. The last part may be
// shorter.
const MIB = 2 ** 20;

export const MAX_PARTS = 10_000;
export const MAX_OBJECT_BYTES = MAX_PARTS * 5 * 2 ** 30;
/** Maximum size of a file that is sent in one PUT, in bytes. */
export const SINGLE_PUT_BYTES = 16 * MIB;

/** Returns the length of each part except the last, in bytes. */
export const partSizeOf = (size) => Math.max(8 * MIB, Math.ceil(size / MAX_PARTS / MIB) * MIB);

export const partCountOf = ({ size, partSize }) => Math.max(1, Math.ceil(size / partSize));

/** Returns the length of a part, in bytes. */
export const lengthOf = ({ size, partSize }, number) => Math.min(partSize, size - (number - 1) * partSize);

/**
 * Returns the time until a URL expires, in seconds, from 60 to 300: three times the time in which its part and the
 * parts before it are sent. `bytes` is the total length of these parts.
 */
export function urlSeconds(bytes, bitsPerSecond) {
  return Math.min(300, Math.max(60, Math.ceil((bytes * 8) / Math.max(1, bitsPerSecond)) * 3));
}

/**
 * Returns the time until the token of a single PUT expires, in seconds: 15 minutes, and twice the time of the PUT at
 * 64 kbit/s.
 */
export const singlePutSeconds = (size) => 900 + 2 * Math.ceil(size / 8_000);
/**
 * Time until the token of a multipart upload expires, in seconds: 7 days. The bucket's rule
 * `AbortIncompleteMultipartUpload` must keep parts for at least this time.
 */
export const MULTIPART_SECONDS = 604_800;
