// Faults of networks, servers and users during an upload, in a real Chromium. After each fault, the object is equal to
// the file, or the page shows the reason and S3 holds no open upload.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assertStored,
  ended,
  faultyServer,
  folder,
  hits,
  isCancelled,
  isFurther,
  MIB,
  makeFile,
  objects,
  openPage,
  openUploads,
  reach,
  rowOf,
  SLOW,
  screenshot,
  setFaults,
  shownError,
  shownResult,
  startFaulty,
  stateOf,
} from './harness.mjs';
import { freePort } from './server.mjs';

const server = faultyServer('robust');

async function barOf(row) {
  return row.locator('.bar').evaluate((bar) => bar.value);
}

/** Returns the number of failures that the row has shown. */
async function retriesOf(row) {
  return Number((await row.getAttribute('data-retries')) ?? 0);
}

/** Uploads a file with these faults, and checks that it arrives. */
async function arrivesInSpiteOf(size, ...faults) {
  await setFaults(server, ...faults);
  const path = await makeFile('spite.bin', size);
  const { page, troubles, close } = await openPage(server);
  await page.setInputFiles('#file', path);
  await assertStored(path, await shownResult(rowOf(page)), server);
  assert.ok((await hits(server)) > 0, 'the faults were injected');
  const retries = await retriesOf(rowOf(page));
  assert.deepEqual(troubles, []);
  await close();
  return retries;
}

test('every third PUT is a 503', async () => {
  assert.ok((await arrivesInSpiteOf(100 * MIB, { on: 'put', status: 503, every: 3 })) >= 4);
});

test('every URL has expired when it is first used', async () => {
  const ahead = { on: 'put', clockAheadSeconds: 3_600, firstOfEach: 1 };
  assert.equal(await arrivesInSpiteOf(100 * MIB, ahead), 13, 'one retry for each part');
});

test('each call of the API fails before it works', async () => {
  await arrivesInSpiteOf(
    60 * MIB,
    { on: 'any', latencyMs: 50 },
    { on: 'create', status: 500, times: 2 },
    { on: 'sign', drop: 'before', every: 2, times: 2 },
    { on: 'sign', status: 429, retryAfter: 1, times: 1 },
    { on: 'complete', drop: 'before', times: 1 },
  );
});

test('the answer to a successful completion is lost', async () => {
  await arrivesInSpiteOf(40 * MIB, { on: 'complete', drop: 'after', times: 1 });
});

test('connections break before a part is stored and after', async () => {
  await arrivesInSpiteOf(100 * MIB, { on: 'put', drop: 'before', every: 4 }, { on: 'put', drop: 'after', every: 5 });
});

test('the answer to the only PUT of a small file is lost, and its retry finds the object there', async () => {
  await arrivesInSpiteOf(3 * MIB, { on: 'put', drop: 'after', times: 1 });
});

test('a part that is damaged on its way is refused and sent again', async () => {
  assert.equal(await arrivesInSpiteOf(40 * MIB, { on: 'put', corrupt: true, times: 1 }), 1);
});

test('parts that arrive damaged repeatedly end the upload, and it is removed', async () => {
  await setFaults(server, { on: 'put', corrupt: true });
  const before = objects(server);
  const { page, close } = await openPage(server);
  await page.setInputFiles('#file', await makeFile('corrupt.bin', 40 * MIB));
  assert.equal(await shownError(rowOf(page)), 'integrity');
  assert.deepEqual([objects(server), openUploads(server)], [before, []]);
  await close();
});

test('a dead connection is replaced by another', async () => {
  assert.equal(await arrivesInSpiteOf(60 * MIB, { on: 'put', stall: true, every: 3, times: 1 }), 1);
});

test('pause stops the upload, and resume continues it', async () => {
  await setFaults(server, SLOW);
  const path = await makeFile('pause.bin', 100 * MIB);
  const { page, close } = await openPage(server);
  await page.setInputFiles('#file', path);
  const row = rowOf(page);
  await isFurther(row, 0.2);
  await row.locator('.pause').click();
  await page.locator('.upload[data-held=paused]').waitFor();
  const [bar, puts] = [await barOf(row), await hits(server)];
  await sleep(2_000);
  assert.deepEqual([await barOf(row), await hits(server)], [bar, puts], 'nothing moves');
  await screenshot(page, 'paused');
  await row.locator('.pause', { hasText: 'Resume' }).click();
  await assertStored(path, await shownResult(row), server);
  await close();
});

test('cancel removes the upload, even if the first removals fail', async () => {
  await setFaults(server, SLOW, { on: 'abort', status: 503, times: 2 });
  const before = objects(server);
  const { page, close } = await openPage(server);
  await page.setInputFiles('#file', await makeFile('cancel.bin', 200 * MIB));
  await isFurther(rowOf(page), 0.1);
  assert.equal(openUploads(server).length, 1);
  await rowOf(page).locator('.cancel').click();
  await isCancelled(rowOf(page));
  assert.deepEqual([objects(server), openUploads(server)], [before, []]);
  assert.equal(await page.locator('.unfinished').count(), 0);
  await close();
});

test('ten seconds without a network', async () => {
  await setFaults(server, SLOW);
  const path = await makeFile('offline.bin', 100 * MIB);
  const { page, context, close } = await openPage(server);
  await page.setInputFiles('#file', path);
  const row = rowOf(page);
  await isFurther(row, 0.2);
  await context.setOffline(true);
  await page.locator('.offline').waitFor();
  await page.locator('.upload[data-held=offline]').waitFor();
  await row.locator('.notice', { hasText: 'Waiting for the network' }).waitFor();
  await screenshot(page, 'offline');
  await sleep(10_000);
  assert.equal(await stateOf(row), 'running');
  await context.setOffline(false);
  await page.locator('.offline').waitFor({ state: 'hidden' });
  await assertStored(path, await shownResult(row), server);
  await close();
});

test('the server is restarted in the middle', async () => {
  const ports = { port: await freePort(), s3Port: await freePort() };
  const first = await startFaulty('restart', ports);
  await setFaults(first, SLOW);
  const path = await makeFile('restart.bin', 100 * MIB);
  const { page, close } = await openPage(first);
  await page.setInputFiles('#file', path);
  await isFurther(rowOf(page), 0.3);
  await first.kill();
  await sleep(2_000);
  const second = await startFaulty('restart', ports);
  await assertStored(path, await shownResult(rowOf(page)), second);
  await close();
  await second.stop();
});

test('a file is appended to while it is sent', async () => {
  await setFaults(server, SLOW);
  const before = objects(server);
  const path = await makeFile('appended.bin', 200 * MIB);
  const { page, close } = await openPage(server);
  await page.setInputFiles('#file', path);
  await isFurther(rowOf(page), 0.2);
  appendFileSync(path, 'one line more');
  assert.equal(await shownError(rowOf(page)), 'file-changed');
  assert.equal(await rowOf(page).locator('.retry').isVisible(), false, 'a retry would not help');
  await screenshot(page, 'file-changed');
  // The browser would report the same error if only the file's time had changed, so the upload is kept.
  assert.deepEqual([objects(server), openUploads(server).length], [before, 1]);
  const forgotten = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads' });
    const unfinished = await uploader.listResumable();
    await Promise.all(unfinished.map(({ id }) => uploader.forget(id)));
    return unfinished.map(({ name }) => name);
  });
  assert.deepEqual(forgotten, ['appended.bin']);
  assert.deepEqual(openUploads(server), []);
  await close();
});

test('a file that can not be read for a moment has not changed', async () => {
  await setFaults(server, SLOW);
  const { page, close } = await openPage(server);
  const seen = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads', worker: false });
    // Simulates leaving a page: reads fail, and running requests are aborted.
    const requests = new Set();
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function (body) {
      requests.add(this);
      send.call(this, body);
    };
    const { stream, arrayBuffer } = Blob.prototype;
    const refuse = () => {
      throw new DOMException('as a page that is left', 'NotReadableError');
    };
    let isBroken = false;
    const onProgress = ({ confirmedParts }) => {
      if (confirmedParts < 2 || isBroken) return;
      isBroken = true;
      Object.assign(Blob.prototype, { stream: refuse, arrayBuffer: async () => refuse() });
      for (const request of requests) request.abort();
      setTimeout(() => Object.assign(Blob.prototype, { stream, arrayBuffer }), 700);
    };
    const { size } = await uploader.upload(new File([new Uint8Array(100 << 20)], 'x.bin'), { onProgress });
    return [isBroken, size];
  });
  assert.deepEqual(seen, [true, 100 * MIB]);
  assert.deepEqual(openUploads(server), []);
  await close();
});

test('two hundred small files, and a large one before them', async () => {
  await setFaults(server, { ...SLOW, bytesPerSecond: 20 * MIB });
  const large = await makeFile('large.bin', 100 * MIB);
  const paths = [large];
  for (let index = 0; index < 200; index += 1) paths.push(await makeFile(`small-${index}.bin`, 1_000 + index));
  const { page, troubles, close } = await openPage(server);
  await page.setInputFiles('#file', paths);
  await ended(await reach(page, 201));
  assert.equal(await stateOf(await reach(page, 1)), 'running', 'the large file does not delay the others');
  await page.locator('#summary', { hasText: '201 of 201 files uploaded' }).waitFor({ timeout: 60_000 });
  await assertStored(large, await shownResult(await reach(page, 1)), server);
  const keys = new Set();
  for (const index of [1, 2, 77, 199, 200]) {
    const result = await shownResult(await reach(page, index + 1));
    await assertStored(paths[index], result, server);
    keys.add(result.key);
  }
  assert.equal(keys.size, 5);
  assert.deepEqual(troubles, []);
  await screenshot(page, 'many');
  await close();
});

test('a folder is dropped', async () => {
  const inner = join(folder, 'dropped/inner');
  mkdirSync(inner, { recursive: true });
  for (const name of ['../a.bin', 'b.bin', 'c.bin']) await makeFile(join('dropped/inner', name), 2_000);
  const { page, context, close } = await openPage(server);
  const session = await context.newCDPSession(page);
  const { x, y } = await page.locator('.drop').boundingBox();
  const data = { items: [], files: [join(folder, 'dropped')], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await session.send('Input.dispatchDragEvent', { type, x: x + 20, y: y + 20, data });
  }
  await page.locator('#summary', { hasText: '3 of 3 files uploaded' }).waitFor({ timeout: 30_000 });
  await close();
});

test('an unauthorized call is repeated once with fresh headers', async () => {
  await setFaults(server, { on: 'sign', status: 401, times: 1 });
  const { page, close } = await openPage(server);
  const outcome = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    let asked = 0;
    const headers = async () => {
      asked += 1;
      return { authorization: `Bearer ${asked}` };
    };
    const uploader = new Uploader({ endpoint: '/uploads', headers });
    const { size } = await uploader.upload(new File([new Uint8Array(20 << 20)], 'x.bin'));
    return { size, asked };
  });
  assert.deepEqual(outcome, { size: 20 * MIB, asked: 2 });
  await setFaults(server, { on: 'create', status: 401 });
  const code = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads', headers: () => ({ authorization: 'Bearer stale' }) });
    return uploader.upload(new File(['x'], 'x.bin')).catch((error) => error.code);
  });
  assert.equal(code, 'unauthorized');
  await close();
});

test('the clock is set while parts are sent', async () => {
  await setFaults(server, SLOW);
  const { page, close } = await openPage(server);
  let signed = 0;
  page.on('request', (request) => {
    // The call that opens the upload also signs the first part.
    if (/\/uploads(\/parts)?$/.test(request.url())) signed += request.postDataJSON()?.parts?.length ?? 0;
  });
  const parts = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads', worker: false });
    const real = Date.now.bind(Date);
    // The clock goes one hour forward with the first part, and two hours back with the eighth part. Later parts are
    // already signed at that time.
    let sent = 0;
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function (body) {
      sent += 1;
      send.call(this, body);
    };
    Date.now = () => real() + (sent < 1 ? 0 : sent < 8 ? 1 : -1) * 3_600_000;
    const { checksum } = await uploader.upload(new File([new Uint8Array(80 << 20)], 'x.bin'));
    return checksum.split('-')[1];
  });
  assert.equal(parts, '10');
  assert.ok(signed > 10, `parts that were signed before the jump are signed again: ${signed} in all`);
  assert.deepEqual(openUploads(server), []);
  await close();
});

test('files in a queue: one goes first, one is paused, one is cancelled before its turn', async () => {
  await setFaults(server, { on: 'put', bytesPerSecond: 4 * MIB });
  const { page, close } = await openPage(server);
  const opened = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/uploads')) opened.push(request.postDataJSON().name);
  });
  const ends = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads', partsInFlight: 1 });
    const ends = [];
    // These files are larger than 1 MiB: a smaller file may begin before its turn, so that one call opens several
    // files.
    const begin = (name) => {
      const upload = uploader.upload(new File([new Uint8Array((1 << 20) + 1)], name));
      upload.then(() => ends.push(name)).catch((error) => ends.push(`${name} ${error.code}`));
      return upload;
    };
    const [one, two, three, four, five, six] = ['one', 'two', 'three', 'four', 'five', 'six'].map(begin);
    three.pause();
    four.cancel();
    six.prioritize(1);
    await Promise.all([one, two, five, six, four.catch(() => {})]);
    three.resume();
    await three;
    return ends;
  });
  assert.deepEqual(ends.slice(0, 1).concat(ends.at(-1)), ['four aborted', 'three']);
  assert.ok(ends.indexOf('six') < ends.indexOf('five'), ends.join());
  assert.deepEqual(opened.sort(), ['five', 'one', 'six', 'three', 'two'], 'the file that never began was not opened');
  await close();
});

test('the browser warns before the page is left only if an upload would be lost', async () => {
  await setFaults(server, { on: 'put', bytesPerSecond: 4 * MIB });
  const { page, close } = await openPage(server);
  const asks = () => page.evaluate(() => !dispatchEvent(new Event('beforeunload', { cancelable: true })));
  assert.equal(await asks(), false);
  await page.setInputFiles('#file', await makeFile('leave.bin', 12 * MIB));
  await isFurther(rowOf(page), 0.1);
  assert.equal(await asks(), true, 'a small file can not be resumed');
  await shownResult(rowOf(page));
  assert.equal(await asks(), false);
  await page.setInputFiles('#file', await makeFile('leave-large.bin', 40 * MIB));
  await isFurther(rowOf(page), 0.1);
  assert.equal(await asks(), false, 'a large file can be resumed');
  await rowOf(page).locator('.cancel').click();
  await ended(rowOf(page));
  await close();
});

test('the log of these tests has no URLs', () => {
  const log = server.log.join('\n');
  for (const secret of ['X-Amz-Signature', 'appended.bin']) assert.ok(!log.includes(secret));
  assert.ok(readFileSync('README.md', 'utf8').includes('--fault'), 'the README explains how to inject faults by hand');
});
