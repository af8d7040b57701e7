// Options of `createUploads` from environment variables, and an `authorize` that reads the callers' JWTs.
import { createHmac } from 'node:crypto';

/** Secret of the callers' JWTs in the Rust tests. */
const SECRET = 'a secret of thirty-two characters';

const list = (text) => text?.split(',');
const number = (text) => (text === undefined ? undefined : Number(text));

export function optionsFrom(env) {
  return {
    bucket: env.BUCKET,
    region: env.AWS_REGION,
    endpoint: env.S3_ENDPOINT,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
    tokenKey: env.TOKEN_KEY,
    maxFileBytes: number(env.MAX_FILE_BYTES),
    allowedTypes: list(env.ALLOWED_TYPES),
    allowedChecksums: list(env.ALLOWED_CHECKSUMS),
    downloadNames: env.DOWNLOAD_NAMES,
    minUrlSeconds: number(env.URL_MIN_SECONDS),
    maxUrlSeconds: number(env.URL_MAX_SECONDS),
    tokenSeconds: number(env.TOKEN_SECONDS),
    onAnswered: () => {},
    authorize: env.HAS_AUTH ? callerOf : 'anyone',
  };
}

/** Returns the caller in a request's JWT (HS256), or null. */
function callerOf(request) {
  const [, token] = /^Bearer (.*)$/.exec(request.headers.get('authorization') ?? '') ?? [];
  const [header, payload, signature] = token?.split('.') ?? [];
  if (signature === undefined) return null;
  const expected = createHmac('sha256', SECRET).update(`${header}.${payload}`).digest('base64url');
  if (signature !== expected) return null;
  const { sub, exp } = JSON.parse(Buffer.from(payload, 'base64url'));
  return exp > Date.now() / 1_000 ? { caller: sub } : null;
}
