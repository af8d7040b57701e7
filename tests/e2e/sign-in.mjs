// Stand-ins for a stage with sign-in: an OpenID provider, and a site like that of `aws/site.yaml`.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { extname, join } from 'node:path';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

async function listen(handle) {
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error) => outgoing.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { address: `http://127.0.0.1:${server.address().port}`, close };
}

const json = (outgoing, status, value) =>
  outgoing
    .writeHead(status, { 'content-type': 'application/json', 'access-control-allow-origin': '*' })
    .end(JSON.stringify(value));

/**
 * Starts a provider whose user always agrees, or never agrees if `refuses` is set. Its tokens expire after `seconds`.
 */
export async function startProvider({ clientId, user, seconds = 3600 }) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map();
  const provider = { refuses: false, seconds, grants: [], asked: [] };
  const base64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jwt = (claims) => {
    const now = Math.floor(Date.now() / 1000);
    const full = { iss: provider.issuer, aud: clientId, sub: user, iat: now, exp: now + 3600, ...claims };
    const signed = `${base64({ alg: 'RS256', kid: '1', typ: 'JWT' })}.${base64(full)}`;
    return `${signed}.${sign('sha256', signed, privateKey).toString('base64url')}`;
  };
  const tokens = (nonce) => ({
    token_type: 'Bearer',
    access_token: jwt({ jti: randomUUID() }),
    refresh_token: 'refresh',
    expires_in: provider.seconds,
    ...(nonce && { id_token: jwt({ nonce }) }),
  });
  const server = await listen(async (incoming, outgoing) => {
    const url = new URL(incoming.url, provider.issuer);
    const asked = Object.fromEntries(url.searchParams);
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json(outgoing, 200, {
          issuer: provider.issuer,
          authorization_endpoint: `${provider.issuer}/authorize`,
          token_endpoint: `${provider.issuer}/token`,
          jwks_uri: `${provider.issuer}/jwks`,
          id_token_signing_alg_values_supported: ['RS256'],
        });
      case '/authorize': {
        provider.asked.push(asked);
        const back = new URL(asked.redirect_uri);
        back.searchParams.set('state', asked.state);
        if (provider.refuses) {
          back.searchParams.set('error', 'access_denied');
        } else {
          const code = randomUUID();
          codes.set(code, asked);
          back.searchParams.set('code', code);
        }
        return outgoing.writeHead(302, { location: back.href }).end();
      }
      case '/token': {
        let body = '';
        for await (const piece of incoming) body += piece;
        const form = Object.fromEntries(new URLSearchParams(body));
        provider.grants.push(form.grant_type);
        if (form.grant_type === 'refresh_token') return json(outgoing, 200, tokens());
        const known = codes.get(form.code);
        codes.delete(form.code);
        const challenge = createHash('sha256').update(form.code_verifier).digest('base64url');
        const isGood = known?.code_challenge === challenge && known.redirect_uri === form.redirect_uri;
        return isGood ? json(outgoing, 200, tokens(known.nonce)) : json(outgoing, 400, { error: 'invalid_grant' });
      }
      default:
        return json(outgoing, 404, {});
    }
  });
  provider.issuer = server.address;
  provider.close = server.close;
  /** Key set for `directput-local --auth jwks:<file>`. */
  provider.keys = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256', use: 'sig' }] };
  return provider;
}

/** Returns the Content Security Policy of the template `aws/site.yaml` for these addresses. */
function policy(bucket, sources) {
  const [, text] = readFileSync('aws/site.yaml', 'utf8').match(/ContentSecurityPolicy: !Sub >-\n([\s\S]*?)\n {10}\w/);
  // The template has several host names for the bucket, and these tests have one.
  const filled = text.replace(/https:\/\/\S*directput-\S+/g, bucket).replace(/\$\{ConnectSources\}/, sources);
  assert.doesNotMatch(filled, /\$\{/);
  return filled.replace(/\s+/g, ' ').trim();
}

const LIBRARY = 'node_modules/oauth4webapi/build/index.js';

/** Serves page, package and library as `stack.py site` uploads them. When `api` is set, also serves the API. */
export async function startSite(signIn) {
  const site = {};
  const server = await listen(async (incoming, outgoing) => {
    const { api } = site;
    const config = JSON.stringify({ endpoint: '/uploads', preconnect: api.s3, signIn });
    const sources = new URL(signIn.issuer).origin;
    const headers = { 'content-security-policy': policy(api.s3, sources), 'cache-control': 'no-cache' };
    const { pathname } = new URL(incoming.url, 'http://site');
    if (pathname.startsWith('/uploads')) {
      const { hostname, port } = new URL(api.page);
      const options = { hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers };
      const onwards = request(options, (reply) => {
        outgoing.writeHead(reply.statusCode, reply.headers);
        reply.pipe(outgoing);
      });
      return incoming.pipe(onwards);
    }
    if (pathname === '/config.json')
      return outgoing.writeHead(200, { ...headers, 'content-type': TYPES['.json'] }).end(config);
    const [, inPackage] = /^\/directput\/(.*)/.exec(pathname) ?? [];
    const inPage = pathname === '/oauth4webapi.js' ? LIBRARY : join('www', pathname === '/' ? 'index.html' : pathname);
    const path = inPackage ? join('pkg', inPackage) : inPage;
    if (!existsSync(path)) return outgoing.writeHead(404).end();
    outgoing.writeHead(200, { ...headers, 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
    createReadStream(path).pipe(outgoing);
  });
  return Object.assign(site, { page: server.address, close: server.close });
}
