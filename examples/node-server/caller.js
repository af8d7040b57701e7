// Identifies callers by a random id in a cookie. Replace this file by your sign-in. An upload belongs to the id that
// `callerOf` returns.
import { randomUUID } from 'node:crypto';

const COOKIE = /(?:^|; )caller=([\w-]{36})(?:;|$)/;
const SECONDS = 604_800;

/** Returns the id of the caller; undefined if the request has no such cookie. */
export const callerOf = (request) => COOKIE.exec(request.headers.cookie ?? '')?.[1];

/**
 * Sets the cookie with the id, for a visitor of the page. With `SameSite`, pages of other sites can't use the cookie.
 */
export function welcome(request, response) {
  const id = callerOf(request) ?? randomUUID();
  response.setHeader('set-cookie', `caller=${id}; Path=/; Max-Age=${SECONDS}; HttpOnly; SameSite=Strict`);
}
