// Options of `createUploads` from environment variables, and an `authorize` that reads the callers' JWTs. It uses no
// Node modules, because the Worker uses it too.

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

const utf8 = (text) => new TextEncoder().encode(text);
const fromBase64Url = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));

/** Returns the caller in a request's JWT (HS256), or null. */
async function callerOf(request) {
  const [, token] = /^Bearer (.*)$/.exec(request.headers.get('authorization') ?? '') ?? [];
  const [header, payload, signature] = token?.split('.') ?? [];
  if (signature === undefined) return null;
  const key = await crypto.subtle.importKey('raw', utf8(SECRET), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  const signed = utf8(`${header}.${payload}`);
  try {
    if (!(await crypto.subtle.verify('HMAC', key, fromBase64Url(signature), signed))) return null;
    const { sub, exp } = JSON.parse(new TextDecoder().decode(fromBase64Url(payload)));
    return exp > Date.now() / 1_000 ? { caller: sub } : null;
  } catch {
    // Text that is not Base64 or not JSON.
    return null;
  }
}
