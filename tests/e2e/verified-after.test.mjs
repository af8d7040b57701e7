// Parts that are sent before they are hashed, and compared with the checksums that S3 has computed (`crc64nvme-after`).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultyServer, hits, MIB, makeFile, openPage, openUploads, setFaults, sha256 } from './harness.mjs';

const server = faultyServer('after', { env: { ALLOWED_CHECKSUMS: 'sha256,crc64nvme-after' } });

/**
 * Uploads a file with `crc64nvme-after`. Returns the API calls, the retries that were reported to the page, and for
 * each PUT whether it had a checksum header.
 */
async function upload(path) {
  const { page, close } = await openPage(server);
  const calls = [];
  const bound = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/uploads')) calls.push(`${request.method()} ${pathname}`);
    if (request.method() === 'PUT') bound.push('x-amz-checksum-crc64nvme' in request.headers());
  });
  await page.evaluate(() =>
    document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'own' })),
  );
  await page.setInputFiles('#own', path);
  const [stored, retries] = await page.evaluate(async () => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads', checksum: 'crc64nvme-after' });
    const retries = [];
    const stored = await uploader.upload(document.querySelector('#own').files[0], {
      onRetry: ({ code, part }) => retries.push([code, part]),
    });
    return [stored, retries];
  });
  const record = JSON.parse(readFileSync(join(server.data, '.directput/records', `${stored.key}.json`), 'utf8'));
  assert.equal(record.crc64nvme, stored.checksum, 'the server has computed the same checksum');
  assert.equal(await sha256(join(server.data, server.bucket, stored.key)), await sha256(path));
  assert.deepEqual(openUploads(server), []);
  await close();
  return { calls, retries, bound };
}

test('a file of 256 MiB takes at most five calls', async () => {
  await setFaults(server);
  const { calls, retries, bound } = await upload(await makeFile('after.bin', 256 * MIB));
  assert.ok(calls.length <= 5, calls.join('\n'));
  assert.deepEqual(retries, []);
  assert.deepEqual([bound.length, bound.includes(true)], [32, false]);
});

test('a part that is damaged on its way is sent again, bound to its bytes', async () => {
  await setFaults(server, { on: 'put', corrupt: true, times: 1 });
  const { retries, bound } = await upload(await makeFile('damaged.bin', 40 * MIB));
  assert.equal(await hits(server), 1);
  assert.deepEqual(
    retries.map(([code]) => code),
    ['integrity'],
  );
  assert.equal(bound.filter(Boolean).length, 1);
});

test('a file that is sent in one PUT is bound to its bytes', async () => {
  await setFaults(server);
  assert.deepEqual((await upload(await makeFile('small.bin', MIB))).bound, [true]);
});
