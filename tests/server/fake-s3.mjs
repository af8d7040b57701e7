// A fake S3 in place of `fetch`. It records the calls of the API, and gives the answers that the test sets.
import { createUploads } from '../../pkg/server/index.js';

export const OPTIONS = {
  bucket: 'bucket',
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKID', secretAccessKey: 'hush' },
  tokenKey: 'k'.repeat(32),
  authorize: 'anyone',
};

export const CREATED = '<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>';

/** Replaces `fetch` until the test ends. Returns the list of calls, and the list of answers to come. */
export function fakeS3(t) {
  const original = globalThis.fetch;
  const calls = [];
  const answers = [];
  globalThis.fetch = async (url, { method, headers, body }) => {
    calls.push({ method, url, headers: Object.fromEntries(headers), body: body && new TextDecoder().decode(body) });
    const [status, xml] = answers.shift() ?? [0];
    if (!status) throw new TypeError('fetch failed');
    return new Response(status === 204 ? null : xml, { status });
  };
  t.after(() => {
    globalThis.fetch = original;
  });
  return { calls, answers };
}

/** Returns a function that sends a request to an API with these options. */
export function client(options = {}) {
  const uploads = createUploads({ ...OPTIONS, ...options });
  return async (method, path, { token, body, headers = {} } = {}) => {
    const init = { method, headers: { ...headers } };
    if (token) init.headers['upload-token'] = token;
    if (body !== undefined) {
      init.headers['content-type'] = 'application/json';
      init.body = typeof body === 'string' ? body : JSON.stringify(body);
    }
    const reply = await uploads(new Request(`http://api.example${path}`, init));
    const text = await reply.text();
    return { status: reply.status, headers: reply.headers, body: text && JSON.parse(text) };
  };
}

export const CHECKSUM = 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=';

/** A file of one part. */
export const SMALL = {
  name: 'note.txt',
  type: 'text/plain',
  size: 5,
  parts: [{ number: 1, length: 5, checksum: CHECKSUM }],
};

/** A file of three parts. */
export const LARGE = { name: 'film.mp4', type: 'video/mp4', size: 20 * 2 ** 20 };
