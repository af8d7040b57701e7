// From the size of a file to its parts, within the limits of S3: 10,000 parts of 5 MiB to 5 GiB, the last one shorter.
const MIB = 2 ** 20;

export const MAX_PARTS = 10_000;
export const MAX_OBJECT_BYTES = MAX_PARTS * 5 * 2 ** 30;
/** Up to this size a file travels in one PUT. */
export const SINGLE_PUT_BYTES = 16 * MIB;

/** Returns the length of all parts but the last, in bytes. */
export const partSizeOf = (size) => Math.max(8 * MIB, Math.ceil(size / MAX_PARTS / MIB) * MIB);

export const partCountOf = ({ size, partSize }) => Math.max(1, Math.ceil(size / partSize));

/** Returns the length of a part, in bytes. */
export const lengthOf = ({ size, partSize }, number) => Math.min(partSize, size - (number - 1) * partSize);

/** Returns seconds until a URL expires: three times what its part and those before it take, in 60 to 300 s. */
export function urlSeconds(bytes, bitsPerSecond) {
  return Math.min(300, Math.max(60, Math.ceil((bytes * 8) / Math.max(1, bitsPerSecond)) * 3));
}

/** Returns seconds until the token of a single PUT expires: 15 minutes, and twice its time at 64 kbit/s. */
export const singlePutSeconds = (size) => 900 + 2 * Math.ceil(size / 8_000);
/** Not longer than the bucket's rule `AbortIncompleteMultipartUpload` keeps parts. */
export const MULTIPART_SECONDS = 604_800;
