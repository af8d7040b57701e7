// Uses `directput/testing` as tests of components do, without a browser and without a network.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE, run } from './packed.mjs';

const { FakeUploader } = await import(join(PACKAGE, 'testing/index.js'));
const { UploadError } = await import(join(PACKAGE, 'index.js'));
const { totalOf, UploadList } = await import(join(PACKAGE, 'list/index.js'));

const file = () => new File([new Uint8Array(1_000)], 'a.bin');
const task = () => new Promise((resolve) => setTimeout(resolve));

test('a list shows what a test lets happen to an upload', async () => {
  const uploader = new FakeUploader();
  const list = new UploadList(uploader);
  list.add([file(), file()], { priority: 3 });
  const [first, second] = uploader.uploads;
  assert.deepEqual([first.file.name, first.priority, uploader.uploads.length], ['a.bin', 3, 2]);
  first.progress(0.25);
  await task();
  assert.deepEqual([list.items[0].progress.sentBytes, list.items[0].progress.phase], [250, 'upload']);
  list.items[0].pause();
  assert.equal(first.control, 'pause');
  first.progress({ held: 'paused' });
  first.store({ key: 'uploads/1' });
  second.fail('network', { resumeId: 'x' });
  await task();
  const states = list.items.map(({ state, result, error }) => [state, result?.key, error?.code, error?.resumeId]);
  assert.deepEqual(states, [
    ['stored', 'uploads/1', undefined, undefined],
    ['failed', undefined, 'network', 'x'],
  ]);
  assert.ok(list.items[1].error instanceof UploadError && list.items[1].error.retryable);
  list.items[1].retry();
  uploader.uploads[2].progress(0.5);
  list.items[1].cancel();
  await task();
  assert.deepEqual([list.items[1].state, list.items[1].error.name], ['cancelled', 'AbortError']);
});

test('what acts on all uploads of a list leaves out what it can do nothing about', async () => {
  const uploader = new FakeUploader();
  const list = new UploadList(uploader);
  const states = () => list.items.map(({ name, state }) => `${name} ${state}`);
  const names = ['stored', 'failed', 'hopeless', 'paused', 'cancelled'];
  list.add(names.map((name) => new File([new Uint8Array(1_000)], name)));
  const [stored, failed, hopeless, paused] = uploader.uploads;
  await task();
  list.items[3].pause();
  list.items[4].cancel();
  stored.store();
  failed.fail('network');
  hopeless.fail('file-changed');
  await task();
  list.retryAll();
  await task();
  assert.deepEqual(
    uploader.uploads.slice(5).map(({ file }) => file.name),
    ['failed'],
  );
  paused.progress({ sentBytes: 250, bytesPerSecond: 7 });
  uploader.uploads[5].progress({ sentBytes: 500, bytesPerSecond: 50 });
  await task();
  // Paused uploads add no speed, and failed uploads are left out of the total.
  assert.deepEqual(list.total, { size: 3_000, sentBytes: 1_750, bytesPerSecond: 50, secondsLeft: 25 });
  assert.deepEqual(totalOf(list.items), list.total);
  list.add([file()]);
  // This also cancels the upload that was added in the same task.
  list.cancelAll();
  await task();
  const after = ['stored stored', 'failed cancelled', 'hopeless failed', 'paused cancelled'];
  assert.deepEqual(states(), [...after, 'cancelled cancelled', 'a.bin cancelled']);
  assert.equal(list.total.secondsLeft, null);
  list.clearFinished();
  await task();
  assert.deepEqual(states(), ['hopeless failed']);
  list.add([file()]);
  list.clear();
  await task();
  assert.deepEqual([states(), uploader.uploads.at(-1).control], [[], 'cancel']);
});

test('of many files a list shows all at once, and begins them in order, a few in each task', async () => {
  const uploader = new FakeUploader();
  const list = new UploadList(uploader);
  const names = Array.from({ length: 1_000 }, (_, index) => `${index}`);
  list.add(names.map((name) => new File(['x'], name)));
  await undefined;
  await undefined;
  assert.deepEqual([list.items.length, list.items.at(-1).state], [1_000, 'running']);
  const first = uploader.uploads.length;
  assert.ok(first > 0 && first < 200, `${first} begun`);
  // A command on a queued upload starts it at once; a removed upload never starts.
  list.items[900].pause();
  list.items[901].cancel();
  list.items[902].remove();
  assert.deepEqual(
    uploader.uploads.slice(first).map(({ file, control }) => [file.name, control]),
    [
      ['900', 'pause'],
      ['901', 'cancel'],
    ],
  );
  while (uploader.uploads.length < 999) await task();
  await task();
  const rest = names.filter((name) => !['900', '901', '902'].includes(name));
  const begun = uploader.uploads.map(({ file }) => file.name);
  assert.deepEqual([begun.length, begun.filter((name) => !/^90[012]$/.test(name))], [999, rest]);
  assert.deepEqual([list.items[900].state, list.items[901].state, list.items.length], ['paused', 'cancelled', 999]);
});

test('a list that is closed while files wait makes no other uploader for them', () => {
  const script = `
    import { UploadList } from 'directput/list';
    const list = new UploadList({ endpoint: '/uploads' });
    list.add(Array.from({ length: 1_000 }, () => new Blob(['x'])));
    await list.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    console.log(list.items.length, new Set(list.items.map(({ state, error }) => state + ' ' + error?.code)));`;
  const said = run('node', '--input-type=module', '--eval', script).trim();
  assert.equal(said, "1000 Set(1) { 'failed closed' }");
});

test('the size of an item is that of what is uploaded', async () => {
  const uploader = new FakeUploader();
  const list = new UploadList(uploader);
  list.add([file()]);
  uploader.uploads[0].progress({ size: 400, sentBytes: 100 });
  await task();
  assert.deepEqual([list.items[0].size, list.total.size], [400, 400]);
});

test('errors may be retried as the documents say', async () => {
  const rows = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([a-z-]+)` \| [^|]* \| (yes|no) \|/gm)];
  assert.ok(rows.length > 50);
  const uploader = new FakeUploader();
  for (const [, code, retryable] of rows) {
    const upload = uploader.upload(file());
    uploader.uploads.at(-1).fail(code);
    await assert.rejects(upload, { code, retryable: retryable === 'yes' });
  }
});

test('events, loops over progress, signals and a close are those of an uploader', async () => {
  const uploader = new FakeUploader(true);
  const seen = [];
  for (const type of ['start', 'progress', 'stored', 'failed']) uploader.addEventListener(type, () => seen.push(type));
  const shares = [];
  const upload = uploader.upload(file());
  uploader.uploads[0].progress(0.5);
  for await (const { sentBytes } of upload) shares.push(sentBytes);
  assert.equal((await upload).size, 1_000);
  assert.deepEqual([seen, shares.at(-1)], [['start', 'progress', 'progress', 'progress', 'stored'], 1_000]);
  const aborted = uploader.upload(file(), { signal: AbortSignal.abort() });
  await assert.rejects(aborted, { code: 'aborted', name: 'AbortError' });
  uploader.resumable = [{ id: 'x', name: 'a.bin', size: 1_000 }];
  assert.equal((await uploader.listResumable()).length, 1);
  const resumed = uploader.resume('x');
  assert.equal(uploader.uploads.at(-1).resumed, 'x');
  await uploader.close();
  for (const ended of [resumed, uploader.upload(file())]) await assert.rejects(ended, { code: 'closed' });
  assert.deepEqual(await uploader.listResumable(), []);
});
