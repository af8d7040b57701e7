// The page of a stage with sign-in: the user signs in at the provider, returns, and uploads.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { folder, makeFile, openPage, rowOf, screenshot, shownResult, startFaulty, visit } from './harness.mjs';
import { startProvider, startSite } from './sign-in.mjs';

const CLIENT_ID = 'the-page';

let provider;
let site;
let api;

before(async () => {
  provider = await startProvider({ clientId: CLIENT_ID, user: 'somebody' });
  const keys = join(folder, 'jwks.json');
  writeFileSync(keys, JSON.stringify(provider.keys));
  site = await startSite({ issuer: provider.issuer, clientId: CLIENT_ID, scope: 'uploads' });
  const auth = ['--auth', `jwks:${keys}`, '--auth-issuer', provider.issuer, '--auth-audience', CLIENT_ID];
  api = await startFaulty('signed-in', { args: [...auth, '--allow-origin', site.page] });
  site.api = api;
});

beforeEach(() => {
  Object.assign(provider, { refuses: false, seconds: 3600, grants: [], asked: [] });
});

after(async () => {
  await api?.stop();
  site?.close();
  provider?.close();
});

/** Signs in, and waits until the page has loaded again. */
async function signIn(page) {
  await Promise.all([page.waitForEvent('framenavigated'), page.locator('#sign-in-button').click()]);
  await page.locator('body[data-state=ready]').waitFor();
}

/** Checks that the object is equal to the file, and that its key begins with the hash of the caller. */
async function assertStoredOfCaller(path, page) {
  const { key } = await shownResult(rowOf(page));
  assert.match(key, /^uploads\/[0-9a-f]{32}\/[0-9a-f-]{36}\.bin$/);
  assert.ok(readFileSync(join(api.data, api.bucket, key)).equals(readFileSync(path)));
}

test('a user signs in with PKCE and uploads, and neither address nor storage keeps a secret', async () => {
  const { page, troubles, close } = await openPage(site);
  assert.equal(await page.locator('direct-put').isVisible(), false);
  await screenshot(page, 'sign-in');
  await signIn(page);
  assert.equal(await page.locator('#sign-in-trouble').textContent(), '');
  assert.equal(await page.locator('#sign-in').isVisible(), false);
  const [asked] = provider.asked;
  assert.deepEqual(
    [asked.response_type, asked.code_challenge_method, asked.scope, asked.client_id],
    ['code', 'S256', 'openid uploads', CLIENT_ID],
  );
  const path = await makeFile('signed-in.bin', 100_000);
  await page.setInputFiles('#file', path);
  await assertStoredOfCaller(path, page);
  const left = await page.evaluate(() => [location.search, sessionStorage.length, localStorage.length]);
  assert.deepEqual(left, ['', 0, 0]);
  assert.deepEqual(troubles, []);
  await close();
});

test('a token that is about to expire is renewed before it is used', async () => {
  provider.seconds = 30;
  const { page, close } = await openPage(site);
  await signIn(page);
  provider.seconds = 3600;
  const path = await makeFile('renewed.bin', 1_000);
  await page.setInputFiles('#file', path);
  await assertStoredOfCaller(path, page);
  assert.deepEqual(provider.grants, ['authorization_code', 'refresh_token']);
  await close();
});

test('a refusal is shown, and the user can try again', async () => {
  provider.refuses = true;
  const { page, close } = await openPage(site);
  await signIn(page);
  assert.equal(await page.locator('#sign-in-trouble').textContent(), 'That failed: access_denied');
  provider.refuses = false;
  await signIn(page);
  assert.equal(await page.locator('direct-put').isVisible(), true);
  await close();
});

test('an unrequested answer of a provider does not sign in', async () => {
  const { page, close } = await openPage(site);
  // An attacker's page could send the user to this address, with a code of the attacker.
  await visit(page, { page: `${site.page}/?code=stolen&state=made-up` });
  assert.equal(await page.locator('direct-put').isVisible(), false);
  await page.evaluate(() => {
    const pending = { verifier: 'v'.repeat(43), state: 'mine', nonce: 'n' };
    sessionStorage.setItem('directput-sign-in', JSON.stringify(pending));
  });
  await visit(page, { page: `${site.page}/?code=stolen&state=made-up` });
  assert.equal(await page.locator('direct-put').isVisible(), false);
  assert.deepEqual(provider.grants, []);
  assert.match(await page.locator('#sign-in-trouble').textContent(), /^That failed: /);
  await close();
});
