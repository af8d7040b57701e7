// Life of an uploader: options, pauses, cancellations, and closing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { objects, openUploads, setFaults, startFaulty } from './harness.mjs';
import { assertUploadError, openKit } from './kit.mjs';

const SLOW = { on: 'put', bytesPerSecond: 4 << 20 };

let server;

before(async () => {
  server = await startFaulty('lifecycle');
});

after(() => server?.stop());

for (const worker of [true, false]) {
  test(`closing ends uploads at once and keeps resumable ones (worker: ${worker})`, async () => {
    await setFaults(server, SLOW);
    const { page, troubles } = await openKit(server);
    const before = objects(server);
    const seen = await page.evaluate(async (worker) => {
      const uploader = await kit.uploader({ worker });
      const { upload, stored } = kit.begin(uploader, kit.file(40));
      await stored;
      // One upload waits in the queue. The other upload is resumed by an uploader that may not have loaded its engine
      // yet.
      const waiting = uploader.upload(kit.file(20, { seed: 9 }));
      const ends = await Promise.all([upload, waiting, uploader.close()].map((promise) => kit.end(promise)));
      const later = [await kit.end(uploader.upload(kit.file(1))), await kit.end(uploader.listResumable())];
      const early = await kit.uploader({ worker });
      const resumed = kit.end(early.resume(ends[0].resumeId, kit.file(40)));
      await early.close();
      return { ends, later, resumed: await resumed, id: ends[0].resumeId };
    }, worker);
    const [kept, waiting, closing] = seen.ends;
    for (const end of [kept, waiting, ...seen.later, seen.resumed]) assertUploadError(end, 'closed', 'close');
    assert.deepEqual([kept.remains, seen.resumed.remains, seen.resumed.resumeId], ['parts', 'parts', seen.id]);
    assert.ok(typeof seen.id === 'string' && kept.retryable && 'value' in closing);
    await setFaults(server);
    const size = await page.evaluate(async (id) => {
      const uploader = await kit.uploader();
      const first = await uploader.resume(id, kit.file(40));
      for (const { id } of await uploader.listResumable()) await uploader.forget(id);
      await uploader.close();
      return first.size;
    }, seen.id);
    assert.equal(size, 40 << 20);
    assert.deepEqual([objects(server).length, openUploads(server)], [before.length + 1, []]);
    assert.deepEqual(troubles, []);
  });
}

test('a pause lets running parts finish, and progress never goes back', async () => {
  await setFaults(server, SLOW);
  const { page } = await openKit(server);
  const seen = await page.evaluate(async () => {
    const uploader = await kit.uploader();
    const told = [];
    let paused;
    const rests = new Promise((resolve) => {
      paused = resolve;
    });
    const upload = uploader.upload(kit.file(100), {
      onProgress: ({ sentBytes, confirmedParts, held, phase }) => {
        told.push({ sentBytes, held });
        if (phase === 'upload' && sentBytes > 20 << 20 && !told.some(({ held }) => held)) upload.pause();
        if (held === 'paused') paused(confirmedParts);
      },
    });
    const parts = await rests;
    upload.resume();
    await upload;
    const isBack = told.some(({ sentBytes }, at) => sentBytes < (told[at - 1]?.sentBytes ?? 0));
    return { parts, isBack, helds: [...new Set(told.map(({ held }) => held))] };
  });
  assert.ok(seen.parts >= 2, `${seen.parts} parts`);
  assert.deepEqual([seen.isBack, seen.helds], [false, [null, 'pausing', 'paused']]);
});

test('a cancelled upload rejects like an aborted fetch', async () => {
  const { page } = await openKit(server);
  const seen = await page.evaluate(async () => {
    const uploader = await kit.uploader();
    const controller = new AbortController();
    const uploads = [uploader.upload(kit.file(1)), uploader.upload(kit.file(40), { signal: controller.signal })];
    uploads[0].cancel();
    controller.abort();
    return Promise.all(uploads.map((upload) => upload.catch(({ name, code }) => [name, code])));
  });
  assert.deepEqual(seen, [
    ['AbortError', 'aborted'],
    ['AbortError', 'aborted'],
  ]);
});

test('an unknown option is named with the most similar one', async () => {
  const { page } = await openKit(server);
  const messages = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const said = async (act) => {
      try {
        await act();
      } catch ({ code, message }) {
        return `${code}: ${message}`;
      }
    };
    const uploader = await kit.uploader();
    return [
      await said(() => new Uploader({ endpoint: '/uploads', maxByte: 7 })),
      await said(() => new Uploader({ endPoint: '/uploads' })),
      await said(() => uploader.upload(kit.file(1), { onprogress: () => {} })),
      await said(() => uploader.resume('x', kit.file(1), { stalledSeconds: 30 })),
      await said(() => new Uploader({ endpoint: '/uploads', headers: [['one']] })),
    ];
  });
  for (const [at, name] of ['maxBytes', 'endpoint', 'onProgress', 'stallSeconds', 'headers'].entries()) {
    assert.match(messages[at], new RegExp(`^invalid-option: .*\\b${name}\\b`));
  }
});

test('headers have the forms of fetch, and every call has the query of the endpoint', async () => {
  const { page } = await openKit(server);
  const calls = [];
  page.context().on('request', async (request) => {
    if (request.url().startsWith(`${server.page}/uploads`)) calls.push([request.url(), request.headers()['x-tenant']]);
  });
  const sizes = await page.evaluate(async () => {
    const sizes = [];
    for (const headers of [
      new Headers({ 'X-Tenant': 'a' }),
      [['x-tenant', 'b']],
      { 'X-Tenant': 'c' },
      async () => new Headers([['x-tenant', 'd']]),
    ]) {
      const uploader = await kit.uploader({ endpoint: '/uploads?tenant=7', headers, worker: false });
      sizes.push((await uploader.upload(kit.file(20))).size);
      await uploader.close();
    }
    return sizes;
  });
  assert.deepEqual(sizes, Array(4).fill(20 << 20));
  for (const tenant of 'abcd') {
    const paths = calls.filter(([, own]) => own === tenant).map(([url]) => new URL(url).pathname);
    assert.deepEqual([...new Set(paths)].sort(), ['/uploads', '/uploads/complete', '/uploads/parts'], tenant);
  }
  assert.ok(calls.every(([url]) => new URL(url).search === '?tenant=7'));
});
