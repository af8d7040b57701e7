// How files come into `<direct-put>`: dropped, pasted, picked, by tools that drive browsers; and what becomes of them.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FORM, inPage, small } from './form.mjs';
import {
  ended,
  faultyServer,
  folder,
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
} from './harness.mjs';

const server = faultyServer('picker', { args: FORM });

const stored = async (row) => {
  await ended(row);
  assert.equal(await stateOf(row), 'stored', await row.textContent());
};

/** Drops what a function in the page makes of each name. */
const drop = (page, names, make) =>
  page.evaluate(
    ([names, make]) => {
      const data = new DataTransfer();
      for (const name of names) data.items.add(new File(['x'], name));
      const made = new Function(`return ${make}`)()();
      // The names of the transfer's own items stand for what the browser would give for them.
      DataTransferItem.prototype.getAsFileSystemHandle =
        made.handle &&
        async function () {
          return made.handle(this.getAsFile().name);
        };
      DataTransferItem.prototype.webkitGetAsEntry = function () {
        return made.entry?.(this.getAsFile().name);
      };
      const target = document.querySelector('direct-put').shadowRoot.querySelector('.drop');
      target.dispatchEvent(
        new DragEvent('drop', { dataTransfer: data, bubbles: true, composed: true, cancelable: true }),
      );
    },
    [names, String(make)],
  );

test('a removed file leaves its place to another, under whatever rules it came', async () => {
  const { page, close } = await openPage(server);
  await inPage(page, (put) => put.setAttribute('max-files', '2'));
  await page.setInputFiles(
    '#file',
    ['a', 'b', 'c'].map((name) => small(`${name}.txt`)),
  );
  assert.equal(await shownError(rowOf(page, 2)), 'too-many-files');
  assert.match(await rowOf(page, 2).locator('.error-words').textContent(), /2 files at most\.$/);
  for (const index of [0, 1]) await stored(rowOf(page, index));
  // Another uploader is made, which has no file yet.
  await inPage(page, (put) => put.setAttribute('accept', '.txt'));
  await rowOf(page, 2).locator('.retry').click();
  assert.equal(await shownError(rowOf(page, 2)), 'too-many-files');
  await rowOf(page, 0).locator('.remove').click();
  await rowOf(page, 1).locator('.retry').click();
  await stored(rowOf(page, 1));
  assert.equal(await inPage(page, (put) => put.results.length), 2);

  // The page's own uploader counts by itself.
  await inPage(page, async (put) => {
    const { Uploader } = await import('/directput/index.js');
    put.clear();
    put.removeAttribute('max-files');
    put.uploader = new Uploader({ endpoint: '/uploads', maxFiles: 1 });
  });
  await page.setInputFiles('#file', small('d.txt'));
  await stored(rowOf(page));
  await rowOf(page).locator('.remove').click();
  await page.setInputFiles('#file', small('e.txt'));
  await stored(rowOf(page));
  await close();
});

test('of a drop what can not be opened has a failed row, and the others go on with their paths', async () => {
  const { page, troubles, close } = await openPage(server);
  await inPage(page, (put) => {
    // The handles of this test are none, and can not be sent to a worker.
    const { uploader } = put;
    const { upload } = uploader;
    uploader.upload = (file, { handle, ...options }) => {
      globalThis.handles = [...(globalThis.handles ?? []), handle?.name];
      return upload.call(uploader, file, options);
    };
    globalThis.told = [];
    for (const type of ['stored', 'failed']) {
      put.addEventListener(type, ({ detail: { path, upload, file, error } }) => {
        globalThis.told.push([type, file?.name ?? '', path, Boolean(upload), error?.code ?? '']);
      });
    }
  });
  await drop(page, ['good.txt', 'gone.txt', 'folder', 'closed'], () => {
    const file = (name, isGone) => ({
      kind: 'file',
      name,
      async getFile() {
        if (isGone) throw new DOMException('It is gone.', 'NotFoundError');
        return new File(['x'], name);
      },
    });
    const folder = (name, children, isClosed) => ({
      kind: 'directory',
      name,
      async *values() {
        if (isClosed) throw new DOMException('It is closed.', 'NotAllowedError');
        yield* children;
      },
    });
    const all = {
      'good.txt': file('good.txt'),
      'gone.txt': file('gone.txt', true),
      folder: folder('folder', [folder('sub', [file('deep.txt'), file('lost.txt', true)])]),
      closed: folder('closed', [], true),
    };
    return { handle: (name) => all[name] };
  });
  await page.waitForFunction(() => globalThis.told.length === 5);
  const gone = 'file-changed';
  assert.deepEqual((await page.evaluate(() => globalThis.told)).sort(), [
    ['failed', '', '', false, gone],
    ['failed', '', '', false, gone],
    ['failed', '', 'folder/sub/lost.txt', false, gone],
    ['stored', 'deep.txt', 'folder/sub/deep.txt', true, ''],
    ['stored', 'good.txt', '', true, ''],
  ]);
  assert.deepEqual((await page.evaluate(() => globalThis.handles)).sort(), ['deep.txt', 'good.txt']);
  const row = page.locator('.upload', { hasText: 'gone.txt' });
  assert.equal(await shownError(row), gone);
  assert.equal(await row.locator('.retry').isVisible(), false);
  const deep = page.locator('.upload', { hasText: 'deep.txt' });
  assert.equal(await deep.locator('.path').textContent(), 'folder/sub/');
  const keys = await inPage(page, (put) => put.results.map(({ key }) => key).join());
  assert.doesNotMatch(keys, /folder|sub|deep/);
  assert.equal(await page.locator('#summary').textContent(), '2 of 5 files stored · 3 failed');

  // The older interface of folders.
  await inPage(page, (put) => put.clear());
  await page.evaluate(() => globalThis.told.splice(0));
  await drop(page, ['old'], () => {
    const file = (name, isGone) => ({
      isFile: true,
      name,
      fullPath: `/old/${name}`,
      file: (take, fail) => (isGone ? fail(new DOMException('It is gone.')) : take(new File(['x'], name))),
    });
    const batches = [[file('a.txt'), file('b.txt', true)], []];
    const entry = {
      isDirectory: true,
      name: 'old',
      fullPath: '/old',
      createReader: () => ({ readEntries: (take) => take(batches.shift()) }),
    };
    return { entry: () => entry };
  });
  await page.waitForFunction(() => globalThis.told.length === 2);
  assert.deepEqual((await page.evaluate(() => globalThis.told)).sort(), [
    ['failed', '', 'old/b.txt', false, gone],
    ['stored', 'a.txt', 'old/a.txt', true, ''],
  ]);
  assert.deepEqual(troubles, []);
  await close();
});

test('a folder that is chosen keeps its paths', async () => {
  const { page, close } = await openPage(server);
  await inPage(page, (put) => put.setAttribute('folders', ''));
  const paths = await page.evaluate(async () => {
    const put = document.querySelector('direct-put');
    const file = new File(['x'], 'a.txt');
    Object.defineProperty(file, 'webkitRelativePath', { value: 'photos/2026/a.txt' });
    const paths = [];
    for (const type of ['start', 'stored']) put.addEventListener(type, ({ detail }) => paths.push(detail.path));
    put.add([file]);
    while (paths.length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    return paths;
  });
  assert.deepEqual(paths, ['photos/2026/a.txt', 'photos/2026/a.txt']);
  await close();
});

test('what was cancelled is no failure, and can be undone', async () => {
  await setFaults(server, SLOW);
  const { page, close } = await openPage(server);
  await page.setInputFiles('#file', [await makeFile('long.bin', 60 * MIB), await makeFile('short.bin', 10)]);
  await stored(rowOf(page, 1));
  await isFurther(rowOf(page, 0), 0.05);
  await rowOf(page, 0).locator('.cancel').click();
  await isCancelled(rowOf(page, 0));
  assert.equal(await page.locator('#summary').textContent(), '1 of 1 file stored');
  assert.equal(await rowOf(page, 0).locator('.error, .retry:visible').count(), 0);
  await setFaults(server);
  await rowOf(page, 0).getByRole('button', { name: 'Undo: long.bin' }).click();
  await stored(rowOf(page, 0));
  assert.equal(await page.locator('#summary').textContent(), '2 of 2 files stored');
  await close();
});

test('what is cancelled or removed before its turn never begins', async () => {
  await setFaults(server, { on: 'create' });
  const { page, close } = await openPage(server);
  const started = await page.evaluate(async () => {
    const put = document.querySelector('direct-put');
    let started = 0;
    put.addEventListener('start', () => {
      started += 1;
    });
    put.add(Array.from({ length: 2_000 }, (_, index) => new File(['x'], `${index}.txt`)));
    put.cancelAll();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const waited = started;
    put.clear();
    put.add(Array.from({ length: 2_000 }, (_, index) => new File(['x'], `${index}.txt`)));
    put.clear();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return [waited, started];
  });
  assert.ok(started[1] <= 40, String(started));
  assert.equal(await inPage(page, (put) => put.validity.customError), false);
  await close();
});

test('a kept file that has become another is not opened again: the right one is asked for', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 12 * MIB });
  const { page, close } = await openPage(server);
  const size = 40 * MIB;
  const path = join(folder, 'kept.bin');
  writeFileSync(path, Buffer.alloc(size));
  await page.evaluate(async (size) => {
    // The browser's private file system has the same handles, without a dialog that a test can't answer.
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('kept.bin', { create: true });
    const writer = await handle.createWritable();
    await writer.write(new Uint8Array(size));
    await writer.close();
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads' });
    await new Promise((resolve) => {
      const onProgress = ({ confirmedParts }) => confirmedParts > 0 && resolve();
      handle.getFile().then((file) => uploader.upload(file, { handle, onProgress }).catch(() => {}));
    });
  }, size);
  await page.reload();
  await page.locator('body[data-state=ready]').waitFor();
  await page.evaluate(async (size) => {
    const root = await navigator.storage.getDirectory();
    const writer = await (await root.getFileHandle('kept.bin')).createWritable();
    await writer.write(new Uint8Array(size).fill(1));
    await writer.close();
  }, size);
  await page.getByRole('button', { name: 'Resume: kept.bin' }).click();
  assert.equal(await shownError(rowOf(page)), 'wrong-file');
  const again = page.getByRole('button', { name: 'Choose the file and resume: kept.bin' });
  await again.waitFor();
  await setFaults(server);
  page.once('filechooser', (chooser) => chooser.setFiles(path));
  await again.click();
  await rowOf(page, 1).waitFor();
  await stored(rowOf(page, 1));
  await close();
});

test('tools that drive browsers find one file input, and the dialog of its button', async () => {
  const { page, close } = await openPage(server);
  // As it is without the harness: a browser that has the dialog of the file system.
  await page.evaluate(() => {
    globalThis.showOpenFilePicker = async () => assert.fail('nothing answers this dialog');
  });
  await page.locator('direct-put input[type=file]').setInputFiles(small('a.txt'));
  await stored(rowOf(page, 0));
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.locator('.choose').click()]);
  await chooser.setFiles(small('b.txt'));
  await stored(rowOf(page, 1));
  // The whole zone opens it.
  const [other] = await Promise.all([page.waitForEvent('filechooser'), page.locator('.drop-words').click()]);
  await other.setFiles(small('c.txt'));
  await stored(rowOf(page, 2));
  await inPage(page, (put) => {
    put.disabled = true;
  });
  await page.locator('.drop-words').click();
  await close();
});

test('with `file-picker="input"`, `accept` or `capture` the dialog is that of the input', async () => {
  const { page, close } = await openPage(server);
  const asked = await page.evaluate(async () => {
    Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false });
    let asked = 0;
    globalThis.showOpenFilePicker = async () => {
      asked += 1;
      throw new DOMException('Closed.', 'AbortError');
    };
    const put = document.querySelector('direct-put');
    const choose = put.shadowRoot.querySelector('.choose');
    choose.click();
    const seen = [asked];
    for (const [name, value] of Object.entries({ filePicker: 'input', accept: '.txt', capture: 'environment' })) {
      put[name] = value;
      choose.click();
      seen.push(asked);
      if (name === 'capture') seen.push(put.shadowRoot.querySelector('#file').getAttribute('capture'));
      put[name] = null;
    }
    return [...seen, put.hasAttribute('capture'), put.shadowRoot.querySelector('#file').hasAttribute('capture')];
  });
  assert.deepEqual(asked, [1, 1, 1, 1, 'environment', false, false]);
  await close();
});

test('with `paste` it takes pasted files, but not what a field is pasted into', async () => {
  const { page, close } = await openPage(server);
  const paste = (where, text) =>
    page.evaluate(
      ([where, text]) => {
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File(['x'], 'pasted.png', { type: 'image/png' }));
        if (text) clipboardData.setData('text/plain', text);
        const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, composed: true, cancelable: true });
        document.querySelector(where).dispatchEvent(event);
        return event.defaultPrevented;
      },
      [where, text],
    );
  assert.equal(await paste('h1'), false, 'only if it is wanted');
  await inPage(page, (put) => {
    put.paste = true;
    document.querySelector('h1').after(Object.assign(document.createElement('input'), { id: 'field' }));
  });
  assert.equal(await paste('#field', 'some text'), false);
  assert.equal(await page.locator('.upload').count(), 0);
  assert.equal(await paste('h1'), true);
  await stored(rowOf(page, 0));
  assert.equal(await paste('#field'), true, 'a picture alone is no text');
  await stored(rowOf(page, 1));
  await inPage(page, (put) => put.remove());
  assert.equal(await paste('h1'), false, 'what is gone from the page takes nothing');
  await close();
});
