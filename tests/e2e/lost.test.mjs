// Loss of the Wasm module's host: its uploads end with an error and do not continue, and the next upload gets a new
// host.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultyServer, folder, MIB, objects, openUploads, SLOW, setFaults } from './harness.mjs';
import { assertUploadError, openKit } from './kit.mjs';

/** Script that runs before the worker's own script. With it, a test can end the worker in each possible way. */
const SABOTAGE = `if (!('document' in globalThis)) {
  const { instantiate } = WebAssembly;
  let exports;
  WebAssembly.instantiate = async (...module) => {
    const instance = await instantiate(...module);
    ({ exports } = instance);
    return instance;
  };
  const commands = {
    // An address beyond the end of the memory.
    'a trap in a timer': () => setTimeout(() => exports.uploadhandle_cancel(0x7ffffff0)),
    'a trap in a promise': () => Promise.resolve().then(() => exports.uploadhandle_cancel(0x7ffffff0)),
    'an endless loop': () => { for (;;); },
    'a worker that has closed itself': () => self.close(),
    'an uncaught error': () => setTimeout(() => { throw new TypeError('uncaught'); }),
  };
  self.sabotage = new BroadcastChannel('sabotage');
  self.sabotage.onmessage = ({ data }) => commands[data]();
}
`;

// A copy of the package whose worker can be sabotaged.
const pkg = join(folder, 'pkg');
cpSync('pkg', pkg, { recursive: true });
writeFileSync(join(pkg, 'worker.js'), `${SABOTAGE}${readFileSync('pkg/worker.js', 'utf8')}`);

/** An upload of 24 MiB takes seconds. */
const SLOWER = { ...SLOW, bytesPerSecond: 3 * MIB };

const server = faultyServer('lost', { args: ['--package', pkg] });

for (const way of [
  'a trap in a timer',
  'a trap in a promise',
  'an endless loop',
  'a worker that has closed itself',
  'an uncaught error',
]) {
  test(`three uploads fail after ${way}, do not continue, and can be resumed`, async () => {
    await setFaults(server, SLOWER);
    const { page } = await openKit(server);
    const before = objects(server).length;
    const ends = await page.evaluate(async (way) => {
      kit.hurry();
      const uploader = await kit.uploader();
      globalThis.uploader = uploader;
      const begun = [0, 1, 2].map((seed) => kit.begin(uploader, kit.file(24, { seed }), 0));
      await Promise.all(begun.map(({ stored }) => stored));
      // Keeps a reference, because the browser drops the messages of a channel that was garbage-collected.
      kit.channel = new BroadcastChannel('sabotage');
      kit.channel.postMessage(way);
      return Promise.all(begun.map(({ upload }) => kit.end(upload)));
    }, way);
    for (const end of ends) {
      assertUploadError(end, 'worker-lost', way);
      assert.deepEqual([end.remains, end.retryable, typeof end.resumeId], ['parts', true, 'string']);
    }
    await setFaults(server, { on: 'put' });
    await sleep(3_000);
    assert.equal(objects(server).length, before, 'no failed upload is stored');
    const after = await page.evaluate(
      async (ids) => {
        const next = await kit.end(uploader.upload(kit.file(1)));
        const list = (await uploader.listResumable()).map(({ id }) => id);
        const resumed = await Promise.all(ids.map((id, seed) => kit.end(uploader.resume(id, kit.file(24, { seed })))));
        return { next, list, resumed, inWorker: await uploader.runsInWorker() };
      },
      ends.map(({ resumeId }) => resumeId),
    );
    assert.equal(after.next.value?.size, MIB, JSON.stringify(after.next));
    assert.deepEqual(after.list.sort(), ends.map(({ resumeId }) => resumeId).sort());
    for (const end of after.resumed) assert.equal(end.value?.size, 24 * MIB, JSON.stringify(end));
    assert.equal(after.inWorker, true);
    assert.deepEqual(openUploads(server), []);
  });
}

/** Ways to break a module that runs in the page, by name. */
const INJURIES = {
  'the module traps in a timer': () => setTimeout(() => kit.exports.uploadhandle_cancel(0x7ffffff0)),
  'the module traps in a promise': () => void Promise.resolve().then(() => kit.exports.uploadhandle_cancel(0x7ffffff0)),
};

for (const [way, injure] of Object.entries(INJURIES)) {
  test(`without a worker, if ${way}, uploads fail and the next one has a new module`, async () => {
    await setFaults(server, SLOWER);
    const { page } = await openKit(server, { bypassCSP: true });
    const before = objects(server).length;
    const ends = await page.evaluate(async (injure) => {
      const { instantiate } = WebAssembly;
      WebAssembly.instantiate = async (...module) => {
        const instance = await instantiate(...module);
        kit.exports = instance.exports;
        return instance;
      };
      const uploaders = [await kit.uploader({ worker: false }), await kit.uploader({ worker: false })];
      globalThis.uploaders = uploaders;
      const begun = uploaders.map((uploader, seed) => kit.begin(uploader, kit.file(24, { seed }), 0));
      await Promise.all(begun.map(({ stored }) => stored));
      new Function(`(${injure})()`)();
      return Promise.all(begun.map(({ upload }) => kit.end(upload)));
    }, injure.toString());
    for (const end of ends) assertUploadError(end, 'worker-lost', way);
    for (const { remains, resumeId } of ends) assert.deepEqual([remains, typeof resumeId], ['parts', 'string']);
    await setFaults(server);
    await sleep(3_000);
    assert.equal(objects(server).length, before);
    const after = await page.evaluate(
      (ids) => Promise.all(ids.map((id, seed) => kit.end(uploaders[seed].resume(id, kit.file(24, { seed }))))),
      ends.map(({ resumeId }) => resumeId),
    );
    for (const end of after) assert.equal(end.value?.size, 24 * MIB, JSON.stringify(end));
    assert.deepEqual(openUploads(server), []);
  });
}

test('bundlers do not resolve the import of a new module', () => {
  const imports = readFileSync('pkg/index.js', 'utf8').match(/import\([^"')]*\)/g);
  assert.match(
    imports.join(),
    /^import\((?:\/\* (?:webpackIgnore: true|turbopackIgnore: true|@vite-ignore) \*\/){3}\w+\)$/,
  );
});

test('errors of other scripts of the page do not end uploads', async () => {
  await setFaults(server, SLOWER);
  const { page } = await openKit(server);
  const end = await page.evaluate(async () => {
    const { upload, stored } = kit.begin(await kit.uploader({ worker: false }), kit.file(40), 1);
    await stored;
    const other = new WebAssembly.RuntimeError('unreachable');
    other.stack = 'RuntimeError: unreachable\n at other (https://example.com/other.wasm:wasm-function[1]:0x1)';
    setTimeout(() => {
      throw other;
    });
    Promise.reject(new TypeError('of the page'));
    return kit.end(upload);
  });
  assert.equal(end.value?.size, 40 * MIB, JSON.stringify(end));
});

test('closing an uploader settles all promises and stops its worker', async () => {
  for (const worker of [true, false]) {
    await setFaults(server, SLOWER);
    const { page } = await openKit(server);
    const before = objects(server).length;
    const ends = await page.evaluate(async (worker) => {
      const uploader = await kit.uploader({ worker });
      const { upload, stored } = kit.begin(uploader, kit.file(24), 0);
      await stored;
      await uploader.close();
      return [await kit.end(upload, 1_000), await kit.end(uploader.upload(kit.file(1)), 1_000)];
    }, worker);
    for (const end of ends) assertUploadError(end, 'closed', `worker: ${worker}`);
    assert.equal(ends[0].remains, 'parts');
    await setFaults(server);
    await sleep(2_000);
    assert.equal(objects(server).length, before);
  }
});

for (const fails of ['throws', 'is refused', 'never ends']) {
  test(`a file whose reading ${fails} fails with an error, and the next one is uploaded`, async () => {
    const { page } = await openKit(server);
    const ends = await page.evaluate(async (fails) => {
      kit.hurry();
      const refuse = () => {
        throw new TypeError('thrown by the test');
      };
      const arrayBuffer =
        { throws: refuse, 'is refused': async () => refuse() }[fails] ?? (() => new Promise(() => {}));
      const uploader = await kit.uploader({ worker: false });
      const first = await kit.broken(Blob.prototype, { stream: refuse, arrayBuffer }, async () => {
        const upload = uploader.upload(kit.file(20));
        // Cancels, because only the module ends a read that takes too long, after two minutes.
        if (fails === 'never ends') upload.cancel();
        return kit.end(upload, 10_000);
      });
      return [first, await kit.end(uploader.upload(kit.file(20)))];
    }, fails);
    assertUploadError(ends[0], fails === 'never ends' ? 'aborted' : undefined, fails);
    assert.equal(ends[1].value?.size, 20 * MIB, JSON.stringify(ends[1]));
  });
}
