// The demo page from a user's point of view, in a real Chromium, against the local server.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startProxy } from './proxy.mjs';
import { freePort, startServer } from './server.mjs';

const MIB = 1 << 20;
const PART_BYTES = 8 * MIB;
const SCREENSHOTS = 'screenshots';
/** A name that is not localhost: over plain http it is no secure context, like a machine on a LAN. */
const LAN_HOST = 'directput.test';
const folder = mkdtempSync(join(tmpdir(), 'directput-e2e-'));

let browser;
let server;

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      `--host-resolver-rules=MAP ${LAN_HOST} 127.0.0.1`,
    ],
  });
  server = await startServer({ data: join(folder, 'data') });
});

after(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Random bytes on disk; large ones repeat a random mebibyte with a counter, so no two parts are alike. */
async function makeFile(name, size) {
  const path = join(folder, name);
  const file = await open(path, 'w');
  const block = randomBytes(Math.min(size, MIB));
  for (let at = 0; at < size; at += MIB) {
    if (size > MIB) block.writeUInt32LE(at / MIB, 0);
    await file.write(block, 0, Math.min(MIB, size - at));
  }
  await file.close();
  return path;
}

function oracle(path) {
  return JSON.parse(execFileSync('python3', ['tests/e2e/oracle.py', path, String(PART_BYTES)], { encoding: 'utf8' }));
}

async function sha256(path) {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  return hash.digest('hex');
}

/** The folder in which the server keeps objects as plain files. */
const objectPath = (key, at = server) => join(at.data, at.bucket, key);
const objects = (at = server) => {
  const uploads = join(at.data, at.bucket, 'uploads');
  return existsSync(uploads) ? readdirSync(uploads) : [];
};
const openUploads = (at = server) => readdirSync(join(at.data, '.directput/uploads'));

async function openPage(at = server, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  await page.goto(at.page);
  await page.locator('body[data-state=ready]').waitFor({ timeout: 20_000 });
  return { page, troubles, close: () => context.close() };
}

const ended = (page) => page.locator('body[data-state=stored], body[data-state=failed]').waitFor({ timeout: 120_000 });

async function shownResult(page) {
  await ended(page);
  const error = await page.locator('#error').textContent();
  assert.equal(await page.locator('body').getAttribute('data-state'), 'stored', error);
  const text = (id) => page.locator(id).textContent();
  return { key: await text('#key'), checksum: await text('#checksum'), bytes: await text('#bytes') };
}

/** The object in the bucket is the file, and what the page shows is what other tools compute. */
async function assertStored(path, result, at = server) {
  const size = statSync(path).size;
  const expected = oracle(path);
  assert.match(result.key, /^uploads\/[0-9a-f-]{36}\.bin$/);
  assert.equal(await sha256(objectPath(result.key, at)), expected.hex);
  assert.equal(result.checksum, size > 16 * MIB ? expected.composite : expected.base64);
  const record = JSON.parse(readFileSync(join(at.data, '.directput/records', `${result.key}.json`), 'utf8'));
  assert.equal(record.sha256, result.checksum, 'S3 keeps the same checksum');
  assert.deepEqual(openUploads(at), []);
}

for (const [name, size] of [
  ['0 B', 0],
  ['1 B', 1],
  ['5 MiB - 1', 5 * MIB - 1],
  ['16 MiB', 16 * MIB],
  ['16 MiB + 1', 16 * MIB + 1],
  ['100 MiB', 100 * MIB],
]) {
  test(`a file of ${name} arrives unchanged`, async () => {
    const path = await makeFile(`file-${size}.bin`, size);
    const { page, troubles, close } = await openPage();
    await page.setInputFiles('#file', path);
    const result = await shownResult(page);
    await assertStored(path, result);
    assert.equal(await page.locator('#bar').evaluate((bar) => bar.value), 1);
    assert.deepEqual(troubles, []);
    await page.screenshot({ path: join(SCREENSHOTS, `stored-${size}.png`), fullPage: true });
    await close();
  });
}

test('320 MiB arrive unchanged while the memory of the browser stays flat', async (context) => {
  const path = await makeFile('large.bin', 320 * MIB);
  const { page, close } = await openPage();
  const before = browserMemory();
  await page.setInputFiles('#file', path);
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, browserMemory());
  }, 100);
  await page.locator('body[data-phase=upload]').waitFor({ timeout: 60_000 });
  await page.waitForFunction(() => document.getElementById('bar').value > 0.3);
  await page.screenshot({ path: join(SCREENSHOTS, 'uploading.png'), fullPage: true });
  const result = await shownResult(page);
  clearInterval(watch);
  await assertStored(path, result);
  const mib = (bytes) => Math.round(bytes / MIB);
  context.diagnostic(`renderers' memory: ${mib(before)} MiB before, at most ${mib(peak)} MiB during`);
  assert.ok(peak - before < 200 * MIB, `grew by ${mib(peak - before)} MiB`);
  await close();
});

/** The private memory of all renderers in bytes, from /proc: Chromium's pages and workers live there. */
function browserMemory() {
  let bytes = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) continue;
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      bytes += Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      // It ended meanwhile.
    }
  }
  return bytes;
}

test('a part that is corrupted on its way is refused and sent again', async () => {
  const proxy = await startProxy();
  const behind = await startServer({ data: join(folder, 'behind'), args: ['--s3-url', proxy.url] });
  proxy.target(behind.s3_listen);
  const path = await makeFile('corrupt.bin', 40 * MIB);
  const { page, close } = await openPage(behind);
  await page.setInputFiles('#file', path);
  const result = await shownResult(page);
  await assertStored(path, result, behind);
  assert.equal(proxy.seen.flipped, 1);
  assert.deepEqual(proxy.seen.refused, [400]);
  await close();
  await proxy.stop();
  await behind.stop();
});

test('cancelling removes what was sent', async () => {
  const path = await makeFile('cancel.bin', 200 * MIB);
  const { page, close } = await openPage();
  const before = objects();
  await page.setInputFiles('#file', path);
  await page.waitForFunction(() => document.getElementById('bar').value > 0.1);
  await page.click('#cancel');
  await ended(page);
  assert.match(await page.locator('#error-code').textContent(), /^aborted/);
  await page.screenshot({ path: join(SCREENSHOTS, 'cancelled.png'), fullPage: true });
  assert.deepEqual(openUploads(), []);
  assert.deepEqual(objects(), before);
  await close();
});

test('a file can be dropped, and the button works from the keyboard', async () => {
  const { page, close } = await openPage();
  const picked = await makeFile('keyboard.bin', 1234);
  page.on('filechooser', (chooser) => chooser.setFiles(picked));
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['dropped'], 'note.txt', { type: 'text/plain' }));
    return data;
  });
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer });
  const result = await shownResult(page);
  assert.match(result.key, /\.txt$/);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'choose');
  await page.keyboard.press('Enter');
  await page.locator('#bytes', { hasText: '1,234 bytes' }).waitFor();
  await close();
});

test('a file that is not accepted is refused in words, and nothing is opened', async () => {
  const env = { ALLOWED_TYPES: 'image/*', MAX_FILE_BYTES: '1000' };
  const strict = await startServer({ data: join(folder, 'strict'), env });
  const { page, close } = await openPage(strict);
  await page.setInputFiles('#file', { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
  await ended(page);
  assert.match(await page.locator('#error').textContent(), /not accepted here[\s\S]*another type/);
  assert.equal(await page.locator('#phases .done[data-phase=complete]').count(), 0, 'a failure is not shown as done');
  await page.screenshot({ path: join(SCREENSHOTS, 'refused.png'), fullPage: true });
  await close();
  const again = await openPage(strict);
  await again.page.setInputFiles('#file', { name: 'a.png', mimeType: 'image/png', buffer: Buffer.alloc(1001) });
  await ended(again.page);
  assert.match(await again.page.locator('#error').textContent(), /larger than is accepted/);
  assert.deepEqual(objects(strict), []);
  await again.close();
  await strict.stop();
});

test('the upload runs in a worker, and in the page where none can start', async () => {
  for (const breaks of [false, true]) {
    const { page, close } = await openPage();
    if (breaks) await page.route('**/worker.js', (route) => route.abort());
    const outcome = await page.evaluate(async () => {
      const { Uploader } = await import('/directput/index.js');
      const uploader = new Uploader({ endpoint: '/uploads' });
      const file = new File([new Uint8Array(20 << 20).fill(7)], 'x.bin');
      const result = await uploader.upload(file);
      return { inWorker: await uploader.runsInWorker(), size: result.size, parts: result.checksum.split('-')[1] };
    });
    assert.deepEqual(outcome, { inWorker: !breaks, size: 20 << 20, parts: '3' });
    await close();
  }
});

test('errors are UploadErrors with a code, and wrong options are named', async () => {
  const { page, close } = await openPage();
  const errors = await page.evaluate(async () => {
    const { Uploader, UploadError } = await import('/directput/index.js');
    const caught = async (run) => {
      try {
        await run();
      } catch (error) {
        return { is: error instanceof UploadError, code: error.code, message: error.message };
      }
    };
    const file = new File(['x'], 'x.bin');
    return {
      endpoint: await caught(() => new Uploader({ endpoint: '' })),
      parts: await caught(() => new Uploader({ endpoint: '/uploads', partsInFlight: 0 })),
      file: await caught(() => new Uploader({ endpoint: '/uploads' }).upload('text')),
      signal: await caught(() => new Uploader({ endpoint: '/uploads' }).upload(file, { signal: AbortSignal.abort() })),
      route: await caught(() => new Uploader({ endpoint: '/nowhere' }).upload(file)),
    };
  });
  assert.deepEqual(Object.fromEntries(Object.entries(errors).map(([name, error]) => [name, error?.code])), {
    endpoint: 'invalid-option',
    parts: 'invalid-option',
    file: 'invalid-option',
    signal: 'aborted',
    route: 'invalid-reply',
  });
  assert.ok(Object.values(errors).every((error) => error.is));
  assert.match(errors.parts.message, /partsInFlight/);
  await close();
});

test('the log has no URL, no token and no name of a file', async () => {
  const { page, close } = await openPage();
  const token = page.waitForResponse('**/uploads').then((response) => response.json());
  await page.setInputFiles('#file', { name: 'secret-name.bin', mimeType: 'text/plain', buffer: Buffer.from('x') });
  await shownResult(page);
  const log = server.log.join('\n');
  assert.match(log, /"request_id"/);
  for (const secret of ['secret-name', 'X-Amz-Signature', (await token).token]) assert.ok(!log.includes(secret));
  await close();
});

test('over plain http, where crypto.subtle is missing, Wasm hashes', async () => {
  const port = await freePort();
  const origin = `http://${LAN_HOST}:${port}`;
  const lan = await startServer({ data: join(folder, 'lan'), port, args: ['--allow-origin', origin] });
  const { page, close } = await openPage({ ...lan, page: origin });
  assert.equal(await page.evaluate(() => typeof crypto.subtle), 'undefined');
  const path = await makeFile('lan.bin', 40 * MIB);
  await page.setInputFiles('#file', path);
  await assertStored(path, await shownResult(page), lan);
  await close();
  await lan.stop();
});

test('objects, open uploads and credentials survive a restart', async () => {
  const data = join(folder, 'restarted');
  const post = async (at, body) => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${at.page}/uploads`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  };
  const first = await startServer({ data });
  const checksum = createHash('sha256').update('abc').digest('base64');
  const { key, signed } = await post(first, { name: 'a.bin', type: 'a/b', size: 3, checksum });
  const stored = await fetch(signed.url, { method: 'PUT', headers: signed.headers, body: 'abc' });
  assert.equal(stored.status, 200);
  const { token } = await post(first, { name: 'b.bin', type: 'a/b', size: 40 * MIB });
  await first.stop();

  const second = await startServer({ data });
  assert.equal(second.secret_key, first.secret_key);
  assert.equal(readFileSync(objectPath(key, second), 'utf8'), 'abc');
  const listed = await fetch(`${second.page}/uploads/parts`, { headers: { 'upload-token': token } });
  assert.deepEqual(await listed.json(), { parts: [] });
  await second.stop();
});
