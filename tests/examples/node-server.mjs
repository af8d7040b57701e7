// Runs the example of a Node server with an S3 server: the server at `USE_S3` if this environment variable is set,
// otherwise the local server.
import { createHash, createHmac } from 'node:crypto';
import { join } from 'node:path';
import { curlAs, folder, sha256 } from '../e2e/bucket.mjs';
import { freePort } from '../e2e/server.mjs';
import { isServed, running, withServer } from '../toolchains/harness.mjs';
import { install } from './app.mjs';

export const TOKEN_KEY = 'a key of this test, 32 bytes long';
export const MAX_FILE_BYTES = 1 << 30;

/**
 * Starts the example, and calls `use` with its address, the S3 server and its log. `settings`: environment variables.
 */
export async function withNodeServer(use, settings = {}) {
  const app = install('node-server');
  const port = await freePort();
  const { USE_S3, BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  const start = (s3) => {
    const env = {
      BUCKET: s3.bucket,
      TOKEN_KEY,
      MAX_FILE_BYTES,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: s3.s3,
      AWS_ACCESS_KEY_ID: s3.access_key,
      AWS_SECRET_ACCESS_KEY: s3.secret_key,
      ...settings,
    };
    return running(
      app,
      ['npm', 'start'],
      async (address, log) => {
        await isServed(address);
        await use({ address, s3, log });
      },
      { port, env },
    );
  };
  if (USE_S3) {
    const keys = { access_key: AWS_ACCESS_KEY_ID, secret_key: AWS_SECRET_ACCESS_KEY };
    return start({ s3: USE_S3, s3_listen: USE_S3, bucket: BUCKET, ...keys });
  }
  const args = ['--allow-origin', `http://127.0.0.1:${port}`, '--control'];
  return withServer({ args }, start);
}

/** Returns the SHA-256 of an object's bytes, as S3 returns them. */
export async function storedDigest(s3, key) {
  const copy = join(folder, 'copy');
  curlAs(s3, `${s3.bucket}/${key}`, '--output', copy);
  return sha256(copy);
}

export const hex = (bytes) => createHash('sha256').update(bytes).digest('hex');
export const base64 = (bytes) => createHash('sha256').update(bytes).digest('base64');

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Returns a token with these claims, as the example makes it, or with another key or algorithm. */
export function seal(claims, { key = TOKEN_KEY, alg = 'HS256' } = {}) {
  const content = `${encode({ alg })}.${encode(claims)}`;
  const signature = alg === 'none' ? '' : createHmac('sha256', key).update(content).digest('base64url');
  return `${content}.${signature}`;
}

export const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
