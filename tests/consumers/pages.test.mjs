// Pages with a service worker, with several elements, with scripts from a CDN, and in a frame of another origin.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { startServer } from '../e2e/server.mjs';
import { assertHas, browser, OUT, open, PACKAGE, page, someFile } from './packed.mjs';

const TYPES = { js: 'text/javascript', wasm: 'application/wasm' };

/** Starts a site that serves the package's files, and one HTML page at every other path. */
async function site(html) {
  const server = createServer(({ url }, response) => {
    const isFile = url.startsWith('/directput/');
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('content-type', isFile ? TYPES[url.split('.').pop()] : 'text/html');
    response.end(isFile ? readFileSync(join(PACKAGE, url.slice('/directput/'.length))) : html);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Uploads a file with an element of the page. Returns the key, and whether a worker ran. */
async function uploadBy(tab, selector, file) {
  const element = tab.locator(selector);
  await element.locator('#file').setInputFiles(file);
  await element.locator('[data-state=stored]').waitFor({ timeout: 60_000 });
  return element.evaluate(async ({ value, uploader }) => [value, await uploader.runsInWorker()]);
}

/** Creates a page that loads the element from its own site. Returns the folder. */
function elements(name, body) {
  const folder = page(
    name,
    `<!doctype html><title>A page</title><link rel="icon" href="data:,">
    <script type="module" src="/directput/element/index.js"></script><body data-state="ready"><p>A page</p>${body}</body>`,
  );
  cpSync(PACKAGE, join(folder, 'directput'), { recursive: true });
  return folder;
}

test('a service worker that answers every request', async (context) => {
  const folder = elements('service-worker', '<direct-put endpoint="/uploads"></direct-put>');
  const script = `
    addEventListener('install', () => skipWaiting());
    addEventListener('activate', (event) => event.waitUntil(clients.claim()));
    addEventListener('fetch', (event) => event.respondWith(fetch(event.request)));`;
  writeFileSync(join(folder, 'service-worker.js'), script);
  // Bypasses the page's policy: under Trusted Types, `register` would need a trusted URL.
  const { tab, server, troubles, close } = await open('service-worker', folder, { bypassCSP: true });
  context.after(close);
  await tab.evaluate(async () => {
    await navigator.serviceWorker.register('/service-worker.js');
    await navigator.serviceWorker.ready;
  });
  await tab.reload();
  assert.ok(await tab.evaluate(() => navigator.serviceWorker.controller !== null));
  const file = someFile();
  const [key, inWorker] = await uploadBy(tab, 'direct-put', file);
  assert.equal(inWorker, true);
  assertHas(server, key, file.buffer);
  assert.deepEqual(troubles, []);
});

test('several elements, each with its own uploads, one of which is removed meanwhile', async (context) => {
  const ids = ['first', 'second', 'third'];
  const body = ids.map((id) => `<direct-put id="${id}" endpoint="/uploads"></direct-put>`).join('');
  const { tab, server, troubles, close } = await open('several', elements('several', body));
  context.after(close);
  const files = ids.map((id) => ({ ...someFile(`${id}.bin`), buffer: Buffer.from(id.repeat(100_000)) }));
  for (const [index, id] of ids.entries()) await tab.locator(`#${id}`).locator('#file').setInputFiles(files[index]);
  await tab.locator('#third').evaluate((element) => element.remove());
  for (const [index, id] of ids.slice(0, 2).entries()) {
    const element = tab.locator(`#${id}`);
    await element.locator('[data-state=stored]').waitFor({ timeout: 60_000 });
    const [key, inWorker] = await element.evaluate(async ({ value, uploader }) => [
      value,
      await uploader.runsInWorker(),
    ]);
    assert.equal(inWorker, true);
    assertHas(server, key, files[index].buffer);
  }
  assert.deepEqual(troubles, []);
});

test('a script of another origin, such as a CDN, with a worker from there', async () => {
  const cdn = await site('');
  const own = await site(`<!doctype html><title>A page</title><link rel="icon" href="data:,">
    <script type="module" src="${cdn.origin}/directput/element/index.js"></script><direct-put></direct-put>`);
  const api = await startServer({ data: join(OUT, 'cdn-data'), args: ['--allow-origin', own.origin] });
  const tab = await browser.newPage();
  await tab.goto(own.origin);
  await tab.locator('direct-put .choose').waitFor();
  await tab.locator('direct-put').evaluate((element, endpoint) => {
    element.setAttribute('endpoint', endpoint);
  }, `${api.page}/uploads`);
  const file = someFile();
  const [key, inWorker] = await uploadBy(tab, 'direct-put', file);
  assert.equal(inWorker, true);
  assertHas(api, key, file.buffer);
  await tab.close();
  await api.stop();
  for (const { close } of [cdn, own]) close();
});

test('in a frame of another origin the files are chosen by an input', async () => {
  const framed = await site(`<!doctype html><title>A frame</title>
    <script type="module" src="/directput/element/index.js"></script><direct-put></direct-put>`);
  // `localhost` and `127.0.0.1` are different sites.
  const around = await site(`<!doctype html><title>A page</title>
    <iframe src="${framed.origin.replace('127.0.0.1', 'localhost')}" width="600" height="400"></iframe>`);
  const tab = await browser.newPage();
  await tab.goto(around.origin);
  const choose = tab.frameLocator('iframe').locator('direct-put .choose');
  await choose.waitFor();
  const chooser = tab.waitForEvent('filechooser', { timeout: 10_000 });
  await choose.click();
  assert.ok(await chooser);
  await tab.close();
  for (const { close } of [framed, around]) close();
});
