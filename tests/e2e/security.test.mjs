// The page under its security policy, and sign-in.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  assertStored,
  curlAs,
  ended,
  MIB,
  makeFile,
  objects,
  openPage,
  rowOf,
  SLOW,
  screenshot,
  setFaults,
  shownResult,
  startFaulty,
} from './harness.mjs';

const SECRET = 'a secret of the tests, and of nothing else';
const ISSUER = 'https://issuer.example';
const AUDIENCE = 'directput-page';

let server;
let guarded;

before(async () => {
  server = await startFaulty('open');
  const auth = ['--auth', `hs256:${SECRET}`, '--auth-issuer', ISSUER, '--auth-audience', AUDIENCE];
  guarded = await startFaulty('guarded', { args: auth });
});

after(async () => {
  await server?.stop();
  await guarded?.stop();
});

/** Returns a JWT of the issuer for a user. It expires in `seconds` seconds. */
function signIn(sub, seconds) {
  const base64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: ISSUER, aud: AUDIENCE, sub, iat: now - 60, exp: now + seconds };
  const signed = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64(claims)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

test('under the strictest policy the worker uploads a file without violations', async () => {
  const { page, troubles, close } = await openPage(server);
  const path = await makeFile('strict.bin', 40 * MIB);
  await page.setInputFiles('#file', path);
  await assertStored(path, await shownResult(rowOf(page)), server);
  const inWorker = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const uploaders = [1, 2].map(() => new Uploader({ endpoint: '/uploads' }));
    return Promise.all(uploaders.map((uploader) => uploader.runsInWorker()));
  });
  assert.deepEqual(inWorker, [true, true]);
  assert.deepEqual(troubles, []);
  await close();
});

test('the policy refuses foreign scripts, addresses, frames, styles and strings that become code', async () => {
  const { page, close } = await openPage(server);
  const seen = await page.evaluate(async () => {
    const violated = new Set();
    addEventListener('securitypolicyviolation', ({ effectiveDirective }) => violated.add(effectiveDirective));
    const attempts = [
      () => import('data:text/javascript,1'),
      () => Object.assign(document.createElement('p'), { innerHTML: '<b>x</b>' }),
      () => fetch('http://127.0.0.1:9/'),
      () => new Worker('/directput/worker.js'),
      () => document.body.append(Object.assign(document.createElement('img'), { src: '/pixel.png' })),
      () => document.body.append(Object.assign(document.createElement('iframe'), { src: '/' })),
      () => document.head.append(document.createElement('style').appendChild(new Text('p {}')).parentNode),
      () => trustedTypes.createPolicy('mine', {}),
    ];
    for (const attempt of attempts) {
      try {
        await attempt();
      } catch {
        // The policy refuses this, as expected.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    return [...violated].sort();
  });
  assert.deepEqual(seen, [
    'connect-src',
    'frame-src',
    'img-src',
    'require-trusted-types-for',
    'script-src-elem',
    'style-src-elem',
    'trusted-types',
  ]);
  await close();
});

test('every file name is shown as text on the page and in the bucket', async () => {
  const { page, troubles, close } = await openPage(server);
  const name = '<img src=x onerror="document.title=1"><b>&amp;"; filename=x.html\u202e.png';
  await page.setInputFiles('#file', { name, mimeType: 'image/png', buffer: Buffer.from('x') });
  const { key } = await shownResult(rowOf(page));
  assert.match(key, /^uploads\/[0-9a-f-]{36}\.png$/);
  assert.equal(await rowOf(page).locator('.name').textContent(), name);
  assert.equal(await page.locator('main img, main b').count(), 0);
  assert.notEqual(await page.title(), '1');
  assert.deepEqual(troubles, []);
  const headers = curlAs(server, `${server.bucket}/${key}`, '--dump-header', '-', '--output', '/dev/null');
  assert.match(headers, /^content-disposition: attachment\r$/im);
  const [, kept] = /^x-amz-meta-name: ([\x21-\x7e]+)\r$/im.exec(headers);
  assert.equal(decodeURIComponent(kept), name);
  await close();
});

test('page, package and API have security headers', async () => {
  for (const path of ['/', '/directput/worker.js', '/config.json']) {
    const { headers } = await fetch(`${server.page}${path}`);
    assert.match(headers.get('content-security-policy'), /default-src 'none'/, path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    assert.equal(headers.get('x-frame-options'), 'DENY', path);
    assert.equal(headers.get('referrer-policy'), 'no-referrer', path);
  }
  const { headers } = await fetch(`${server.page}/uploads`);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('cache-control'), 'no-store');
});

test('a signed-in user uploads below their own prefix, and gets a new token when the old one expires', async () => {
  const { page, close } = await openPage(guarded);
  await setFaults(guarded, SLOW);
  let asked = 0;
  // The first token has expired, and the second token expires during the upload.
  await page.exposeFunction('token', () => signIn('alice', [-10, 1, 600][Math.min(asked++, 2)]));
  const result = await page.evaluate(async (size) => {
    const { Uploader } = await import('/directput/index.js');
    const headers = async () => ({ authorization: `Bearer ${await token()}` });
    const uploader = new Uploader({ endpoint: '/uploads', headers });
    return uploader.upload(new File([new Uint8Array(size).fill(7)], 'mine.bin'));
  }, 100 * MIB);
  assert.match(result.key, /^uploads\/[0-9a-f]{32}\/[0-9a-f-]{36}\.bin$/);
  assert.ok(asked >= 3, `asked ${asked} times`);
  await close();
});

test('without sign-in the page shows an error, and no upload is opened', async () => {
  const { page, close } = await openPage(guarded);
  const before = objects(guarded).length;
  await page.setInputFiles('#file', { name: 'a.bin', mimeType: 'text/plain', buffer: Buffer.from('x') });
  const row = rowOf(page);
  await ended(row);
  assert.match(await row.locator('.error-code').textContent(), /^unauthorized/);
  assert.equal(objects(guarded).length, before);
  await screenshot(page, 'unauthorized');
  await close();
});
