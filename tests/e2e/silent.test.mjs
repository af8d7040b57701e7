// Missing answers: an upload that waits for an answer ends with an `UploadError`, and a cancelled upload does not wait.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultyServer, MIB, openUploads, setFaults } from './harness.mjs';
import { assertUploadError, openKit } from './kit.mjs';

const server = faultyServer('silent');

/** Maximum time until a cancelled upload ends, in milliseconds. */
const AT_ONCE = 1_000;

test('an upload that waits for the page is cancelled at once, by its method and by its signal', async () => {
  const { page } = await openKit(server);
  const ends = await page.evaluate(async (ms) => {
    const uploader = await kit.uploader({ beforeUpload: () => new Promise(() => {}) });
    await uploader.runsInWorker();
    const controller = new AbortController();
    const [one, other] = [uploader.upload(kit.file(1)), uploader.upload(kit.file(1), { signal: controller.signal })];
    setTimeout(() => one.cancel(), 100);
    setTimeout(() => controller.abort('enough'), 100);
    const loop = (async () => {
      for await (const _ of one);
    })();
    return Promise.all([one, other, loop].map((promise) => kit.end(promise, ms)));
  }, AT_ONCE);
  for (const end of ends) {
    assertUploadError(end, 'aborted', 'beforeUpload');
    assert.equal(end.remains, 'nothing');
  }
});

for (const missing of ['worker.js', 'directput_bg.wasm']) {
  test(`if ${missing} never comes, uploads are cancelled and closed at once, and everything else ends in time`, async () => {
    const { page } = await openKit(server);
    await page.route(`**/${missing}`, () => {});
    const seen = await page.evaluate(async (ms) => {
      kit.hurry();
      const uploader = await kit.uploader();
      const [cancelled, waiting] = [uploader.upload(kit.file(1)), uploader.upload(kit.file(1))];
      const controller = new AbortController();
      const signalled = uploader.upload(kit.file(20), { signal: controller.signal });
      cancelled.cancel();
      controller.abort();
      const closing = await kit.uploader();
      const closed = closing.upload(kit.file(1));
      const now = [cancelled, signalled, closing.close(), closed].map((promise) => kit.end(promise, ms));
      const calls = [
        waiting,
        uploader.runsInWorker(),
        uploader.listResumable(),
        uploader.forget('x'),
        uploader.resume('x'),
      ];
      return { now: await Promise.all(now), late: await Promise.all(calls.map((promise) => kit.end(promise, 15_000))) };
    }, AT_ONCE);
    const [cancelled, signalled, closing, closed] = seen.now;
    for (const end of [cancelled, signalled]) assertUploadError(end, 'aborted', missing);
    assert.ok('value' in Object(closing) || Object.keys(closing).length === 0, JSON.stringify(closing));
    assertUploadError(closed, 'closed', missing);
    for (const end of seen.late) assertUploadError(end, 'load-failed', missing);
  });
}

test('if the worker takes too long to start, the page does the work', async () => {
  const { page } = await openKit(server);
  await page.route('**/worker.js', () => {}, { times: 1 });
  const seen = await page.evaluate(async () => {
    kit.hurry();
    const uploader = await kit.uploader();
    return [await kit.end(uploader.upload(kit.file(20))), await uploader.runsInWorker()];
  });
  assert.equal(seen[0].value?.size, 20 * MIB, JSON.stringify(seen[0]));
  assert.equal(seen[1], false);
});

test('an uploader whose module has failed to load loads it again with the next upload', async () => {
  const { page } = await openKit(server);
  for (const file of ['directput_bg.wasm', 'inlined.js']) await page.route(`**/${file}`, (route) => route.abort());
  const first = await page.evaluate(async () => {
    globalThis.uploader = await kit.uploader();
    return kit.end(uploader.upload(kit.file(1)));
  });
  assertUploadError(first, 'load-failed', 'without a module');
  await page.unroute('**/directput_bg.wasm');
  const second = await page.evaluate(() => kit.end(uploader.upload(kit.file(1))));
  assert.equal(second.value?.size, MIB, JSON.stringify(second));
});

test('an upload in a worker that no longer answers is cancelled within two seconds', async () => {
  await setFaults(server, { on: 'put', bytesPerSecond: MIB });
  const { page } = await openKit(server);
  const end = await page.evaluate(async () => {
    const { postMessage } = Worker.prototype;
    const { upload, stored } = kit.begin(await kit.uploader(), kit.file(24), 0);
    await stored;
    // The worker no longer receives messages.
    return kit.broken(Worker.prototype, { postMessage: () => void postMessage }, () => {
      upload.cancel();
      return kit.end(upload, 3_000);
    });
  });
  assertUploadError(end, 'aborted', 'a deaf worker');
  assert.deepEqual([end.remains, typeof end.resumeId], ['parts', 'string']);
});

test('headers that never come time out, and do not delay a cancellation', async () => {
  const { page } = await openKit(server);
  const ends = await page.evaluate(async () => {
    const ends = [];
    for (const worker of [true, false]) {
      const uploader = await kit.uploader({ worker, headers: () => new Promise(() => {}) });
      for (const mebibytes of [1, 20]) {
        const upload = uploader.upload(kit.file(mebibytes));
        setTimeout(() => upload.cancel(), 500);
        // The 500 ms until the cancellation, the 10 s for which a cancelled upload may wait (`CANCEL_MS` in
        // `src/engine/stage/cancel.rs`), and two seconds more.
        ends.push(kit.end(upload, 12_500));
      }
    }
    return Promise.all(ends);
  });
  for (const end of ends) assertUploadError(end, 'aborted', 'headers');
});

/** Values that pages and browsers throw. */
const THROWN = {
  'a DOMException': () => new DOMException('thrown by the test', 'DataCloneError'),
  'a TypeError': () => new TypeError('thrown by the test'),
  'a text': () => 'thrown by the test',
  nothing: () => undefined,
  null: () => null,
  'an error with a code': () => Object.assign(new Error('thrown by the test'), { code: 'auth/expired' }),
};

for (const [what, make] of Object.entries(THROWN)) {
  test(`if ${what} is thrown, all rejections are UploadErrors`, async () => {
    const before = openUploads(server);
    const { page } = await openKit(server, { bypassCSP: true });
    // Blocks the inlined build: it is loaded as a script and not by `fetch`, so it would still load the module.
    await page.route('**/inlined.js', (route) => route.abort());
    const ends = await page.evaluate(async (make) => {
      kit.hurry();
      const refuse = () => {
        throw new Function(`return (${make})()`)();
      };
      const later = async () => refuse();
      const ends = {};
      for (const worker of [true, false]) {
        for (const [name, throws] of [
          ['throws', refuse],
          ['rejects', later],
        ]) {
          const uploader = await kit.uploader({ worker, headers: throws });
          ends[`headers ${name} ${worker}`] = await kit.end(uploader.upload(kit.file(1)));
          const asked = await kit.uploader({ worker, beforeUpload: throws });
          const upload = asked.upload(kit.file(1));
          ends[`beforeUpload ${name} ${worker}`] = await kit.end(upload);
          ends[`loop ${name} ${worker}`] = await kit.end(
            (async () => {
              for await (const _ of upload);
            })(),
          );
        }
      }
      const calls = async (uploader) => ({
        upload: await kit.end(uploader.upload(kit.file(1))),
        large: await kit.end(uploader.upload(kit.file(17))),
        list: await kit.end(uploader.listResumable()),
        forget: await kit.end(uploader.forget('x')),
        resume: await kit.end(uploader.resume('x', kit.file(1))),
        reopen: await kit.end(uploader.resume('x')),
        runs: await kit.end(uploader.runsInWorker()),
        close: await kit.end(uploader.close()),
      });
      const seams = {
        'IndexedDB opens': [IDBFactory.prototype, 'open'],
        'IndexedDB begins': [IDBDatabase.prototype, 'transaction'],
        'IndexedDB gets': [IDBObjectStore.prototype, 'get'],
        'IndexedDB lists': [IDBIndex.prototype, 'getAll'],
        'IndexedDB puts': [IDBObjectStore.prototype, 'put'],
        'IndexedDB deletes': [IDBObjectStore.prototype, 'delete'],
        'locks are taken': [LockManager.prototype, 'request'],
        'locks are listed': [LockManager.prototype, 'query'],
        'hashing for fingerprints': [SubtleCrypto.prototype, 'digest'],
        'a worker starts': [globalThis, 'Worker'],
        'Wasm is compiled': [WebAssembly, 'compileStreaming'],
        'anything is fetched': [globalThis, 'fetch'],
      };
      for (const [seam, [object, method]] of Object.entries(seams)) {
        for (const throws of [refuse, later]) {
          const said = await kit.broken(object, { [method]: throws }, async () =>
            calls(await kit.uploader({ worker: seam === 'a worker starts' })),
          );
          for (const [call, end] of Object.entries(said)) ends[`${call} where ${seam}`] = end;
        }
      }
      const told = await kit.uploader();
      ends.callbacks = await kit.end(told.upload(kit.file(1), { onProgress: refuse, onPart: refuse, onRetry: refuse }));
      return ends;
    }, make.toString());
    for (const [seam, end] of Object.entries(ends)) {
      if (end.is !== undefined) assertUploadError(end, undefined, seam);
      assert.ok(!end.silent, `${seam} is silent`);
    }
    assert.equal(ends.callbacks.value?.size, MIB);
    assert.deepEqual(openUploads(server), before);
  });
}
