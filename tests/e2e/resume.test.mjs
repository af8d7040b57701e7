// Uploads of a crashed or reloaded tab are resumed from the parts in S3, in a real Chromium.
import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, truncateSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  assertStored,
  crash,
  faultyServer,
  hits,
  isFurther,
  MIB,
  makeFile,
  objects,
  openPage,
  openUploads,
  rowOf,
  SLOW,
  screenshot,
  setFaults,
  sha256,
  shownError,
  shownResult,
  visit,
} from './harness.mjs';

const server = faultyServer('resume');

/** Begins an upload, crashes its tab after the first parts are stored, and returns the next page of the context. */
async function crashInTheMiddle(path) {
  await setFaults(server, { ...SLOW, bytesPerSecond: 15 * MIB });
  const { page, context, close } = await openPage(server);
  await page.setInputFiles('#file', path);
  // Six parts are sent at once, so the eighth part begins after two parts are stored.
  await isFurther(rowOf(page), 0.85);
  const next = await crash(page, context, server);
  await setFaults(server, { on: 'put' });
  return { page: next, context, close };
}

async function chooseAgain(page, path) {
  page.once('filechooser', (chooser) => chooser.setFiles(path));
  await page.locator('.unfinished .go-on').click();
}

test('after a crash another tab resumes the upload from the parts in S3', async () => {
  const path = await makeFile('crash.bin', 100 * MIB);
  const { page, close } = await crashInTheMiddle(path);
  const row = page.locator('.unfinished');
  assert.match(await row.textContent(), /crash\.bin.*105 MB.*Choose the file and resume/s);
  await screenshot(page, 'unfinished');
  await chooseAgain(page, path);
  await assertStored(path, await shownResult(rowOf(page)), server);
  const puts = await hits(server);
  assert.ok(puts < 13, `${puts} of 13 parts were sent after the crash`);
  await row.waitFor({ state: 'detached' });
  await close();
});

test('choosing the file again resumes the upload', async () => {
  const path = await makeFile('once-more.bin', 100 * MIB);
  const { page, close } = await crashInTheMiddle(path);
  await page.setInputFiles('#file', path);
  await assertStored(path, await shownResult(rowOf(page)), server);
  assert.ok((await hits(server)) < 13);
  assert.equal(await page.locator('.unfinished').count(), 0);
  await close();
});

test('the last reported state of each part of a resumed upload is "stored"', async () => {
  const path = await makeFile('reported.bin', 100 * MIB);
  const { page, close } = await crashInTheMiddle(path);
  await page.evaluate(() =>
    document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'own' })),
  );
  await page.setInputFiles('#own', path);
  const states = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const states = {};
    const onPart = ({ number, state }) => {
      states[number] = state;
    };
    await new Uploader({ endpoint: '/uploads' }).upload(document.querySelector('#own').files[0], { onPart });
    return states;
  });
  assert.ok((await hits(server)) < 13, 'the upload was resumed');
  assert.deepEqual(Object.values(states), Array(13).fill('stored'));
  await close();
});

test('another file does not resume the upload, and the upload is kept', async () => {
  const path = await makeFile('right.bin', 60 * MIB);
  const { page, close } = await crashInTheMiddle(path);
  await chooseAgain(page, await makeFile('wrong.bin', 60 * MIB));
  assert.equal(await shownError(rowOf(page)), 'wrong-file');
  assert.equal(openUploads(server).length, 1);
  await chooseAgain(page, path);
  await assertStored(path, await shownResult(rowOf(page, 1)), server);
  await close();
});

test('a changed file does not resume the upload, and the upload is kept for the unchanged file', async () => {
  const path = await makeFile('changed.bin', 60 * MIB);
  const before = objects(server);
  const { page, close } = await crashInTheMiddle(path);
  // Changes a byte in the last of the samples.
  const file = openSync(path, 'r+');
  const last = Buffer.alloc(7);
  readSync(file, last, 0, 7, 60 * MIB - 7);
  writeSync(file, 'another', 60 * MIB - 7);
  closeSync(file);
  await chooseAgain(page, path);
  assert.equal(await shownError(rowOf(page)), 'wrong-file');
  assert.deepEqual([objects(server), openUploads(server).length], [before, 1]);
  await page.locator('.unfinished').waitFor();
  const again = openSync(path, 'r+');
  writeSync(again, last, 0, 7, 60 * MIB - 7);
  closeSync(again);
  await chooseAgain(page, path);
  await assertStored(path, await shownResult(rowOf(page, 1)), server);
  await close();
});

test('a file with only another time resumes the upload', async () => {
  const path = await makeFile('touched.bin', 100 * MIB);
  const { page, close } = await crashInTheMiddle(path);
  const time = new Date(Date.now() + 5_000);
  utimesSync(path, time, time);
  await chooseAgain(page, path);
  await assertStored(path, await shownResult(rowOf(page)), server);
  assert.ok((await hits(server)) < 13);
  await close();
});

test('a change that name, size, time and samples do not show is detected by the digests of the parts', async () => {
  const path = await makeFile('hidden.bin', 60 * MIB);
  const time = new Date(1_700_000_000_000);
  utimesSync(path, time, time);
  const before = objects(server);
  const { page, close } = await crashInTheMiddle(path);
  const file = openSync(path, 'r+');
  // Changes a byte outside of the samples in each of the first six parts. At least one of them is stored.
  for (let part = 0; part < 6; part += 1) writeSync(file, 'another', part * 8 * MIB + 3 * MIB);
  closeSync(file);
  utimesSync(path, time, time);
  await chooseAgain(page, path);
  assert.equal(await shownError(rowOf(page)), 'wrong-file');
  assert.deepEqual([objects(server), openUploads(server).length], [before, 1]);
  await page.locator('.unfinished').waitFor();
  // If the user chooses the file as a new file, it gets its own upload, and the earlier upload is kept.
  await page.setInputFiles('#file', path);
  const { key } = await shownResult(rowOf(page, 1));
  assert.equal(await sha256(join(server.data, server.bucket, key)), await sha256(path));
  assert.equal(openUploads(server).length, 1);
  await page.locator('.unfinished .forget').click();
  await page.locator('.unfinished').waitFor({ state: 'detached' });
  assert.deepEqual(openUploads(server), []);
  await close();
});

test('other tabs offer the upload of a crashed tab at once', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 15 * MIB });
  const { page, context, close } = await openPage(server);
  await page.setInputFiles('#file', await makeFile('left.bin', 100 * MIB));
  await isFurther(rowOf(page), 0.85);
  const other = await context.newPage();
  await visit(other, server);
  assert.equal(await other.locator('.unfinished').count(), 0, 'the first tab has the upload');
  const session = await context.newCDPSession(page);
  session.send('Page.crash').catch(() => {});
  await other.locator('.unfinished', { hasText: 'left.bin' }).waitFor({ timeout: 10_000 });
  await other.locator('.unfinished .forget').click();
  await other.locator('.unfinished').waitFor({ state: 'detached' });
  assert.deepEqual(openUploads(server), []);
  await close();
});

test('a forgotten upload is removed from S3', async () => {
  const { page, close } = await crashInTheMiddle(await makeFile('forgotten.bin', 60 * MIB));
  assert.equal(openUploads(server).length, 1);
  await page.locator('.unfinished .forget').click();
  await page.locator('.unfinished').waitFor({ state: 'detached' });
  assert.deepEqual(openUploads(server), []);
  await close();
});

test('the next visit removes an upload whose removal has failed', async () => {
  const { page, context, close } = await crashInTheMiddle(await makeFile('later.bin', 60 * MIB));
  await setFaults(server, { on: 'abort', status: 500 });
  await page.locator('.unfinished .forget').click();
  await page.locator('.unfinished').waitFor({ state: 'detached' });
  assert.equal(openUploads(server).length, 1);
  await setFaults(server);
  const next = await context.newPage();
  await visit(next, server);
  await next.waitForFunction(async () => {
    const { held } = await navigator.locks.query();
    return held.length === 0;
  });
  for (let wait = 0; wait < 50 && openUploads(server).length > 0; wait += 1) await next.waitForTimeout(100);
  assert.deepEqual(openUploads(server), []);
  await close();
});

test('two tabs with the same file do not use the same upload', async () => {
  await setFaults(server, SLOW);
  const path = await makeFile('twice.bin', 60 * MIB);
  const { page, context, close } = await openPage(server);
  await page.setInputFiles('#file', path);
  await isFurther(rowOf(page), 0.2);
  const other = await context.newPage();
  await visit(other, server);
  assert.equal(await other.locator('.unfinished').count(), 0, 'the first tab has the upload');
  await other.setInputFiles('#file', path);
  const [first, second] = [await shownResult(rowOf(page)), await shownResult(rowOf(other))];
  assert.notEqual(first.key, second.key);
  await assertStored(path, first, server);
  await assertStored(path, second, server);
  await close();
});

test('an upload of another tab is refused with the code in-use', async () => {
  await setFaults(server, SLOW);
  const path = await makeFile('busy.bin', 60 * MIB);
  const { page, context, close } = await crashInTheMiddle(path);
  const id = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const [{ id }] = await new Uploader({ endpoint: '/uploads' }).listResumable();
    return id;
  });
  await setFaults(server, SLOW);
  await chooseAgain(page, path);
  await isFurther(rowOf(page), 0.5);
  const other = await context.newPage();
  await visit(other, server);
  const codes = await other.evaluate(async (id) => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads' });
    const code = (promise) => promise.then(() => 'done').catch((error) => error.code);
    return [
      await code(uploader.resume(id, new File(['x'], 'x'))),
      await code(uploader.forget(id)),
      await code(uploader.resume('no-such-upload', new File(['x'], 'x'))),
      await code(uploader.resume('no-such-upload')),
    ];
  }, id);
  assert.deepEqual(codes, ['in-use', 'in-use', 'upload-gone', 'file-needed']);
  await assertStored(path, await shownResult(rowOf(page)), server);
  await close();
});

test('a file with a kept handle need not be chosen again', async () => {
  await setFaults(server, SLOW);
  const { page, context, close } = await openPage(server);
  // The origin private file system has the same handles without a dialog, which a test can't answer.
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('kept.bin', { create: true });
    const writer = await handle.createWritable();
    for (let at = 0; at < 60; at += 1) await writer.write(new Uint8Array(1 << 20).fill(at));
    await writer.close();
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads' });
    let confirmed;
    const some = new Promise((resolve) => {
      confirmed = resolve;
    });
    const onProgress = (progress) => progress.confirmedParts > 2 && confirmed();
    uploader.upload(await handle.getFile(), { handle, onProgress }).catch(() => {});
    await some;
  });
  await page.reload();
  await page.locator('body[data-state=ready]').waitFor();
  await setFaults(server, { on: 'put' });
  await page.locator('.unfinished .go-on', { hasText: /^Resume$/ }).click();
  const { checksum, bytes } = await shownResult(rowOf(page));
  assert.match(checksum, /-8$/);
  assert.equal(bytes, '62,914,560 bytes');
  assert.ok((await hits(server)) < 8);
  assert.deepEqual(openUploads(server), []);
  assert.ok(context.pages().length === 1);
  await close();
});

test('a kept handle whose file has changed or is missing does not remove the upload', async () => {
  await setFaults(server, { on: 'complete', status: 401 });
  const { page, close } = await openPage(server);
  const seen = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('handle.bin', { create: true });
    const fill = async (first) => {
      const writer = await handle.createWritable();
      for (let at = 0; at < 20; at += 1) await writer.write(new Uint8Array(1 << 20).fill(first + at));
      await writer.close();
      return handle.getFile();
    };
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads' });
    const error = await uploader.upload(await fill(0), { handle }).catch((error) => error);
    const resumed = (id) => uploader.resume(id).catch(({ code, remains, resumeId }) => ({ code, remains, resumeId }));
    await fill(100);
    const other = await resumed(error.resumeId);
    await root.removeEntry('handle.bin');
    const gone = await resumed(error.resumeId);
    return { id: error.resumeId, other, gone, list: (await uploader.listResumable()).map(({ id }) => id) };
  });
  const kept = { remains: 'parts', resumeId: seen.id };
  assert.deepEqual(seen.other, { code: 'wrong-file', ...kept });
  assert.deepEqual(seen.gone, { code: 'file-needed', ...kept });
  assert.deepEqual([seen.list, openUploads(server).length], [[seen.id], 1]);
  await page.reload();
  const goOn = page.locator('.unfinished .go-on');
  await goOn.filter({ hasText: /^Resume$/ }).click();
  assert.equal(await shownError(rowOf(page)), 'file-needed');
  await goOn.filter({ hasText: 'Choose the file and resume' }).waitFor({ timeout: 5_000 });
  await page.locator('.unfinished .forget').click();
  await page.locator('.unfinished').waitFor({ state: 'detached' });
  assert.deepEqual(openUploads(server), []);
  await close();
});

test('a missing file is reported, and its upload is removed once it is forgotten', async () => {
  await setFaults(server, SLOW);
  const before = objects(server);
  const { page, close } = await openPage(server);
  const path = await makeFile('gone.bin', 60 * MIB);
  await page.setInputFiles('#file', path);
  await isFurther(rowOf(page), 0.2);
  truncateSync(path, 0);
  assert.equal(await shownError(rowOf(page)), 'file-changed');
  assert.deepEqual(objects(server), before);
  // The sent parts are kept for the unchanged file.
  assert.equal(openUploads(server).length, 1);
  await page.locator('.unfinished .forget').click();
  await page.locator('.unfinished').waitFor({ state: 'detached' });
  assert.deepEqual(openUploads(server), []);
  await close();
});

test('an upload that is too old to be resumed is not listed, and its record is removed', async () => {
  const { page, close } = await crashInTheMiddle(await makeFile('old.bin', 60 * MIB));
  await page.locator('.unfinished').waitFor();
  const count = (change) =>
    page.evaluate(async (change) => {
      const asked = (request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await asked(indexedDB.open('directput'));
      const store = database.transaction('uploads', 'readwrite').objectStore('uploads');
      const kept = await asked(store.getAll());
      if (change) for (const one of kept) await asked(store.put({ ...one, expiresAt: Date.now() - 1 }));
      database.close();
      return kept.length;
    }, change);
  assert.equal(await count(true), 1);
  await visit(page, server);
  assert.equal(await page.locator('.unfinished').count(), 0);
  for (let wait = 0; wait < 50 && (await count(false)) > 0; wait += 1) await page.waitForTimeout(100);
  assert.equal(await count(false), 0);
  await close();
});
