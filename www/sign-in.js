// Signs the page's user in at an OpenID provider, by the authorization code flow with PKCE (RFC 7636). Only a site whose
// config.json has `signIn` loads it. Tokens are kept in this page's memory and nowhere else.
import * as oauth from './oauth4webapi.js';

/** What has to outlast the way to the provider and back, in this tab's session storage. */
const PENDING = 'directput-sign-in';

/** A token is renewed this long before it expires, in milliseconds. */
const EARLY_MS = 60_000;

const kept = ({ access_token, refresh_token, expires_in = 3_600 }, refresh) => ({
  access: access_token,
  refresh: refresh_token ?? refresh,
  expires: Date.now() + expires_in * 1_000,
});

/**
 * @param {{ issuer: string, clientId: string, scope: string }} config
 * @returns {Promise<{ isSignedIn: boolean, trouble?: string, begin: () => Promise<void>, headers: () => Promise<Record<string, string>> }>}
 *   `begin` leaves the page for the provider. `headers` gives those of a call to the API, and renews the token if it can.
 *   `trouble` is why the user came back without one.
 */
export async function openSession({ issuer, clientId, scope }) {
  const url = new URL(issuer);
  // A provider on this machine, for tests.
  const options = { [oauth.allowInsecureRequests]: ['127.0.0.1', 'localhost'].includes(url.hostname) };
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options));
  const client = { client_id: clientId };
  const redirectUri = new URL(location.pathname, location.origin).href;
  let trouble;
  let tokens = await returned().catch((error) => {
    // The provider's code, such as `access_denied`, or what the library found wrong with its answer.
    trouble = error.error ?? error.message;
  });

  /** What the provider has sent the user back with, if it has. */
  async function returned() {
    const pending = JSON.parse(sessionStorage.getItem(PENDING));
    const here = new URL(location.href);
    if (!pending || !here.searchParams.has('state')) return undefined;
    sessionStorage.removeItem(PENDING);
    // The code is used up, and a reload must not send it again.
    history.replaceState(null, '', redirectUri);
    const { verifier, state, nonce } = pending;
    const parameters = oauth.validateAuthResponse(server, client, here, state);
    const reply = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      redirectUri,
      verifier,
      options,
    );
    const expected = { expectedNonce: nonce, requireIdToken: true };
    return kept(await oauth.processAuthorizationCodeResponse(server, client, reply, expected));
  }

  async function begin() {
    const pending = {
      verifier: oauth.generateRandomCodeVerifier(),
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
    };
    sessionStorage.setItem(PENDING, JSON.stringify(pending));
    const to = new URL(server.authorization_endpoint);
    for (const [name, value] of Object.entries({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: `openid ${scope}`.trim(),
      code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
      state: pending.state,
      nonce: pending.nonce,
    })) {
      to.searchParams.set(name, value);
    }
    location.assign(to);
  }

  async function renew() {
    const reply = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh, options);
    return kept(await oauth.processRefreshTokenResponse(server, client, reply), tokens.refresh);
  }

  async function headers() {
    if (Date.now() > tokens.expires - EARLY_MS && tokens.refresh) tokens = await renew();
    return { authorization: `Bearer ${tokens.access}` };
  }

  return { isSignedIn: tokens !== undefined, trouble, begin, headers };
}
