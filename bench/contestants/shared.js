// What the contestants share: where to send, in which portions, and the PUT that all hand-written ones make.

/** The setting that every contestant gets: 8 MiB parts, 6 at once. */
export const PART_BYTES = 8 << 20;
export const AT_ONCE = 6;

/** A file of at most so many bytes goes in one PUT, as with directput. */
export const SINGLE_PUT_BYTES = 16 << 20;

let keys = 0;
export const newKey = () => `uploads/peer-${Date.now()}-${keys++}`;

/** An address that the sink takes as signed: it checks nothing. */
export function address({ s3, bucket }, key, query = '') {
  return `${s3}/${bucket}/${key}?X-Amz-Signature=unchecked${query && '&'}${query}`;
}

/** A call of a signing API, which is answered at once. The uploaders that need one make as many as they make. */
export async function callApi() {
  const reply = await fetch('/-/peer', { method: 'POST' });
  await reply.json();
}

/** PUTs a body; resolves with the entity tag, rejects without one. */
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

/** Runs a job for each item, so many at once. */
export async function pool(items, atOnce, job) {
  const rest = items[Symbol.iterator]();
  const lane = async () => {
    for (const item of rest) await job(item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** The portions in which a hand-written uploader sends files: parts of large ones, small ones whole. */
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
