// Helpers for tests of the page: a real Chromium, and the contents of its page.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { chromium } from 'playwright-core';
import { launchOptions } from './browser.mjs';
import { setFaults, startFaulty } from './bucket.mjs';

export { LAN_HOST } from './browser.mjs';
export * from './bucket.mjs';

const SCREENSHOTS = 'screenshots';

let browser;

before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await chromium.launch(launchOptions);
});

after(async () => {
  await browser?.close();
});

/**
 * Opens a page in a new browser context. Returns it with `troubles`: its uncaught errors and violations of policies.
 */
export async function openPage(at, options = {}) {
  const context = await browser.newContext(options);
  // Playwright can answer the dialog of the file input, but not the dialog of the File System Access API.
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

/** Returns the row of the upload with this index. Default: the row of the last upload. */
export const rowOf = (page, index = -1) => page.locator('#uploads > .upload').nth(index);

/**
 * Scrolls to the row of a file in a long list, and returns the row. `position` counts from 1. Only visible rows are in
 * the document.
 */
export async function reach(page, position) {
  const row = page.locator(`.upload[aria-posinset="${position}"]`);
  for (let tries = 0; tries < 50 && (await row.count()) === 0; tries += 1) {
    await page.evaluate(
      ([position, isFirst]) => {
        const list = document.querySelector('direct-put').shadowRoot.querySelector('.uploads');
        const shown = [...list.children].map((row) => Number(row.getAttribute('aria-posinset')));
        const all = Number(list.firstElementChild.getAttribute('aria-setsize'));
        if (isFirst) list.scrollTop = ((position - 1) / all) * list.scrollHeight;
        else list.scrollTop += (position < Math.min(...shown) ? -0.9 : 0.9) * list.clientHeight;
      },
      [position, tries === 0],
    );
    await page.waitForTimeout(100);
  }
  await row.scrollIntoViewIfNeeded();
  return row;
}

export const stateOf = (row) => row.getAttribute('data-state');

/** Waits until more than `share` of the bytes has been sent. `share` is from 0 to 1. */
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

/** Crashes a tab, and returns the next page of its context. */
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
  const over = ['stored', 'failed', 'cancelled'].map((state) => `[data-state=${state}]`).join();
  await row.and(row.page().locator(over)).waitFor({ timeout: 150_000 });
}

/** Returns the details of the stored object in a row. */
export async function shownResult(row) {
  await ended(row);
  assert.equal(await stateOf(row), 'stored', await row.locator('.end').textContent());
  const text = (name) => row.locator(`.${name}`).textContent();
  return { key: await text('key'), checksum: await text('checksum'), bytes: await text('bytes') };
}

/**
 * Returns the error code in the row of a failed upload. Failed rows move to the top, so the row at this place may be
 * another one until the upload has failed.
 */
export async function shownError(row) {
  await row.and(row.page().locator('[data-state=failed]')).waitFor({ timeout: 150_000 });
  return (await row.locator('.error-code').textContent()).split(' ')[0];
}

/** Waits until an upload is cancelled, which does not count as a failure. */
export async function isCancelled(row) {
  await ended(row);
  assert.equal(await stateOf(row), 'cancelled');
  assert.equal(await row.locator('.notice').textContent(), 'Cancelled');
}

export const screenshot = (page, name) => page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });

/** Starts a server and a browser for all tests of a file. Removes the faults after each test. */
export function faultyServer(name, options) {
  const server = {};
  before(async () => Object.assign(server, await startFaulty(name, options)));
  after(() => server.stop?.());
  afterEach(() => setFaults(server));
  return server;
}

/**
 * Returns the private memory of all renderer processes, in bytes. They run Chromium's pages and workers. Reads /proc.
 */
export function browserMemory() {
  let bytes = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) continue;
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      bytes += Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      // The process has ended meanwhile.
    }
  }
  return bytes;
}
