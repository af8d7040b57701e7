// Accessibility of the page: axe finds no violations in any state and theme, everything works with the keyboard alone,
// and screen readers get polite announcements. The screenshots are the README's pictures.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import {
  crash,
  ended,
  faultyServer,
  isCancelled,
  isFurther,
  MIB,
  makeFile,
  openPage,
  rowOf,
  SLOW,
  setFaults,
  shownError,
  stateOf,
  visit,
} from './harness.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const THEMES = ['light', 'dark'];
const WIDTHS = [1280, 768, 375];

const server = faultyServer('accessible');

/** Checks the page with axe in both themes, on a desktop, a tablet and a phone, and takes screenshots. */
async function look(page, state) {
  mkdirSync('screenshots', { recursive: true });
  await page.evaluate(`globalThis.axe || (${JSON.stringify(AXE)}.length && (() => { ${AXE} })())`);
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const violations = await page.evaluate(async () => {
        const { violations } = await globalThis.axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      });
      assert.deepEqual(violations, [], `${state}, ${colorScheme}, ${width} px`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${state}: ${overflow} px do not fit ${width}`);
      await page.screenshot({ path: `screenshots/${state}-${colorScheme}-${width}.png`, fullPage: true });
    }
  }
}

test('axe finds no violations in any state, in both themes, on a desktop and a phone', async () => {
  const { page, context, troubles, close } = await openPage(server);
  await look(page, 'empty');

  await setFaults(server, { ...SLOW, bytesPerSecond: 12 * MIB });
  await page.setInputFiles('#file', await makeFile('a-holiday-film-with-a-rather-long-name-2026-11-25.bin', 300 * MIB));
  await isFurther(rowOf(page), 0.45);
  await look(page, 'running');
  await rowOf(page).locator('.pause').click();
  await look(page, 'paused');
  await rowOf(page).locator('.pause').click();
  await context.setOffline(true);
  await page.locator('.upload[data-held=offline]').waitFor();
  // The page has already loaded everything that the check needs.
  await look(page, 'offline');
  await context.setOffline(false);
  await rowOf(page).locator('.cancel').click();
  await isCancelled(rowOf(page));
  await look(page, 'cancelled');

  await setFaults(server, { on: 'create', status: 401 });
  await page.setInputFiles('#file', { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
  assert.equal(await shownError(rowOf(page, 0)), 'unauthorized');
  await look(page, 'failed');

  await setFaults(server, { ...SLOW, bytesPerSecond: 15 * MIB });
  const files = [await makeFile('first.bin', 100 * MIB), await makeFile('small.bin', 1000)];
  await page.setInputFiles('#file', files);
  await ended(rowOf(page));
  assert.equal(await stateOf(rowOf(page)), 'stored');
  await page.getByRole('button', { name: 'Details: small.bin' }).click();
  await look(page, 'stored');
  await isFurther(rowOf(page, 2), 0.85);
  const next = await crash(page, context, server);
  await next.locator('.unfinished').waitFor();
  await look(next, 'unfinished');
  assert.deepEqual(troubles, []);
  await next.goto(`${server.page}/lab.html`);
  await next.locator('body[data-state=ready]').waitFor();
  await next.getByLabel('The link is slow').check();
  await look(next, 'lab');
  await close();
});

test('everything works with the keyboard alone, and the focus is never lost', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 4 * MIB });
  const { page, close } = await openPage(server);
  const large = await makeFile('keys.bin', 100 * MIB);
  let next = large;
  page.on('filechooser', (chooser) => chooser.setFiles(next));
  const focused = () =>
    page.evaluate(() => {
      const { activeElement } = document.querySelector('direct-put').shadowRoot;
      return activeElement?.checkVisibility()
        ? activeElement.getAttribute('aria-label') || activeElement.textContent
        : null;
    });
  /** Presses Tab until a control of this name has the focus. */
  const tabTo = async (name) => {
    for (let presses = 0; presses < 20; presses += 1) {
      if ((await focused()) === name) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`no way to ${name}, but to ${await focused()}`);
  };
  await tabTo('Choose files');
  await page.keyboard.press('Enter');
  await rowOf(page).waitFor();
  await isFurther(rowOf(page), 0.05);
  await tabTo('Pause: keys.bin');
  await page.keyboard.press('Space');
  await page.locator('.upload[data-state=paused]').waitFor();
  assert.equal(await focused(), 'Resume: keys.bin');
  await page.keyboard.press('Enter');
  await page.locator('.upload[data-state=running]').waitFor();
  await tabTo('Cancel: keys.bin');
  await page.keyboard.press('Enter');
  await isCancelled(rowOf(page));
  assert.equal(await focused(), 'Undo: keys.bin', 'the removed button has passed the focus on');
  await page.keyboard.press('Enter');
  await page.locator('.upload[data-state=running]').waitFor();
  await setFaults(server);
  await ended(rowOf(page));
  assert.equal(await stateOf(rowOf(page)), 'stored');
  assert.ok(await focused(), 'the focus is on a visible element');
  await tabTo('Details: keys.bin');
  await page.keyboard.press('Enter');
  await tabTo('Copy: Key');
  await tabTo('Remove: keys.bin');
  await page.keyboard.press('Enter');
  await rowOf(page, 0).waitFor({ state: 'detached' });
  assert.equal(await focused(), 'Choose files');

  next = await makeFile('one.bin', 1);
  await page.keyboard.press('Enter');
  await ended(rowOf(page, 0));
  next = await makeFile('two.bin', 2);
  await page.keyboard.press('Enter');
  await ended(rowOf(page, 1));
  await tabTo('Remove: one.bin');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'Remove: two.bin', 'the next row has the focus');
  await close();
});

test('an unfinished upload can be resumed and removed with the keyboard', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 15 * MIB });
  const { page, context, close } = await openPage(server);
  const path = await makeFile('later.bin', 100 * MIB);
  await page.setInputFiles('#file', path);
  await isFurther(rowOf(page), 0.85);
  const next = await crash(page, context, server);
  await setFaults(server);
  next.on('filechooser', (chooser) => chooser.setFiles(path));
  await next.getByRole('button', { name: 'Choose the file and resume: later.bin' }).press('Enter');
  await ended(rowOf(next));
  assert.equal(await stateOf(rowOf(next)), 'stored');
  await visit(next, server);
  await close();
});

test('each event is announced once and politely', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 4 * MIB });
  const { page, close } = await openPage(server);
  await page.evaluate(() => {
    const { shadowRoot } = document.querySelector('direct-put');
    const region = shadowRoot.querySelector('.status');
    globalThis.said = [];
    globalThis.live = [region.getAttribute('role'), region.getAttribute('aria-live')];
    new MutationObserver(() => globalThis.said.push([Date.now(), region.textContent])).observe(region, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  await page.setInputFiles('#file', await makeFile('said.bin', 60 * MIB));
  await ended(rowOf(page));
  await page.waitForFunction(() => globalThis.said.some(([, text]) => text.includes('is uploaded')));
  const { said, live } = await page.evaluate(() => ({ said: globalThis.said, live: globalThis.live }));
  assert.deepEqual(live, ['status', 'polite']);
  assert.ok(said.length >= 2 && said.length <= 5, JSON.stringify(said));
  assert.equal(said.at(-1)[1], 'said.bin is uploaded.');
  for (const [, text] of said.slice(0, -1)) assert.match(text, /^said\.bin: (25|50|75)%$/);
  for (let index = 1; index < said.length; index += 1) assert.ok(said[index][0] - said[index - 1][0] >= 1_400);

  await setFaults(server, { on: 'create', status: 401, times: 1 });
  await page.setInputFiles('#file', { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
  await page.waitForFunction(() => globalThis.said.at(-1)[1] === 'a.txt: You have to sign in first.');
  const files = Array.from({ length: 30 }, (_, index) => {
    return { name: `${index}.txt`, mimeType: 'text/plain', buffer: Buffer.from('text') };
  });
  const before = await page.evaluate(() => globalThis.said.length);
  await page.setInputFiles('#file', files);
  await page.waitForFunction(() => globalThis.said.at(-1)[1] === '31 of 32 files uploaded · 1 failed');
  assert.ok(
    (await page.evaluate(() => globalThis.said.length)) - before <= 4,
    'thirty files are not announced one by one',
  );
  await close();
});
