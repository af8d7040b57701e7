// Ways to add files to `<direct-put>`: drop, paste, file dialog, automation tools; and removing files.
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

/** Drops one item for each name. `make` runs in the page and returns functions that make an item from its name. */
const drop = (page, names, make) =>
  page.evaluate(
    ([names, make]) => {
      const data = new DataTransfer();
      for (const name of names) data.items.add(new File(['x'], name));
      const made = new Function(`return ${make}`)()();
      // The transfer's own items only give their names to these functions.
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

test('a removed file frees its place in the count', async () => {
  const { page, close } = await openPage(server);
  await inPage(page, (put) => put.setAttribute('max-files', '2'));
  await page.setInputFiles(
    '#file',
    ['a', 'b', 'c'].map((name) => small(`${name}.txt`)),
  );
  // The failed file is first.
  assert.equal(await shownError(rowOf(page, 0)), 'too-many-files');
  assert.match(await rowOf(page, 0).locator('.error-words').textContent(), /2 files at most\.$/);
  for (const index of [1, 2]) await stored(rowOf(page, index));
  // The new uploader has no files yet.
  await inPage(page, (put) => put.setAttribute('accept', '.txt'));
  await rowOf(page, 0).locator('.retry').click();
  assert.equal(await shownError(rowOf(page, 0)), 'too-many-files');
  await rowOf(page, 1).locator('.remove').click();
  await rowOf(page, 0).locator('.retry').click();
  await stored(rowOf(page, 1));
  assert.equal(await inPage(page, (put) => put.results.length), 2);

  // The page's own uploader has its own count.
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

test('an unreadable item of a drop has a failed row, and the others are uploaded with their paths', async () => {
  const { page, troubles, close } = await openPage(server);
  await inPage(page, (put) => {
    // The fake handles of this test can't be sent to a worker.
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
  assert.equal(await page.locator('#summary').textContent(), '2 of 5 files uploaded · 3 failed');

  // The older interface for folders (webkitGetAsEntry).
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

test('the files of a chosen folder keep their paths', async () => {
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

test('a cancelled file is not a failure, and cancelling can be undone', async () => {
  await setFaults(server, SLOW);
  const { page, close } = await openPage(server);
  await page.setInputFiles('#file', [await makeFile('long.bin', 60 * MIB), await makeFile('short.bin', 10)]);
  await stored(rowOf(page, 1));
  await isFurther(rowOf(page, 0), 0.05);
  await rowOf(page, 0).locator('.cancel').click();
  await isCancelled(rowOf(page, 0));
  assert.equal(await page.locator('#summary').textContent(), '1 of 1 file uploaded');
  assert.equal(await rowOf(page, 0).locator('.error, .retry:visible').count(), 0);
  await setFaults(server);
  await rowOf(page, 0).getByRole('button', { name: 'Undo: long.bin' }).click();
  await stored(rowOf(page, 0));
  assert.equal(await page.locator('#summary').textContent(), '2 of 2 files uploaded');
  await close();
});

test('a file that is cancelled or removed in the queue never begins', async () => {
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

test('a kept file that has changed is not resumed; the element asks for the right file', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 12 * MIB });
  const { page, close } = await openPage(server);
  const size = 40 * MIB;
  const path = join(folder, 'kept.bin');
  writeFileSync(path, Buffer.alloc(size));
  await page.evaluate(async (size) => {
    // The origin private file system has the same handles without a dialog, which a test can't answer.
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

test('automation tools find one file input, and its button opens the dialog', async () => {
  const { page, close } = await openPage(server);
  // The harness has deleted the dialog of the File System Access API. Defines it again.
  await page.evaluate(() => {
    globalThis.showOpenFilePicker = async () => assert.fail('nothing answers this dialog');
  });
  await page.locator('direct-put input[type=file]').setInputFiles(small('a.txt'));
  await stored(rowOf(page, 0));
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.locator('.choose').click()]);
  await chooser.setFiles(small('b.txt'));
  await stored(rowOf(page, 1));
  // A click anywhere in the zone opens the dialog.
  const [other] = await Promise.all([page.waitForEvent('filechooser'), page.locator('.drop-words').click()]);
  await other.setFiles(small('c.txt'));
  await stored(rowOf(page, 2));
  await inPage(page, (put) => {
    put.disabled = true;
  });
  await page.locator('.drop-words').click();
  await close();
});

test('with `file-picker="input"`, `accept` or `capture` the file input opens its dialog', async () => {
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

test('with `paste` the element accepts pasted files, except those pasted into a field', async () => {
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
  assert.equal(await paste('h1'), false, 'only with the attribute');
  await inPage(page, (put) => {
    put.paste = true;
    document.querySelector('h1').after(Object.assign(document.createElement('input'), { id: 'field' }));
  });
  assert.equal(await paste('#field', 'some text'), false);
  assert.equal(await page.locator('.upload').count(), 0);
  assert.equal(await paste('h1'), true);
  await stored(rowOf(page, 0));
  assert.equal(await paste('#field'), true, 'a pasted picture is not text for a field');
  await stored(rowOf(page, 1));
  await inPage(page, (put) => put.remove());
  assert.equal(await paste('h1'), false, 'a removed element accepts no pasted files');
  await close();
});
