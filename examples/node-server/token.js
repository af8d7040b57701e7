// The upload token: the signed plan of an open upload. The client keeps the token, so the server needs no database.
import { errors, jwtVerify, SignJWT } from 'jose';
import { config } from './config.js';
import { Refusal } from './problem.js';

const KEY = new TextEncoder().encode(config.tokenKey);

/**
 * Returns the token with an upload's plan for its caller. The token is valid for `seconds` seconds and for this bucket.
 */
export function seal(plan, caller, seconds) {
  const token = new SignJWT(plan).setProtectedHeader({ alg: 'HS256' }).setSubject(caller).setAudience(config.bucket);
  return token.setExpirationTime(Math.floor(Date.now() / 1000) + seconds).sign(KEY);
}

/** Returns the plan in a token. Throws a `Refusal` if the token is not valid, or belongs to another caller. */
export async function open(token, caller) {
  if (!token) throw new Refusal('token-missing', 'upload-token');
  const options = { algorithms: ['HS256'], audience: config.bucket, requiredClaims: ['exp', 'sub'] };
  const { payload } = await jwtVerify(token, KEY, options).catch((error) => {
    throw new Refusal(error instanceof errors.JWTExpired ? 'token-expired' : 'token-invalid', 'upload-token');
  });
  if (payload.sub !== caller) throw new Refusal('not-your-upload', 'upload-token');
  return payload;
}
