// The demo page from a user's point of view, in a real Chromium, against the local server.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { launchOptions } from './browser.mjs';
import {
  assertStored,
  browserMemory,
  folder,
  isCancelled,
  isFurther,
  LAN_HOST,
  MIB,
  makeFile,
  objects,
  openPage,
  openUploads,
  rowOf,
  screenshot,
  shownError,
  shownResult,
  visit,
} from './harness.mjs';
import { freePort, startServer } from './server.mjs';

let server;

before(async () => {
  server = await startServer({ data: join(folder, 'data') });
});

after(() => server?.stop());

for (const [name, size] of [
  ['0 B', 0],
  ['1 B', 1],
  ['5 MiB - 1', 5 * MIB - 1],
  ['16 MiB', 16 * MIB],
  ['16 MiB + 1', 16 * MIB + 1],
  ['100 MiB', 100 * MIB],
]) {
  test(`a file of ${name} arrives unchanged`, async () => {
    const path = await makeFile(`file-${size}.bin`, size);
    const { page, troubles, close } = await openPage(server);
    await page.setInputFiles('#file', path);
    const result = await shownResult(rowOf(page));
    await assertStored(path, result, server);
    assert.equal(
      await rowOf(page)
        .locator('.bar')
        .evaluate((bar) => bar.value),
      1,
    );
    assert.deepEqual(troubles, []);
    await screenshot(page, `stored-${size}`);
    await close();
  });
}

test('320 MiB arrive unchanged, and the memory of the browser does not grow', async (context) => {
  const path = await makeFile('large.bin', 320 * MIB);
  const { page, close } = await openPage(server);
  const before = browserMemory();
  await page.setInputFiles('#file', path);
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, browserMemory());
  }, 100);
  await isFurther(rowOf(page), 0.3);
  await screenshot(page, 'uploading');
  const result = await shownResult(rowOf(page));
  clearInterval(watch);
  await assertStored(path, result, server);
  const mib = (bytes) => Math.round(bytes / MIB);
  context.diagnostic(`renderers' memory: ${mib(before)} MiB before, at most ${mib(peak)} MiB during`);
  assert.ok(peak - before < 200 * MIB, `grew by ${mib(peak - before)} MiB`);
  await close();
});

test('cancelling removes the sent parts', async () => {
  const path = await makeFile('cancel.bin', 200 * MIB);
  const { page, close } = await openPage(server);
  const before = objects(server);
  await page.setInputFiles('#file', path);
  await isFurther(rowOf(page), 0.1);
  await rowOf(page).locator('.cancel').click();
  await isCancelled(rowOf(page));
  await screenshot(page, 'cancelled');
  assert.deepEqual(openUploads(server), []);
  assert.deepEqual(objects(server), before);
  await close();
});

test('a file can be dropped, and the button works from the keyboard', async () => {
  const { page, close } = await openPage(server);
  const picked = await makeFile('keyboard.bin', 1234);
  page.on('filechooser', (chooser) => chooser.setFiles(picked));
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['dropped'], 'note.txt', { type: 'text/plain' }));
    return data;
  });
  await page.dispatchEvent('.drop', 'drop', { dataTransfer: transfer });
  const result = await shownResult(rowOf(page));
  assert.match(result.key, /\.txt$/);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.shadowRoot.activeElement.className), 'choose');
  await page.keyboard.press('Enter');
  await page.locator('.bytes', { hasText: '1,234 bytes' }).waitFor({ state: 'attached' });
  await close();
});

test('a file that is not accepted is refused with a message, and no upload is opened', async () => {
  const env = { ALLOWED_TYPES: 'image/*', MAX_FILE_BYTES: '1000' };
  const strict = await startServer({ data: join(folder, 'strict'), env });
  const { page, close } = await openPage(strict);
  await page.setInputFiles('#file', { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
  assert.equal(await shownError(rowOf(page)), 'type-not-allowed');
  assert.match(await rowOf(page).locator('.error').textContent(), /not accepted here[\s\S]*another type/);
  const completed = rowOf(page).locator('.phases .done[data-phase=complete]');
  assert.equal(await completed.count(), 0, 'a failure is not shown as completed');
  await screenshot(page, 'refused');
  await close();
  const again = await openPage(strict);
  await again.page.setInputFiles('#file', { name: 'a.png', mimeType: 'image/png', buffer: Buffer.alloc(1001) });
  assert.equal(await shownError(rowOf(again.page)), 'file-too-large');
  assert.deepEqual(objects(strict), []);
  await again.close();
  await strict.stop();
});

test('the upload runs in a worker, or in the page if no worker can start', async () => {
  for (const breaks of [false, true]) {
    const { page, close } = await openPage(server);
    // Aborts only the first request, which is the worker's, so that the page can import the same file. The inlined
    // worker does not start either, because the page's Content Security Policy refuses it.
    if (breaks) await page.route('**/worker.js', (route) => route.abort(), { times: 1 });
    const outcome = await page.evaluate(async () => {
      const { Uploader } = await import('/directput/index.js');
      const uploader = new Uploader({ endpoint: '/uploads' });
      const file = new File([new Uint8Array(20 << 20).fill(7)], 'x.bin');
      const result = await uploader.upload(file);
      return { inWorker: await uploader.runsInWorker(), size: result.size, parts: result.checksum.split('-')[1] };
    });
    assert.deepEqual(outcome, { inWorker: !breaks, size: 20 << 20, parts: '3' });
    await close();
  }
});

test('the connection to the bucket is opened before the first upload', async () => {
  const bucket = createServer().listen(0, '127.0.0.1');
  const connected = once(bucket, 'connection', { signal: AbortSignal.timeout(20_000) });
  // In an incognito context, Chromium does not preconnect.
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), launchOptions);
  const page = await context.newPage();
  await visit(page, server);
  await page.evaluate(async (port) => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads', preconnect: `http://127.0.0.1:${port}` });
    await uploader.upload(new Blob(['x']));
  }, bucket.address().port);
  try {
    const [socket] = await connected;
    socket.destroy();
  } finally {
    bucket.close();
    await context.close();
  }
});

test('a thousand files at once leave the page time to draw, and each reports its end', async () => {
  const { page, close } = await openPage(server);
  const seen = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads' });
    await uploader.runsInWorker();
    // Counts the tasks of the page in which files were passed to the worker.
    let turn = 0;
    const ticks = new MessageChannel();
    ticks.port1.onmessage = () => {
      turn += 1;
      ticks.port2.postMessage(0);
    };
    ticks.port2.postMessage(0);
    const busy = new Set();
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (...message) {
      busy.add(turn);
      // Simulates a slow machine: a thousand calls take six times the maximum time of a task.
      for (const until = performance.now() + 0.05; performance.now() < until; );
      return postMessage.apply(this, message);
    };
    const controller = new AbortController();
    const phases = new Map();
    const uploads = Array.from({ length: 1000 }, (_, index) => {
      const onProgress = ({ phase }) => phases.set(index, phase);
      return uploader.upload(new Blob([`file ${index}`]), { onProgress, signal: controller.signal });
    });
    const stored = await Promise.all(uploads.slice(0, 50));
    Worker.prototype.postMessage = postMessage;
    ticks.port1.close();
    controller.abort();
    const ends = await Promise.allSettled(uploads);
    return {
      keys: new Set(stored.map(({ key }) => key)).size,
      phases: [...new Set(Array.from({ length: 50 }, (_, index) => phases.get(index)))],
      turns: busy.size,
      codes: [...new Set(ends.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.code))],
    };
  });
  assert.ok(seen.turns > 2, `all were handed over in ${seen.turns} turns`);
  assert.deepEqual({ ...seen, turns: 0 }, { keys: 50, phases: ['done'], turns: 0, codes: ['aborted'] });
  await close();
});

test('errors are UploadErrors with a code, and wrong options are named', async () => {
  const { page, close } = await openPage(server);
  const errors = await page.evaluate(async () => {
    const { Uploader, UploadError } = await import('/directput/index.js');
    const caught = async (run) => {
      try {
        await run();
      } catch (error) {
        return { is: error instanceof UploadError, code: error.code, message: error.message };
      }
    };
    const file = new File(['x'], 'x.bin');
    return {
      endpoint: await caught(() => new Uploader({ endpoint: '' })),
      parts: await caught(() => new Uploader({ endpoint: '/uploads', partsInFlight: 0 })),
      file: await caught(() => new Uploader({ endpoint: '/uploads' }).upload('text')),
      signal: await caught(() => new Uploader({ endpoint: '/uploads' }).upload(file, { signal: AbortSignal.abort() })),
      route: await caught(() => new Uploader({ endpoint: '/nowhere' }).upload(file)),
    };
  });
  assert.deepEqual(Object.fromEntries(Object.entries(errors).map(([name, error]) => [name, error?.code])), {
    endpoint: 'invalid-option',
    parts: 'invalid-option',
    file: 'invalid-option',
    signal: 'aborted',
    route: 'unexpected-answer',
  });
  assert.ok(Object.values(errors).every((error) => error.is));
  assert.match(errors.parts.message, /partsInFlight/);
  await close();
});

test('the log has no URLs, tokens or file names', async () => {
  const { page, close } = await openPage(server);
  const token = page.waitForResponse('**/uploads').then((response) => response.json());
  await page.setInputFiles('#file', { name: 'secret-name.bin', mimeType: 'text/plain', buffer: Buffer.from('x') });
  await shownResult(rowOf(page));
  const log = server.log.join('\n');
  assert.match(log, /"request_id"/);
  for (const secret of ['secret-name', 'X-Amz-Signature', (await token).token]) assert.ok(!log.includes(secret));
  await close();
});

test('over plain HTTP, without crypto.subtle, Wasm computes the digests', async () => {
  const port = await freePort();
  const origin = `http://${LAN_HOST}:${port}`;
  const lan = await startServer({ data: join(folder, 'lan'), port, args: ['--allow-origin', origin] });
  const { page, close } = await openPage({ ...lan, page: origin });
  assert.equal(await page.evaluate(() => typeof crypto.subtle), 'undefined');
  const path = await makeFile('lan.bin', 40 * MIB);
  await page.setInputFiles('#file', path);
  await assertStored(path, await shownResult(rowOf(page)), lan);
  await close();
  await lan.stop();
});

test('a file can be verified by CRC64NVME, whole or in parts, if the server accepts it', async () => {
  const { page, close } = await openPage(server);
  const upload = (checksum, mebibytes) =>
    page.evaluate(
      async ([checksum, size]) => {
        const { Uploader } = await import('/directput/index.js');
        const uploader = new Uploader({ endpoint: '/uploads', checksum });
        const bytes = new Uint8Array(size).map((_, at) => at >> 9);
        try {
          return await uploader.upload(new Blob([bytes]), { name: 'a.bin' });
        } catch ({ code, message }) {
          return { code, message };
        } finally {
          await uploader.close();
        }
      },
      [checksum, mebibytes * MIB],
    );
  for (const mebibytes of [1, 20]) {
    const { key, checksum } = await upload('crc64nvme', mebibytes);
    assert.match(checksum, /^[\w+/]{11}=$/);
    const record = JSON.parse(readFileSync(join(server.data, '.directput/records', `${key}.json`), 'utf8'));
    assert.equal(record.crc64nvme, checksum, 'the server has computed the same checksum');
    assert.equal(statSync(join(server.data, server.bucket, key)).size, mebibytes * MIB);
  }
  const refused = await upload('none', 1);
  assert.equal(refused.code, 'invalid-value');
  assert.match(refused.message, /algorithm: expected one of sha256, crc64nvme/);
  await close();
});

test('a file without a checksum arrives if the server allows it', async () => {
  const lax = await startServer({ data: join(folder, 'lax'), env: { ALLOWED_CHECKSUMS: 'sha256,none' } });
  const { page, close } = await openPage(lax);
  const result = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads', checksum: 'none' });
    const results = [];
    for (const size of [1, 20 << 20]) results.push(await uploader.upload(new Blob([new Uint8Array(size).fill(7)])));
    return results;
  });
  for (const [index, size] of [1, 20 * MIB].entries()) {
    assert.deepEqual([result[index].checksum, result[index].size], [null, size]);
    const stored = readFileSync(join(lax.data, lax.bucket, result[index].key));
    assert.ok(stored.length === size && stored.every((byte) => byte === 7));
  }
  await close();
  await lax.stop();
});

test('objects, open uploads and credentials survive a restart', async () => {
  const data = join(folder, 'restarted');
  const post = async (at, body) => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${at.page}/uploads`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  };
  const first = await startServer({ data });
  const checksum = createHash('sha256').update('abc').digest('base64');
  const parts = [{ number: 1, length: 3, checksum }];
  const opened = await post(first, { name: 'a.bin', type: 'a/b', size: 3, parts });
  const { key } = opened;
  const [signed] = opened.parts;
  const stored = await fetch(signed.url, { method: 'PUT', headers: signed.headers, body: 'abc' });
  assert.equal(stored.status, 200);
  const { token } = await post(first, { name: 'b.bin', type: 'a/b', size: 40 * MIB });
  await first.stop();

  const second = await startServer({ data });
  assert.equal(second.secret_key, first.secret_key);
  assert.equal(readFileSync(join(data, second.bucket, key), 'utf8'), 'abc');
  const listed = await fetch(`${second.page}/uploads/parts`, { headers: { 'upload-token': token } });
  assert.deepEqual(await listed.json(), { parts: [] });
  await second.stop();
});
