// `<direct-put>` in frames: in a frame of another origin, where the browser refuses its file picker, and in a frame
// without an origin.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { assertStored, MIB, makeFile, openPage, openUploads, setFaults, startFaulty } from './harness.mjs';

const TYPES = { js: 'text/javascript', wasm: 'application/wasm' };

/** Site that serves a page with the element, a page with the first page in a frame, and the package with CORS. */
const site = createServer(({ url }, response) => {
  const { pathname, searchParams } = new URL(url, 'http://site');
  response.setHeader('access-control-allow-origin', '*');
  if (pathname.startsWith('/directput/')) {
    response.setHeader('content-type', TYPES[pathname.split('.').pop()]);
    response.end(readFileSync(join(resolve('pkg'), pathname.slice('/directput/'.length))));
    return;
  }
  response.setHeader('content-type', 'text/html');
  const frame = searchParams.get('frame');
  const content = frame
    ? `<iframe width="600" height="600" ${searchParams.get('more')} src="${frame}"></iframe>`
    : `<script type="module" src="/directput/element/index.js"></script>
       <direct-put endpoint="${searchParams.get('api')}" multiple details></direct-put>`;
  response.end(`<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,">${content}`);
});

let origin;
let server;

before(async () => {
  await once(site.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${site.address().port}`;
  const allowed = [origin.replace('127.0.0.1', 'localhost'), 'null'].flatMap((origin) => ['--allow-origin', origin]);
  server = await startFaulty('frames', { args: allowed });
});

after(async () => {
  await server?.stop();
  site.close();
  site.closeAllConnections();
});

/**
 * Opens a page with the element in a frame. The browser has its normal dialogs and does not report that it is
 * automated.
 */
async function openFramed(test, host, more = '') {
  const { context } = await openPage(server);
  const own = await context.browser().newContext();
  test.after(() => own.close());
  await context.close();
  await own.addInitScript(() => Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false }));
  const page = await own.newPage();
  const frame = `${origin.replace('127.0.0.1', host)}/?api=${server.page}/uploads`;
  await page.goto(`${origin}/?${new URLSearchParams({ frame, more })}`);
  const inside = page.frameLocator('iframe');
  await inside.locator('.choose').waitFor();
  return { page, inside, frame: page.frames()[1] };
}

test('in a frame of another origin, where the browser refuses its file picker, the file input opens its dialog', async (context) => {
  const { page, inside, frame } = await openFramed(context, 'localhost');
  const refusal = await frame.evaluate(() => globalThis.showOpenFilePicker().catch(({ name }) => name));
  assert.equal(refusal, 'SecurityError');
  await frame.evaluate(() => {
    const { showOpenFilePicker } = globalThis;
    globalThis.asked = 0;
    globalThis.showOpenFilePicker = (options) => {
      globalThis.asked += 1;
      return showOpenFilePicker(options);
    };
  });
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), inside.locator('.choose').click()]);
  const path = await makeFile('framed.bin', 20 * MIB);
  await chooser.setFiles(path);
  await inside.locator('[data-state=stored]').waitFor({ timeout: 60_000 });
  assert.equal(await frame.evaluate(() => globalThis.asked), 1);
  const result = await frame.evaluate(() => document.querySelector('direct-put').results[0]);
  await assertStored(path, result, server);
});

test('in a frame without an origin a large file is stored without a record', async (context) => {
  const { inside, frame } = await openFramed(context, '127.0.0.1', 'sandbox="allow-scripts"');
  assert.equal(await frame.evaluate(() => self.origin), 'null');
  await frame.evaluate(() => {
    globalThis.kept = new Set();
    document
      .querySelector('direct-put')
      .addEventListener('progress', ({ detail }) => globalThis.kept.add(detail.progress.kept));
  });
  const path = await makeFile('sandboxed.bin', 40 * MIB);
  await inside.locator('#file').setInputFiles(path);
  await inside.locator('[data-state=stored]').waitFor({ timeout: 60_000 });
  const seen = await frame.evaluate(async () => {
    const { results, uploader } = document.querySelector('direct-put');
    return {
      result: results[0],
      kept: [...globalThis.kept],
      resumable: await uploader.listResumable(),
    };
  });
  assert.deepEqual([seen.kept, seen.resumable], [[false], []]);
  await assertStored(path, seen.result, server);

  // A closed upload without a record can't be resumed, so its parts are removed.
  await setFaults(server, { on: 'put', bytesPerSecond: 4 * MIB });
  const closed = await frame.evaluate(async () => {
    const { uploader } = document.querySelector('direct-put');
    const upload = uploader.upload(new Blob([new Uint8Array(40 << 20)]));
    for await (const { sentBytes } of upload) if (sentBytes > 0) break;
    void uploader.close();
    return upload.catch(({ code, remains, resumeId }) => [code, remains, resumeId ?? null]);
  });
  await setFaults(server);
  assert.deepEqual([closed, openUploads(server)], [['closed', 'nothing', null], []]);
});
