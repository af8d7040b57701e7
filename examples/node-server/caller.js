// Tells callers apart by a random id in a cookie. Put your sign-in in its place: an upload belongs to what this returns.
import { randomUUID } from 'node:crypto';

const COOKIE = /(?:^|; )caller=([\w-]{36})(?:;|$)/;
const SECONDS = 604_800;

/** Returns the id of the caller, if there is one. */
export const callerOf = (request) => COOKIE.exec(request.headers.cookie ?? '')?.[1];

/** Gives a visitor of the page an id. `SameSite` keeps pages of other sites from calling in its name. */
export function welcome(request, response) {
  const id = callerOf(request) ?? randomUUID();
  response.setHeader('set-cookie', `caller=${id}; Path=/; Max-Age=${SECONDS}; HttpOnly; SameSite=Strict`);
}
