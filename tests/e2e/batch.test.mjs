// Many small files, which one call opens together.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultyServer, objects, openPage, setFaults } from './harness.mjs';

const server = faultyServer('batch', { env: { ALLOWED_TYPES: 'text/plain' } });
const old = faultyServer('batch-old', { env: { SINGLE_PUT_BYTES: '1000' } });

/**
 * Uploads `count` files of a few bytes. Returns index and code of each failed upload, the paths of the calls, and the
 * keys of the stored objects.
 */
async function upload(at, count, { bad = [], cancel } = {}) {
  const { page, close } = await openPage(at);
  const calls = [];
  page.context().on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() === 'POST' && pathname.startsWith('/uploads')) calls.push(pathname);
  });
  const seen = await page.evaluate(
    async ({ count, bad, cancel }) => {
      const { Uploader } = await import('/directput/index.js');
      const uploader = new Uploader({ endpoint: '/uploads' });
      const type = (index) => (bad.includes(index) ? 'image/png' : 'text/plain');
      const files = Array.from(
        { length: count },
        (_, index) => new File([`file ${index}`], `${index}.txt`, { type: type(index) }),
      );
      const uploads = files.map((file) => uploader.upload(file));
      if (cancel !== undefined) uploads[cancel].cancel();
      const ended = await Promise.allSettled(uploads);
      const failed = ended.flatMap(({ reason }, index) => (reason ? [[index, reason.code]] : []));
      return { failed, keys: ended.flatMap(({ value }) => (value ? [value.key] : [])) };
    },
    { count, bad, cancel },
  );
  await close();
  return { ...seen, calls };
}

const stored = (at, keys) => {
  const there = new Set(objects(at));
  return keys.filter((key) => there.has(key.replace('uploads/', ''))).length;
};

test('three hundred small files are opened by a few calls', async (context) => {
  const { failed, keys, calls } = await upload(server, 300);
  const [alone, together] = ['/uploads', '/uploads/batch'].map((path) => calls.filter((call) => call === path).length);
  context.diagnostic(`${alone} calls for one file, ${together} for several`);
  assert.deepEqual([failed, new Set(keys).size, stored(server, keys)], [[], 300, 300]);
  assert.ok(alone <= 12 && together >= 3 && alone + together < 40, `${alone} and ${together} calls`);
});

test('a file of a batch that is refused or cancelled spoils no other', async () => {
  const { failed, keys } = await upload(server, 80, { bad: [3, 40, 79], cancel: 60 });
  assert.deepEqual(failed, [
    [3, 'type-not-allowed'],
    [40, 'type-not-allowed'],
    [60, 'aborted'],
    [79, 'type-not-allowed'],
  ]);
  assert.equal(stored(server, keys), 76);
});

test('a batch whose call fails is opened again', async () => {
  await setFaults(server, { on: 'create', status: 503, every: 4 });
  const { failed, keys } = await upload(server, 60);
  assert.deepEqual([failed, stored(server, keys)], [[], 60]);
});

test('a server that opens no batches is asked for none', async () => {
  const { failed, keys, calls } = await upload(old, 40);
  assert.deepEqual([failed, stored(old, keys)], [[], 40]);
  assert.ok(calls.every((path) => path !== '/uploads/batch'));
});
