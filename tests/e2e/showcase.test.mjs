// Parts of the demo page besides the element, and the lab.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  ended,
  faultyServer,
  folder,
  MIB,
  makeFile,
  openPage,
  rowOf,
  SLOW,
  setFaults,
  shownResult,
  stateOf,
} from './harness.mjs';
import { startServer } from './server.mjs';

const server = faultyServer('showcase');

/** Returns the number of pixels of a canvas that have the colour of a state. */
const pixels = (page, state) =>
  page.evaluate((state) => {
    const canvas = document.getElementById('parts');
    const wanted = getComputedStyle(document.querySelector(`.key.${state}`))
      .color.match(/\d+/g)
      .map(Number);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4)
      if (wanted.every((value, index) => data[at + index] === value)) count += 1;
    return count;
  }, state);

test('the plot shows the speed and the state of each part', async () => {
  await setFaults(server, SLOW);
  const { page, troubles, close } = await openPage(server);
  assert.equal(await page.locator('#plot').isVisible(), false);
  await page.setInputFiles('#file', await makeFile('plotted.bin', 160 * MIB));
  await page.locator('#parts-words', { hasText: /plotted\.bin: [3-9] of 20 parts/ }).waitFor();
  for (const state of ['stored', 'sending', 'hashed']) assert.ok((await pixels(page, state)) > 50, state);
  assert.match(await page.locator('#speed-words').textContent(), /^Now \d+\.\d MiB\/s, at most \d+\.\d MiB\/s\.$/);
  await page.setInputFiles('#file', await makeFile('small.bin', 1000));
  await ended(rowOf(page));
  await page.locator('#parts-words', { hasText: 'plotted.bin: 20 of 20 parts.' }).waitFor({ timeout: 20_000 });
  assert.ok((await pixels(page, 'stored')) > 500);
  assert.equal(await pixels(page, 'sending'), 0);
  assert.deepEqual(troubles, []);
  await close();
});

test('the speed has an axis, and its line fills the box', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 3 * MIB });
  const { page, troubles, close } = await openPage(server);
  await page.setInputFiles('#file', await makeFile('axis.bin', 200 * MIB));
  await page.locator('#speed-words', { hasText: /^Now [1-9]/ }).waitFor({ timeout: 30_000 });
  await page.waitForTimeout(6_000);
  const seen = await page.evaluate(() => {
    const canvas = document.getElementById('speed');
    const context = canvas.getContext('2d');
    const wanted = getComputedStyle(document.querySelector('.key.sending')).color.match(/\d+/g).map(Number);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const columns = new Set();
    for (let at = 0; at < data.length; at += 4) {
      if (wanted.every((value, index) => data[at + index] === value)) columns.add((at / 4) % canvas.width);
    }
    return { width: canvas.width, last: Math.max(...columns), first: Math.min(...columns) };
  });
  assert.ok(seen.last > seen.width - 4, `the line ends at ${seen.last} of ${seen.width}`);
  assert.ok(seen.first < 60, `the line begins at ${seen.first}`);
  assert.deepEqual(troubles, []);
  await close();
});

test('the parts of another large file are shown when the first has ended', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 3 * MIB });
  const { page, close } = await openPage(server);
  const [one, two] = [await makeFile('one.bin', 24 * MIB), await makeFile('two.bin', 200 * MIB)];
  const words = page.locator('#parts-words');
  await page.setInputFiles('#file', one);
  await words.filter({ hasText: /^one\.bin: \d of 3 parts\.$/ }).waitFor();
  await page.setInputFiles('#file', two);
  await words.filter({ hasText: /^two\.bin: \d+ of 25 parts\.$/ }).waitFor({ timeout: 60_000 });
  assert.equal(await stateOf(rowOf(page, 0)), 'stored');
  await close();
});

test('presets switch faults beside the uploads, the tunnel ends by itself, and Reset ends all', async () => {
  const { page, troubles, close } = await openPage(server);
  const faults = async () => (await (await fetch(`${server.page}/-/faults`)).json()).length;
  const set = [];
  page.on('request', (request) => {
    if (request.method() === 'PUT' && request.url().endsWith('/-/faults')) set.push(request.postDataJSON());
  });
  const preset = (name) => page.getByRole('button', { name });
  const log = (text) => page.locator('#log li', { hasText: text }).first().waitFor();
  await page.clock.install();
  await preset(/^Flipped bits/).click();
  await log('On: Flipped bits.');
  await preset(/^Train tunnel/).click();
  await log('On: Train tunnel.');
  assert.equal(await faults(), 2);
  assert.deepEqual(set.at(-1), [
    { on: 'any', drop: 'before' },
    { on: 'put', corrupt: true, every: 4 },
  ]);
  await page.clock.runFor(8_100);
  await log('Off: Train tunnel.');
  assert.equal(await preset(/^Train tunnel/).getAttribute('aria-pressed'), 'false');
  assert.equal(await preset(/^Flipped bits/).getAttribute('aria-pressed'), 'true');
  assert.equal(await faults(), 1);
  await preset('Reset').click();
  await log('All faults are off.');
  assert.equal(await faults(), 0);
  assert.equal(await page.locator('#presets [aria-pressed=true]').count(), 0);
  await preset(/^S3 throttling/).click();
  await log('On: S3 throttling.');
  await page.goto('about:blank');
  for (let wait = 0; wait < 50 && (await faults()) > 0; wait += 1) await page.waitForTimeout(100);
  assert.equal(await faults(), 0, 'a page that is left leaves no fault on');
  assert.deepEqual(troubles, []);
  await close();
});

test('the lab sets faults during an upload and shows their effects', async () => {
  const { page, troubles, close } = await openPage(server);
  await page.locator('#lab-link a').click();
  await page.locator('body[data-state=ready]').waitFor();
  const faults = ['Every third part is answered by 503', 'Signing fails every other time'].map((label) =>
    page.getByLabel(label),
  );
  for (const fault of faults) await fault.check();
  await page.locator('#log', { hasText: 'On: Signing fails every other time.' }).waitFor();
  await page.setInputFiles('#file', await makeFile('lab.bin', 100 * MIB));
  await page
    .locator('#log', { hasText: /Part \d+: storage-refused \(503\), failure 1\. Again after \d+ ms\./ })
    .waitFor();
  await page.locator('output', { hasText: /\d ×/ }).first().waitFor();
  for (const fault of faults) await fault.uncheck();
  await shownResult(rowOf(page));
  await page.locator('#log', { hasText: 'lab.bin is stored' }).waitFor();
  assert.deepEqual(troubles, []);
  await close();
});

test('without fault injection the lab shows a message, and no link leads to it', async () => {
  const closed = await startServer({ data: join(folder, 'closed') });
  const { page, close } = await openPage(closed);
  assert.equal(await page.locator('#lab-link').isVisible(), false);
  await page.goto(`${closed.page}/lab.html`);
  await page.locator('body[data-state=ready]').waitFor();
  await page.getByText("This server's faults can't be switched.").waitFor();
  assert.equal(await page.getByLabel('The link is slow').isDisabled(), true);
  await page.setInputFiles('#file', await makeFile('anyway.bin', 1000));
  await ended(rowOf(page));
  assert.equal(await stateOf(rowOf(page)), 'stored');
  await close();
  await closed.stop();
});
