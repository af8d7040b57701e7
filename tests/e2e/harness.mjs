// What the tests of the page share: a real Chromium, the local server, files, and a look into the bucket.
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
import { after, afterEach, before } from 'node:test';
import { chromium } from 'playwright-core';
import { launchOptions } from './browser.mjs';
import { startServer } from './server.mjs';

export { LAN_HOST } from './browser.mjs';

export const MIB = 1 << 20;
const PART_BYTES = 8 * MIB;
const SCREENSHOTS = 'screenshots';
export const folder = mkdtempSync(join(tmpdir(), 'directput-e2e-'));

let browser;

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await chromium.launch(launchOptions);
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Random bytes on disk; large ones repeat a random mebibyte with a counter, so no two parts are alike. */
export async function makeFile(name, size) {
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

/** The checksums of a file, by Python. */
export function oracle(path) {
  return JSON.parse(execFileSync('python3', ['tests/e2e/oracle.py', path, String(PART_BYTES)], { encoding: 'utf8' }));
}

export async function sha256(path) {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  return hash.digest('hex');
}

/** The folder in which the server keeps objects as plain files. */
const objectPath = (key, at) => join(at.data, at.bucket, key);
export const objects = (at) => {
  const uploads = join(at.data, at.bucket, 'uploads');
  return existsSync(uploads) ? readdirSync(uploads) : [];
};
/** What the S3 server behind a local server says to a request that is signed, by curl. */
export function curlAs(at, path, ...options) {
  const user = ['--aws-sigv4', 'aws:amz:us-east-1:s3', '--user', `${at.access_key}:${at.secret_key}`];
  const unsigned = ['--header', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'];
  const request = [...user, ...unsigned, ...options, `${at.s3_listen}/${path}`];
  return execFileSync('curl', ['--silent', '--show-error', '--fail', ...request], { encoding: 'utf8' });
}

/** Uploads that S3 would charge for, by ListMultipartUploads. */
export function openUploads(at) {
  const xml = curlAs(at, `${at.bucket}?uploads=`);
  assert.match(xml, /<ListMultipartUploadsResult/);
  return [...xml.matchAll(/<UploadId>([^<]*)/g)].map(([, id]) => id);
}

/** A page of its own browser context, ready to take files. Its troubles: errors that nobody caught, policies that refused. */
export async function openPage(at, options = {}) {
  const context = await browser.newContext(options);
  // Playwright answers the dialog of the file input, not the one of the file system.
  await context.addInitScript(() => delete globalThis.showOpenFilePicker);
  const page = await context.newPage();
  const troubles = watch(page);
  await visit(page, at);
  return { page, context, troubles, close: () => context.close() };
}

function watch(page) {
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) troubles.push(message.text());
  });
  return troubles;
}

export async function visit(page, at) {
  await page.goto(at.page);
  await page.locator('body[data-state=ready]').waitFor({ timeout: 20_000 });
}

/** The row of the upload that was begun as so many-th, or as the last. */
export const rowOf = (page, index = -1) => page.locator('#uploads > .upload').nth(index);

export const stateOf = (row) => row.getAttribute('data-state');

/** Waits until more than a share of the bytes has left, from 0 to 1. */
export async function isFurther(row, share) {
  await row.locator('.bar').waitFor();
  const handle = await row.elementHandle();
  await row
    .page()
    .waitForFunction(
      ([row, share]) => row.querySelector('.bar').value > share || row.dataset.state === 'failed',
      [handle, share],
      { timeout: 60_000 },
    );
}

/** Lets a tab crash, and says the next page of its context. */
export async function crash(page, context, at) {
  const session = await context.newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  session.send('Page.crash').catch(() => {});
  await crashed;
  const next = await context.newPage();
  await visit(next, at);
  return next;
}

export async function ended(row) {
  await row.and(row.page().locator('[data-state=stored], [data-state=failed]')).waitFor({ timeout: 150_000 });
}

/** What the row shows of an object that was stored. */
export async function shownResult(row) {
  await ended(row);
  assert.equal(await stateOf(row), 'stored', await row.locator('.end').textContent());
  const text = (name) => row.locator(`.${name}`).textContent();
  return { key: await text('key'), checksum: await text('checksum'), bytes: await text('bytes') };
}

/** The code that the row shows of an upload that failed. */
export async function shownError(row) {
  await ended(row);
  assert.equal(await stateOf(row), 'failed');
  return (await row.locator('.error-code').textContent()).split(' ')[0];
}

/** The object in the bucket is the file, what the page shows is what other tools compute, and nothing is left over. */
export async function assertStored(path, result, at) {
  const size = statSync(path).size;
  const expected = oracle(path);
  assert.match(result.key, /^uploads\/[0-9a-f-]{36}\.bin$/);
  assert.equal(await sha256(objectPath(result.key, at)), expected.hex);
  assert.equal(result.checksum, size > 16 * MIB ? expected.composite : expected.base64);
  const record = JSON.parse(readFileSync(join(at.data, '.directput/records', `${result.key}.json`), 'utf8'));
  assert.equal(record.sha256, result.checksum, 'S3 keeps the same checksum');
  assert.deepEqual(openUploads(at), []);
}

/** Lets these faults, and no others any more, befall requests from now on. */
export async function setFaults(at, ...faults) {
  const reply = await fetch(`${at.page}/-/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  assert.equal(reply.status, 204, await reply.text());
}

/** How many requests the faults have befallen. */
export async function hits(at) {
  const faults = await (await fetch(`${at.page}/-/faults`)).json();
  return faults.reduce((sum, fault) => sum + fault.hits, 0);
}

export const screenshot = (page, name) => page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });

/** A server whose faults can be changed, with a folder of its own. */
export const startFaulty = (name, options = {}) =>
  startServer({ data: join(folder, name), ...options, args: ['--control', ...(options.args ?? [])] });

/** The same for all tests of a file; after each the faults are gone. */
export function useFaulty(name, options) {
  const server = {};
  before(async () => Object.assign(server, await startFaulty(name, options)));
  after(() => server.stop?.());
  afterEach(() => setFaults(server));
  return server;
}

/** A link that takes seconds for what is uploaded here, so that something can happen meanwhile. */
export const SLOW = { on: 'put', bytesPerSecond: 30 * MIB };

/** The private memory of all renderers in bytes, from /proc: Chromium's pages and workers live there. */
export function browserMemory() {
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
