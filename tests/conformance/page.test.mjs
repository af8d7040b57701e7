// Uploads from the page into Garage, an independent S3 server that `with-garage.mjs` starts.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  crash,
  curlAs,
  folder,
  isCancelled,
  isFurther,
  MIB,
  makeFile,
  openPage,
  openUploads,
  oracle,
  rowOf,
  sha256,
  shownResult,
} from '../e2e/harness.mjs';
import { startServer } from '../e2e/server.mjs';

let server;

before(async () => {
  assert.ok(process.env.USE_S3, 'expected to be run by tests/conformance/with-garage.mjs');
  const { USE_S3, AWS_ACCESS_KEY_ID: access_key, AWS_SECRET_ACCESS_KEY: secret_key } = process.env;
  const started = await startServer({
    data: join(folder, 'page'),
    args: ['--use-s3', USE_S3],
    env: { ALLOWED_CHECKSUMS: 'sha256,crc64nvme,crc64nvme-after' },
  });
  server = { ...started, access_key, secret_key };
});

after(() => server?.stop());

const keys = () => [...curlAs(server, `${server.bucket}?list-type=2`).matchAll(/<Key>([^<]*)/g)].map(([, key]) => key);

/** Checks that Garage returns the file, and that the page shows the checksums that other tools compute. */
async function assertArrived(path, { key, checksum }) {
  const size = statSync(path).size;
  const expected = oracle(path);
  const copy = join(folder, 'copy');
  const headers = curlAs(server, `${server.bucket}/${key}`, '--dump-header', '-', '--output', copy);
  assert.equal(await sha256(copy), expected.hex);
  assert.equal(checksum, size > 16 * MIB ? expected.composite : expected.base64);
  assert.match(headers, /content-disposition: attachment/i);
  assert.deepEqual(openUploads(server), []);
}

for (const [words, size] of [
  ['0 B', 0],
  ['1 B', 1],
  ['16 MiB', 16 * MIB],
  ['16 MiB + 1', 16 * MIB + 1],
  ['60 MiB', 60 * MIB],
]) {
  test(`a file of ${words} arrives unchanged in Garage`, async () => {
    const { page, troubles, close } = await openPage(server);
    const path = await makeFile('file.bin', size);
    await page.setInputFiles('#file', path);
    await assertArrived(path, await shownResult(rowOf(page)));
    assert.deepEqual(troubles, []);
    await close();
  });
}

test('after a crash another tab resumes the upload from the parts in Garage', async () => {
  const path = await makeFile('crash.bin', 100 * MIB);
  const { page, context, close } = await openPage(server);
  await page.setInputFiles('#file', path);
  await isFurther(rowOf(page), 0.7);
  const next = await crash(page, context, server);
  assert.equal(openUploads(server).length, 1, 'the upload had not ended');
  assert.match(await next.locator('.unfinished').textContent(), /[1-9]\d?\s*% uploaded/);
  next.once('filechooser', (chooser) => chooser.setFiles(path));
  await next.locator('.unfinished .go-on').click();
  await assertArrived(path, await shownResult(rowOf(next)));
  await close();
});

test('cancelling removes the parts in Garage', async () => {
  const before = keys();
  const path = await makeFile('cancel.bin', 100 * MIB);
  const { page, close } = await openPage(server);
  await page.setInputFiles('#file', path);
  await isFurther(rowOf(page), 0.3);
  assert.equal(openUploads(server).length, 1);
  await rowOf(page).locator('.cancel').click();
  await isCancelled(rowOf(page));
  assert.deepEqual(openUploads(server), []);
  assert.deepEqual(keys(), before);
  await close();
});

/** Uploads a blob from the page. Returns the result, or the code of the error. */
const uploadBlob = (page, size, checksum) =>
  page.evaluate(
    async ([size, checksum]) => {
      const { Uploader } = await import('/directput/index.js');
      const uploader = new Uploader({ endpoint: '/uploads', checksum });
      const blob = new Blob([new Uint8Array(size).map((_, at) => at >> 9)]);
      return uploader.upload(blob).catch(({ code }) => ({ code }));
    },
    [size, checksum],
  );

test('Garage also verifies CRC64NVME, whole and in parts', async () => {
  const { page, close } = await openPage(server);
  for (const size of [MIB, 20 * MIB]) {
    const { key, checksum } = await uploadBlob(page, size, 'crc64nvme');
    const headers = curlAs(server, `${server.bucket}/${key}`, '--head', '--header', 'x-amz-checksum-mode: ENABLED');
    assert.equal(/x-amz-checksum-crc64nvme: (\S+)/i.exec(headers)?.[1], checksum);
  }
  await close();
});

test('Garage refuses parts without a checksum, and nothing is left', async () => {
  const { page, close } = await openPage(server);
  assert.deepEqual(await uploadBlob(page, 20 * MIB, 'crc64nvme-after'), { code: 'storage-refused' });
  assert.deepEqual(openUploads(server), []);
  await close();
});
