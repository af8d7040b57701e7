// Shared by the contestants: URLs, division into parts, and the PUT of the hand-written contestants.

/** The settings of every contestant: parts of 8 MiB, 6 concurrent PUTs. */
export const PART_BYTES = 8 << 20;
export const AT_ONCE = 6;

/** Maximum size of a file that is sent in a single PUT, in bytes; the same as in directput. */
export const SINGLE_PUT_BYTES = 16 << 20;

let keys = 0;
export const newKey = () => `uploads/peer-${Date.now()}-${keys++}`;

/** Returns a URL that looks presigned. The bench's S3 sink does not check signatures. */
export function address({ s3, bucket }, key, query = '') {
  return `${s3}/${bucket}/${key}?X-Amz-Signature=unchecked${query && '&'}${query}`;
}

/** Calls a signing API that answers at once. Each contestant makes its usual number of calls. */
export async function callApi() {
  const reply = await fetch('/-/peer', { method: 'POST' });
  await reply.json();
}

/** PUTs a body. Resolves to the entity tag; rejects if the status is not 200. */
export function put(url, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.onload = () =>
      request.status === 200
        ? resolve(request.getResponseHeader('etag'))
        : reject(new Error(`status ${request.status}`));
    request.onerror = () => reject(new Error('the network failed'));
    request.send(body);
  });
}

/** Runs a job for each item, at most `atOnce` at the same time. */
export async function pool(items, atOnce, job) {
  const rest = items[Symbol.iterator]();
  const lane = async () => {
    for (const item of rest) await job(item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Divides files for the hand-written contestants: large files into parts, small files as a whole. */
export function portions(files) {
  return files.flatMap((file) => {
    const key = newKey();
    if (file.size <= SINGLE_PUT_BYTES) return [{ key, query: '', slice: file }];
    const count = Math.ceil(file.size / PART_BYTES);
    return Array.from({ length: count }, (_, index) => ({
      key,
      query: `partNumber=${index + 1}&uploadId=0`,
      slice: file.slice(index * PART_BYTES, (index + 1) * PART_BYTES),
    }));
  });
}
