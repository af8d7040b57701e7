// `<direct-put>` in a page: a form control with attributes, labels and styles of the page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { FORM, inPage, small } from './form.mjs';
import {
  ended,
  faultyServer,
  hits,
  isFurther,
  MIB,
  makeFile,
  openPage,
  openUploads,
  rowOf,
  SLOW,
  setFaults,
  shownError,
  stateOf,
} from './harness.mjs';

const server = faultyServer('element', { args: FORM });

/** Returns a picture of one colour as PNG (W3C, PNG specification: signature, IHDR, IDAT, IEND). */
function png(width, height, color) {
  const table = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const crc = (bytes) =>
    (bytes.reduce((c, byte) => table[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;
  const box = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const line = Buffer.concat([Buffer.from([0]), Buffer.concat(new Array(width).fill(Buffer.from(color)))]);
  const pixels = deflateSync(Buffer.concat(new Array(height).fill(line)));
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, box('IHDR', header), box('IDAT', pixels), box('IEND', Buffer.alloc(0))]);
}

test('a form is not sent before its files are stored, and sends their keys', async () => {
  await setFaults(server, SLOW);
  const { page, troubles, close } = await openPage(server);
  const validity = () => inPage(page, (put) => [put.validity.valid, put.validationMessage]);
  assert.deepEqual(await validity(), [false, 'Please choose a file.']);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.setInputFiles('#file', [await makeFile('slow.bin', 40 * MIB)]);
  await isFurther(rowOf(page), 0.1);
  assert.deepEqual(await validity(), [false, 'Please wait until all files are uploaded.']);
  await page.getByRole('button', { name: 'Send' }).click();
  assert.deepEqual(await page.evaluate(() => globalThis.sent), [], 'the form was not sent yet');
  await setFaults(server);
  await page.setInputFiles('#file', [small('b.txt')]);
  for (const index of [0, 1]) await ended(rowOf(page, index));
  assert.deepEqual(await validity(), [true, '']);
  await page.getByRole('button', { name: 'Send' }).click();
  const [sent] = await page.evaluate(() => globalThis.sent);
  const results = await inPage(page, (put) => put.results.map(({ key }) => key));
  assert.deepEqual(
    sent,
    results.map((key) => ['paper', key]),
  );
  assert.equal(sent.length, 2);
  assert.equal(await inPage(page, (put) => put.value), results.join());

  await rowOf(page, 0).locator('.remove').click();
  await page.getByRole('button', { name: 'Send' }).click();
  assert.deepEqual((await page.evaluate(() => globalThis.sent)).at(-1), [['paper', results[1]]]);
  await inPage(page, (_, form) => form.reset());
  assert.equal(await page.locator('.upload').count(), 0);
  assert.deepEqual(await validity(), [false, 'Please choose a file.']);
  const events = await page.evaluate(() => globalThis.events);
  assert.deepEqual(
    ['start', 'progress', 'stored', 'change'].filter((type) => !events.includes(type)),
    [],
  );
  assert.ok(!events.includes('no upload'));
  assert.deepEqual(troubles, []);
  await close();
});

test('without `multiple` the next file replaces the last one, running or stored', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 2 * MIB });
  const { page, close } = await openPage(server);
  await page.getByRole('button', { name: 'Choose files' }).waitFor();
  await inPage(page, (put) => put.removeAttribute('multiple'));
  await page.getByRole('button', { name: 'Choose a file' }).waitFor();
  await page.setInputFiles('#file', await makeFile('first.bin', 40 * MIB));
  await isFurther(rowOf(page), 0.01);
  await page.setInputFiles('#file', small('second.txt'));
  await ended(rowOf(page));
  assert.equal(await page.locator('.upload').count(), 1);
  assert.equal(await rowOf(page).locator('.name').textContent(), 'second.txt');
  for (let wait = 0; wait < 50 && openUploads(server).length > 0; wait += 1) await page.waitForTimeout(100);
  assert.deepEqual(openUploads(server), []);
  await close();
});

test('attributes are rules, and a change applies to the next file', async () => {
  await setFaults(server, { on: 'create' });
  const { page, close } = await openPage(server);
  await inPage(page, (put) => {
    put.setAttribute('accept', 'image/*');
    put.setAttribute('max-bytes', '10');
  });
  assert.equal(await page.locator('#file').getAttribute('accept'), 'image/*');
  await page.setInputFiles('#file', small('a.txt'));
  assert.equal(await shownError(rowOf(page)), 'type-not-allowed');
  assert.equal(await rowOf(page).locator('.retry').isVisible(), false, 'a retry would not help');
  await inPage(page, (put) => put.removeAttribute('accept'));
  await page.setInputFiles('#file', small('b.txt', 'more than ten'));
  assert.equal(await shownError(rowOf(page)), 'file-too-large');
  assert.equal(await hits(server), 0);
  await inPage(page, (put) => {
    put.removeAttribute('max-bytes');
    put.setAttribute('checksum', 'crc64nvme');
  });
  await page.setInputFiles('#file', small('c.txt'));
  await ended(rowOf(page));
  assert.equal(await stateOf(rowOf(page)), 'stored');
  assert.match(await inPage(page, (put) => put.results[0].checksum), /^[\w+/]{11}=$/);
  await inPage(page, (put) => put.setAttribute('endpoint', ''));
  await page.setInputFiles('#file', small('d.txt'));
  // Failed files are first, in the order in which they were added.
  await rowOf(page, 2).and(page.locator('[data-state=failed]')).waitFor();
  assert.equal(await shownError(rowOf(page, 2)), 'invalid-option');
  await close();
});

test('a disabled fieldset disables the element', async () => {
  const { page, close } = await openPage(server);
  await inPage(page, (_, form) => {
    form.elements[0].disabled = true;
  });
  assert.equal(await page.locator('.choose').isDisabled(), true);
  await inPage(page, (put) => put.add([new File(['x'], 'x')]));
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['dropped'], 'note.txt'));
    return data;
  });
  await page.dispatchEvent('.drop', 'drop', { dataTransfer: transfer });
  assert.equal(await page.locator('.upload').count(), 0);
  await inPage(page, (_, form) => {
    form.elements[0].disabled = false;
  });
  await inPage(page, (put) => put.add([new File(['x'], 'x')]));
  await ended(rowOf(page));
  await close();
});

test('the page can set labels, colours and fonts', async () => {
  const { page, close } = await openPage(server);
  await inPage(page, (put) => {
    put.labels = { choose: 'Dateien wählen', stored: 'Gespeichert' };
  });
  await page.getByRole('button', { name: 'Dateien wählen' }).waitFor();
  await page.setInputFiles('#file', small('a.txt'));
  await page.getByText('Gespeichert', { exact: true }).waitFor();
  const styles = await inPage(page, (put) => {
    const of = (part) => getComputedStyle(put.shadowRoot.querySelector(`.${part}`));
    return [of('choose').backgroundColor, of('name').fontStyle];
  });
  assert.deepEqual(styles, ['rgb(120, 0, 120)', 'italic']);
  await close();
});

test('the element accepts an uploader of the page, and reports only its own files', async () => {
  const { page, close } = await openPage(server);
  const seen = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const put = document.querySelector('direct-put');
    put.uploader = new Uploader({ endpoint: '/uploads', checksum: 'crc64nvme' });
    put.uploadOptions = (file) => ({ name: `renamed-${file.name}`, priority: 1 });
    const told = [];
    for (const type of ['start', 'stored']) {
      put.addEventListener(type, ({ detail }) => told.push(`${type} ${detail.file.name}`));
    }
    await put.uploader.upload(new File(['x'], 'not-its-own'));
    put.add([new File(['x'], 'its-own')]);
    while (put.results.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    return { told, checksum: put.results[0].checksum };
  });
  assert.deepEqual(seen.told, ['start its-own', 'stored its-own']);
  assert.match(seen.checksum, /^[\w+/]{11}=$/);
  await close();
});

test('properties that are set before the element is defined count, and removing the element ends its worker', async () => {
  const { page, close } = await openPage(server);
  const seen = await page.evaluate(async () => {
    // The element comes from a document without a registry, so it is upgraded only here.
    const put = document.implementation.createHTMLDocument().createElement('direct-put');
    put.options = { checksum: 'crc64nvme' };
    put.labels = { chooseOne: 'Mine' };
    put.setAttribute('endpoint', '/uploads');
    const isBefore = put.shadowRoot === null;
    document.body.append(put);
    put.add([new File(['x'], 'x')]);
    while (put.results.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    return [isBefore, put.shadowRoot.querySelector('.choose').textContent, put.results[0].checksum.length];
  });
  assert.deepEqual(seen, [true, 'Mine', 12]);
  const workers = page.workers().length;
  await page.evaluate(() => document.body.lastElementChild.remove());
  for (let wait = 0; wait < 50 && page.workers().length === workers; wait += 1) await page.waitForTimeout(100);
  assert.equal(page.workers().length, workers - 1);
  await close();
});

test('the own uploader of an element ends when the element is removed or gets another one, but only after its uploads', async () => {
  await setFaults(server, SLOW);
  const { page, close } = await openPage(server);
  const workers = async (count) => {
    for (let wait = 0; wait < 100 && page.workers().length !== count; wait += 1) await page.waitForTimeout(100);
    assert.equal(page.workers().length, count);
  };
  await workers(1);
  await page.setInputFiles('#file', await makeFile('removed.bin', 60 * MIB));
  await isFurther(rowOf(page), 0.1);
  await page.evaluate(() => {
    globalThis.gone = document.querySelector('direct-put');
    globalThis.gone.remove();
  });
  await workers(0);
  assert.equal(await page.evaluate(() => globalThis.gone.results.length), 1, 'the upload has ended');
  await page.waitForTimeout(500);
  assert.equal(page.workers().length, 0, 'no worker was started');

  await page.evaluate(async () => {
    document.forms[0].append(globalThis.gone);
    await globalThis.gone.refresh();
  });
  await workers(1);
  await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads' });
    for (let times = 0; times < 2; times += 1) globalThis.gone.uploader = uploader;
    await uploader.runsInWorker();
  });
  await workers(1);
  await close();
});

test('a picture has a thumbnail, and a file that only claims to be one has none', async () => {
  const { page, troubles, close } = await openPage(server);
  await page.setInputFiles('#file', [
    { name: 'a.png', mimeType: 'image/png', buffer: png(200, 100, [10, 200, 30]) },
    { name: 'b.png', mimeType: 'image/png', buffer: Buffer.from('no picture') },
  ]);
  const canvas = rowOf(page, 0).locator('canvas.thumbnail');
  await canvas.waitFor();
  for (const index of [0, 1]) await ended(rowOf(page, index));
  const seen = await canvas.evaluate((canvas) => [
    canvas.width,
    canvas.height,
    ...canvas.getContext('2d').getImageData(40, 20, 1, 1).data,
  ]);
  assert.deepEqual(seen, [96, 48, 10, 200, 30, 255]);
  assert.equal(await page.locator('canvas').count(), 1);
  assert.deepEqual(troubles, []);
  await close();
});

test('with `details` the element shows and copies the key and the checksum', async () => {
  const { page, context, close } = await openPage(server);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await inPage(page, (put) => put.setAttribute('details', ''));
  await page.setInputFiles('#file', small('a.txt'));
  await ended(rowOf(page));
  const key = await rowOf(page).locator('.key').textContent();
  assert.equal(await rowOf(page).locator('.key').isVisible(), false);
  await page.getByRole('button', { name: 'Details: a.txt' }).click();
  await page.getByRole('button', { name: 'Copy: Key' }).click();
  await page.getByText('Copied').first().waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  await close();
});
