// Signs the user in at an OpenID provider, with the authorization code flow and PKCE (RFC 7636). Loaded only if config.json
// has `signIn`. Tokens stay in this page's memory and are not stored.
import * as oauth from './oauth4webapi.js';

/** Key in session storage of the values that must survive the redirect to the provider and back. */
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
 *   `begin` redirects to the provider. `headers` resolves to the headers for a call of the API, and renews the token if
 *   possible. `trouble`: why the user came back without a token.
 */
export async function openSession({ issuer, clientId, scope }) {
  const url = new URL(issuer);
  // Allows HTTP for a provider on this machine, for tests.
  const options = { [oauth.allowInsecureRequests]: ['127.0.0.1', 'localhost'].includes(url.hostname) };
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options));
  const client = { client_id: clientId };
  const redirectUri = new URL(location.pathname, location.origin).href;
  let trouble;
  let tokens = await returned().catch((error) => {
    // The provider's error code, such as `access_denied`, or the library's message about an invalid response.
    trouble = error.error ?? error.message;
  });

  /** Exchanges the code for tokens if the provider has just redirected back; otherwise resolves to undefined. */
  async function returned() {
    const pending = JSON.parse(sessionStorage.getItem(PENDING));
    const here = new URL(location.href);
    if (!pending || !here.searchParams.has('state')) return undefined;
    sessionStorage.removeItem(PENDING);
    // Removes the code from the URL: it can be used only once, and a reload must not send it again.
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
