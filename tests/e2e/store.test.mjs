// The browser's store is optional: uploads work without it. They report `kept` only after the record is written, and
// find earlier uploads by the file's content.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultyServer, hits, MIB, openUploads, SLOW, setFaults } from './harness.mjs';
import { assertUploadError, openKit } from './kit.mjs';

const server = faultyServer('store');

/** Fault of an expired sign-in: uploads fail after all parts are stored, and can be resumed. */
const SIGNED_OUT = { on: 'complete', status: 401 };

const uploaded = () => readdirSync(join(server.data, server.bucket, 'uploads')).length;

/** Ways in which a store fails, by the name of the broken function. */
const BREAKS = {
  'open throws': () => [IDBFactory.prototype, { open: () => kit.refuse('SecurityError') }],
  'open never ends': () => {
    const silent = { addEventListener() {}, removeEventListener() {} };
    return [IDBFactory.prototype, { open: () => Object.assign(Object.create(IDBOpenDBRequest.prototype), silent) }];
  },
  'transactions throw': () => [IDBDatabase.prototype, { transaction: () => kit.refuse('InvalidStateError') }],
  'reading throws': () => [IDBIndex.prototype, { getAll: () => kit.refuse('UnknownError') }],
  'writing throws': () => [IDBObjectStore.prototype, { put: () => kit.refuse('QuotaExceededError') }],
  'writing never ends': () => {
    const silent = () => new Promise(() => {});
    return [IDBObjectStore.prototype, { put: silent, delete: silent }];
  },
  'locks throw': () => [LockManager.prototype, { request: () => kit.refuse('SecurityError') }],
  'locks are refused': () => [LockManager.prototype, { request: async () => kit.refuse('SecurityError') }],
  'locks are never granted': () => [LockManager.prototype, { request: () => new Promise(() => {}) }],
  'locks can not be listed': () => [LockManager.prototype, { query: async () => kit.refuse('SecurityError') }],
  'locks are never told': () => [LockManager.prototype, { query: () => new Promise(() => {}) }],
};

/** Faults with which uploads are still kept, because only the list of resumable uploads needs the list of locks. */
const KEPT = ['locks can not be listed', 'locks are never told'];

const REFUSE = () => {
  kit.refuse = (name) => {
    throw new DOMException('thrown by the test', name);
  };
};

for (const [name, prepare] of Object.entries(BREAKS)) {
  test(`a large file is uploaded although ${name}`, async () => {
    // The function that breaks the store is sent to the page as text.
    const { page } = await openKit(server, { bypassCSP: true });
    await page.evaluate(REFUSE);
    const seen = await page.evaluate(
      async ([prepare]) => {
        kit.hurry();
        const [object, members] = new Function(`return (${prepare})()`)();
        const uploader = await kit.uploader({ worker: false });
        const { upload, kept } = kit.begin(uploader, kit.file(20));
        const during = await kit.broken(object, members, async () => {
          const ends = [await kit.end(upload), await kit.end(uploader.listResumable())];
          // The store is also broken for the second upload.
          ends.push(await kit.end(uploader.upload(kit.file(20, { seed: 1 }))));
          return ends;
        });
        const after = kit.begin(uploader, kit.file(20, { seed: 2 }));
        return {
          during,
          kept,
          after: [await kit.end(after.upload), await kit.end(uploader.listResumable())],
          next: after.kept,
        };
      },
      [prepare.toString()],
    );
    const [first, list, second] = seen.during;
    for (const end of [first, second, seen.after[0]]) assert.equal(end.value?.size, 20 * MIB, JSON.stringify(end));
    assert.deepEqual([list.value, seen.after[1].value], [[], []]);
    if (!KEPT.includes(name)) assert.deepEqual(seen.kept, [false], 'the upload reports that it is not kept');
    assert.ok(seen.next.includes(true), 'a working store is used again');
    assert.deepEqual(openUploads(server), []);
  });
}

test('after site data is cleared during uploads, the next uploads are kept again', async () => {
  await setFaults(server, SLOW);
  const { page, context } = await openKit(server);
  const begun = page.evaluate(async () => {
    const uploader = await kit.uploader();
    globalThis.uploader = uploader;
    const { upload, stored } = kit.begin(uploader, kit.file(60));
    await stored;
    globalThis.running = upload;
  });
  await begun;
  const session = await context.newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: server.page, storageTypes: 'indexeddb' });
  const ends = await page.evaluate(async () => {
    const ends = [await kit.end(uploader.listResumable())];
    const next = kit.begin(uploader, kit.file(20, { seed: 1 }));
    ends.push(await kit.end(next.upload), await kit.end(running), await kit.end(uploader.listResumable()));
    return { ends, kept: next.kept };
  });
  assert.deepEqual([ends.ends[0].value, ends.ends[3].value], [[], []]);
  assert.deepEqual([ends.ends[1].value?.size, ends.ends[2].value?.size], [20 * MIB, 60 * MIB]);
  assert.ok(ends.kept.includes(true));
});

for (const fails of ['when it is asked', 'at the end of its transaction']) {
  test(`an upload whose record can't be written for want of space, ${fails}, is not reported as kept, and is removed`, async () => {
    await setFaults(server, SIGNED_OUT);
    const { page } = await openKit(server);
    await page.evaluate(REFUSE);
    const seen = await page.evaluate(async (isLate) => {
      const { put } = IDBObjectStore.prototype;
      const refuse = function (value) {
        if (!isLate) kit.refuse('QuotaExceededError');
        const request = put.call(this, value);
        request.addEventListener('success', () => this.transaction.abort());
        return request;
      };
      const uploader = await kit.uploader({ worker: false });
      const { upload, kept } = kit.begin(uploader, kit.file(100));
      const end = await kit.broken(IDBObjectStore.prototype, { put: refuse }, () => kit.end(upload));
      return { end, kept, list: await uploader.listResumable() };
    }, fails !== 'when it is asked');
    assertUploadError(seen.end, 'unauthorized', 'the upload');
    assert.deepEqual([seen.end.resumeId, seen.end.remains, seen.kept, seen.list], [undefined, 'nothing', [false], []]);
    assert.deepEqual(openUploads(server), []);
  });
}

test('an upload is reported as kept only after its record is written', async () => {
  await setFaults(server, SIGNED_OUT);
  const { page } = await openKit(server);
  const seen = await page.evaluate(async () => {
    const uploader = await kit.uploader();
    const { upload, kept } = kit.begin(uploader, kit.file(100));
    const end = await kit.end(upload);
    const list = await uploader.listResumable();
    await uploader.forget(list[0].id);
    return { end, kept, ids: list.map(({ id }) => id) };
  });
  assertUploadError(seen.end, 'unauthorized', 'the upload');
  assert.deepEqual([seen.end.remains, seen.kept, seen.ids], ['parts', [false, true], [seen.end.resumeId]]);
  assert.deepEqual(openUploads(server), []);
});

/** Begins an upload that fails after its parts are stored, and is kept. Returns the id for `resume`. */
async function keepOne(page, { file = {}, uploader = {}, size = 100 } = {}) {
  await setFaults(server, SIGNED_OUT);
  const end = await page.evaluate(
    async ([file, uploader, size]) => kit.end((await kit.uploader(uploader)).upload(kit.file(size, file))),
    [file, uploader, size],
  );
  assert.equal(end.code, 'unauthorized', JSON.stringify(end));
  assert.ok(end.resumeId);
  await setFaults(server, { on: 'put' });
  return end.resumeId;
}

test('the same bytes under another name and time are resumed, manually and automatically', async () => {
  const { page } = await openKit(server);
  for (const isByHand of [true, false]) {
    const id = await keepOne(page);
    const end = await page.evaluate(
      async ([id, isByHand]) => {
        const uploader = await kit.uploader();
        const file = kit.file(100, { name: 'image-17.bin', lastModified: 2 });
        return kit.end(isByHand ? uploader.resume(id, file) : uploader.upload(file));
      },
      [id, isByHand],
    );
    assert.equal(end.value?.size, 100 * MIB, JSON.stringify(end));
    assert.equal(await hits(server), 0, 'all parts were already stored');
    assert.deepEqual(openUploads(server), []);
  }
});

test('records of an older version are found by name, size, time and samples', async () => {
  const { page } = await openKit(server);
  await keepOne(page);
  const end = await page.evaluate(async () => {
    const file = kit.file(100);
    const end = file.size - 65_536;
    const samples = [0, Math.floor(end / 2), end].map((start) => file.slice(start, start + 65_536));
    const about = JSON.stringify([file.name, file.size, file.lastModified]);
    const digest = await crypto.subtle.digest('SHA-256', await new Blob([about, ...samples]).arrayBuffer());
    const fingerprint = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const asked = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await asked(indexedDB.open('directput'));
    const store = database.transaction('uploads', 'readwrite').objectStore('uploads');
    const [{ caller: _, modified: __, ...kept }] = await asked(store.getAll());
    await asked(store.put({ ...kept, fingerprint }));
    database.close();
    return kit.end((await kit.uploader()).upload(file));
  });
  assert.equal(end.value?.size, 100 * MIB, JSON.stringify(end));
  assert.equal(await hits(server), 0, 'all parts were already stored');
  assert.deepEqual(openUploads(server), []);
});

test('of several matching uploads, the one with the same name and time is resumed', async () => {
  const { page } = await openKit(server);
  const ids = [];
  for (const name of ['a.bin', 'b.bin', 'c.bin']) {
    await setFaults(server, SIGNED_OUT);
    ids.push(
      await page.evaluate(async (name) => {
        // Begins three uploads of equal files.
        const uploader = await kit.uploader();
        const { getAll } = IDBIndex.prototype;
        IDBIndex.prototype.getAll = function () {
          return getAll.call(this, 'no such endpoint');
        };
        const here = await kit.uploader({ worker: false });
        const { resumeId } = await kit.end(here.upload(kit.file(60, { name })));
        IDBIndex.prototype.getAll = getAll;
        await uploader.close();
        return resumeId;
      }, name),
    );
  }
  await setFaults(server);
  const left = await page.evaluate(async () => {
    const uploader = await kit.uploader();
    const before = await uploader.listResumable();
    const end = await kit.end(uploader.upload(kit.file(60, { name: 'b.bin' })));
    const after = await uploader.listResumable();
    for (const { id } of after) await uploader.forget(id);
    return { before: before.map(({ id }) => id), end, after: after.map(({ name }) => name).sort() };
  });
  assert.deepEqual(left.before.sort(), ids.sort());
  assert.equal(left.end.value?.size, 60 * MIB, JSON.stringify(left.end));
  assert.deepEqual(left.after, ['a.bin', 'c.bin']);
  assert.deepEqual(openUploads(server), []);
});

test('uploads of one caller are not resumed by another', async () => {
  const { page } = await openKit(server);
  const id = await keepOne(page, { uploader: { caller: 'ann' } });
  const seen = await page.evaluate(async (id) => {
    const list = async (caller) => (await (await kit.uploader({ caller })).listResumable()).map(({ id }) => id);
    const bob = await kit.uploader({ caller: 'bob' });
    return {
      lists: [await list('bob'), await list(''), await list('ann')],
      resumed: await kit.end(bob.resume(id, kit.file(100))),
      forgot: await kit.end(bob.forget(id)),
      own: await kit.end(bob.upload(kit.file(100))),
      after: await list('ann'),
    };
  }, id);
  assert.deepEqual(seen.lists, [[], [], [id]]);
  assertUploadError(seen.resumed, 'upload-gone', 'resume');
  assert.equal(seen.own.value?.size, 100 * MIB);
  assert.equal(await hits(server), 13, 'every part was sent for the other caller');
  assert.deepEqual(seen.after, [id]);
  const before = uploaded();
  const end = await page.evaluate(async (id) => {
    const ann = await kit.uploader({ caller: 'ann' });
    return kit.end(ann.resume(id, kit.file(100)));
  }, id);
  assert.equal(end.value?.size, 100 * MIB, JSON.stringify(end));
  assert.equal(uploaded(), before + 1);
  assert.deepEqual(openUploads(server), []);
});

/** Replaces the token in the only record. Returns the old token. */
function replaceToken(page, token) {
  return page.evaluate(async (token) => {
    const asked = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await asked(indexedDB.open('directput'));
    const store = database.transaction('uploads', 'readwrite').objectStore('uploads');
    const [kept] = await asked(store.getAll());
    await asked(store.put({ ...kept, record: { ...kept.record, token } }));
    database.close();
    return kept.record.token;
  }, token);
}

for (const code of ['not-your-upload', 'token-invalid']) {
  test(`a file whose earlier upload is refused with ${code} gets a new upload, and the earlier record is kept`, async () => {
    const { page } = await openKit(server);
    const id = await keepOne(page, { size: 20 });
    const token = await replaceToken(page, 'spoilt');
    let refusals = 0;
    const api = new RegExp(`^${server.page}/uploads`);
    await page.route(api, (route) => {
      const request = route.request();
      if (!`${JSON.stringify(request.headers())}${request.postData()}`.includes('spoilt')) return route.continue();
      refusals += 1;
      const body = JSON.stringify({ type: 'about:blank', title: code, status: 403, code });
      // For a damaged token, the API itself returns this code.
      if (code === 'token-invalid') return route.continue();
      return route.fulfill({ status: 403, contentType: 'application/problem+json', body });
    });
    const seen = await page.evaluate(async () => {
      // The page can't intercept requests of a worker.
      const uploader = await kit.uploader({ worker: false });
      const end = await kit.end(uploader.upload(kit.file(20)));
      return { end, ids: (await uploader.listResumable()).map(({ id }) => id) };
    });
    assert.equal(seen.end.value?.size, 20 * MIB, JSON.stringify(seen.end));
    assert.ok(refusals > 0);
    assert.deepEqual([seen.ids, openUploads(server).length], [[id], 1]);
    await replaceToken(page, token);
    await page.evaluate(async (id) => (await kit.uploader()).forget(id), id);
    assert.deepEqual(openUploads(server), []);
  });
}

for (const code of ['not-your-upload', 'token-invalid']) {
  test(`an upload that the API refuses with ${code} keeps its record, even if it is to be forgotten`, async () => {
    const { page } = await openKit(server);
    const id = await keepOne(page, { size: 20 });
    const status = code === 'token-invalid' ? 401 : 403;
    const body = JSON.stringify({ type: 'about:blank', title: code, status, code });
    const refuse = (route) => route.fulfill({ status, contentType: 'application/problem+json', body });
    const api = new RegExp(`^${server.page}/uploads`);
    await page.route(api, refuse);
    const seen = await page.evaluate(async (id) => {
      const uploader = await kit.uploader({ worker: false });
      const resumed = await kit.end(uploader.resume(id, kit.file(20)));
      const list = await uploader.listResumable();
      await kit.end(uploader.forget(id));
      return { resumed, ids: list.map(({ id }) => id) };
    }, id);
    assertUploadError(seen.resumed, code, 'resume');
    assert.deepEqual([seen.resumed.resumeId, seen.ids], [id, [id]]);
    assert.equal(openUploads(server).length, 1);
    // The next visit removes the upload.
    await page.unroute(api);
    await page.evaluate(async () => (await kit.uploader()).runsInWorker());
    for (let wait = 0; wait < 50 && openUploads(server).length > 0; wait += 1) await page.waitForTimeout(100);
    assert.deepEqual(openUploads(server), []);
  });
}
