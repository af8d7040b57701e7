// Attributes of `<direct-put>` for common features: a start button, buttons for all files, limits, a restored form.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORM, inPage, small } from './form.mjs';
import {
  ended,
  faultyServer,
  hits,
  isCancelled,
  MIB,
  makeFile,
  openPage,
  rowOf,
  SLOW,
  setFaults,
  shownError,
  stateOf,
} from './harness.mjs';

const server = faultyServer('attributes', { args: FORM });

test('with `autostart="false"` files wait for the button, and the form waits for the files', async () => {
  await setFaults(server, { on: 'create' });
  const { page, close } = await openPage(server);
  await inPage(page, (put) => {
    put.autostart = false;
    put.maxFiles = 2;
  });
  await page.setInputFiles(
    '#file',
    ['a', 'b', 'c'].map((name) => small(`${name}.txt`)),
  );
  assert.deepEqual(
    await Promise.all([0, 1, 2].map((index) => stateOf(rowOf(page, index)))),
    ['failed', 'ready', 'ready'],
    'a file beyond the limit fails at once, and failed files are first',
  );
  assert.equal(await hits(server), 0);
  assert.match(await inPage(page, (put) => put.validationMessage), /start the upload/);
  await rowOf(page, 0).locator('.remove').click();
  await page.locator('.start').click();
  for (const index of [0, 1]) await ended(rowOf(page, index));
  assert.equal(await inPage(page, (put) => put.results.length), 2);
  assert.equal(await page.locator('.start').isVisible(), false);
  assert.deepEqual(await inPage(page, (put) => [put.validity.valid, put.autostart]), [true, false]);
  await close();
});

test('buttons retry all failed files, cancel all running ones, and clear all finished ones', async () => {
  const { page, close } = await openPage(server);
  await inPage(page, (put) => {
    put.actions = true;
    put.total = true;
  });
  await setFaults(server, { on: 'create', status: 401 });
  const names = ['a', 'b', 'c'];
  await page.setInputFiles(
    '#file',
    names.map((name) => small(`${name}.txt`)),
  );
  for (const index of [0, 1, 2]) assert.equal(await shownError(rowOf(page, index)), 'unauthorized');
  await setFaults(server, { ...SLOW, bytesPerSecond: MIB });
  await page.getByRole('button', { name: 'Retry failed' }).click();
  for (const index of [0, 1, 2]) await ended(rowOf(page, index));
  assert.equal(await inPage(page, (put) => put.results.length), 3);
  await page.setInputFiles('#file', [await makeFile('d.bin', 40 * MIB), await makeFile('e.bin', 40 * MIB)]);
  const words = page.locator('.total-words');
  await page.locator('.total-words', { hasText: /^[\d.]+ [kM]B of [\d.]+ MB · .* left$/ }).waitFor();
  const share = await page.locator('.total-bar').evaluate(({ value }) => value);
  assert.ok(share > 0 && share < 0.9, await words.textContent());
  await page.getByRole('button', { name: 'Cancel all' }).click();
  for (const index of [3, 4]) await isCancelled(rowOf(page, index));
  await inPage(page, (put) => {
    put.actions = false;
  });
  assert.equal(await page.locator('.actions').isVisible(), false);
  await inPage(page, (put) => {
    put.actions = true;
  });
  await page.locator('.total').waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  assert.equal(await page.locator('.upload').count(), 0);
  const focused = await inPage(page, (put) => put.shadowRoot.activeElement?.className);
  assert.equal(focused, 'choose', 'removing the button does not lose the focus');
  await close();
});

test('properties reflect attributes, and the other way round', async () => {
  const { page, close } = await openPage(server);
  const seen = await inPage(page, () => {
    const put = document.createElement('direct-put');
    const before = [put.endpoint, put.maxFiles, put.multiple, put.autostart, put.name];
    Object.assign(put, { endpoint: '/uploads', maxFiles: 3, minBytes: 1, multiple: true, required: true, name: 'x' });
    Object.assign(put, { accept: '.pdf', filePicker: 'input', disabled: false, autostart: 'false', capture: 'user' });
    const set = put.outerHTML;
    Object.assign(put, { maxFiles: null, accept: undefined, multiple: false, autostart: true });
    put.setAttribute('max-bytes', '5');
    return [before, set, put.outerHTML, put.maxBytes, put.maxFiles, put.required];
  });
  assert.deepEqual(seen, [
    ['', null, false, true, ''],
    '<direct-put endpoint="/uploads" max-files="3" min-bytes="1" multiple="" required="" name="x" accept=".pdf" file-picker="input" autostart="false" capture="user"></direct-put>',
    '<direct-put endpoint="/uploads" min-bytes="1" required="" name="x" file-picker="input" autostart="true" capture="user" max-bytes="5"></direct-put>',
    5,
    null,
    true,
  ]);
  await close();
});

test('the drop zone states which files are accepted', async () => {
  const { page, close } = await openPage(server);
  const said = () => page.locator('.limits').textContent();
  assert.equal(await page.locator('.limits').isVisible(), false);
  await inPage(page, (put) => {
    Object.assign(put, { accept: 'image/*, .pdf,application/pdf', maxBytes: 50_000_000, minBytes: 10, maxFiles: 3 });
  });
  assert.equal(await said(), 'Images · PDF · 10 bytes at least · 50 MB at most · 3 files at most');
  assert.equal(await page.locator('.drop').getAttribute('aria-describedby'), 'limits');
  await inPage(page, (put) => {
    for (const name of ['accept', 'max-bytes', 'min-bytes', 'max-files']) put.removeAttribute(name);
    put.options = { maxBytes: 1_000 };
  });
  assert.equal(await said(), '1 kB at most');
  await close();
});

test("with the browser's back button the form has its files again", async () => {
  const { page, close } = await openPage(server);
  await page.setInputFiles('#file', [small('a.txt'), small('b.txt')]);
  for (const index of [0, 1]) await ended(rowOf(page, index));
  const keys = await inPage(page, (put) => put.value);
  await page.goto(`${server.page}/page.css`);
  await page.goBack();
  await page.locator('body[data-state=ready]').waitFor();
  await rowOf(page, 1).waitFor();
  assert.equal(await inPage(page, (put) => put.value), keys);
  assert.equal(await rowOf(page, 1).locator('.name').textContent(), 'b.txt');
  await rowOf(page, 0).locator('.remove').click();
  await page.getByRole('button', { name: 'Send' }).click();
  assert.deepEqual(await page.evaluate(() => globalThis.sent), [[['paper', keys.split(',')[1]]]]);
  await close();
});
