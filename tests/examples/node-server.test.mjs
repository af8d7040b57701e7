// The page of the example of a Node server. The page has the element, and the example is its API.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { curlAs, MIB, makeFile, openUploads, setFaults, sha256 } from '../e2e/bucket.mjs';
import { assertInWorker, file, visit } from '../toolchains/harness.mjs';
import { assertAccessible } from './app.mjs';
import { hex, storedDigest, withNodeServer } from './node-server.mjs';

const film = () => ({ ...file('film.mp4'), mimeType: 'video/mp4' });
const note = () => ({ ...file('note.pdf', 1000), mimeType: 'application/pdf' });
/** Delays every second part, so that some parts arrive and the upload does not end. */
const HALF = { on: 'put', latencyMs: 60_000, every: 2 };
const rowOf = (tab, name) => tab.locator('direct-put .upload', { hasText: name });

/** Waits until a file is stored, and checks the object's SHA-256. Returns the object's key. */
async function assertStored(tab, s3, name, digest) {
  await rowOf(tab, name).and(tab.locator('[data-state=stored]')).waitFor();
  const key = await tab.locator('direct-put').evaluate((put) => put.results.at(-1).key);
  assert.equal(await storedDigest(s3, key), digest);
  return key;
}

/** Waits until S3 holds a part of the upload that is under way. Returns the object's key. */
async function keyOfOpen(s3) {
  for (let tries = 0; tries < 300; tries += 1, await sleep(50)) {
    const key = /<Key>([^<]*)/.exec(curlAs(s3, `${s3.bucket}?uploads=`))?.[1];
    const [uploadId] = openUploads(s3);
    const parts = key && curlAs(s3, `${s3.bucket}/${key}?uploadId=${encodeURIComponent(uploadId)}`);
    if (parts?.includes('<PartNumber>')) return key;
  }
  assert.fail('no part has arrived');
}

test('Node server, page', async (t) => {
  await withNodeServer(async ({ address, s3, log }) => {
    await t.test('a file of several parts and a small one arrive', async () => {
      await visit(address, {}, async (tab) => {
        for (const own of [film(), note()]) {
          await tab.locator('direct-put').locator('#file').setInputFiles(own);
          await assertStored(tab, s3, own.name, hex(own.buffer));
        }
        assertInWorker(tab);
        await assertAccessible(tab);
      });
    });

    await t.test('an upload resumes after a reload', async () => {
      await visit(address, {}, async (tab) => {
        await setFaults(s3, HALF);
        const path = await makeFile('long.mp4', 40 * MIB);
        tab.on('dialog', (dialog) => dialog.accept());
        await tab.locator('direct-put').locator('#file').setInputFiles(path);
        const key = await keyOfOpen(s3);
        await setFaults(s3);
        await tab.reload();
        tab.once('filechooser', (chooser) => chooser.setFiles(path));
        await tab.locator('direct-put .go-on').click();
        assert.equal(await assertStored(tab, s3, 'long.mp4', await sha256(path)), key, 'it is the same upload');
        assert.deepEqual(openUploads(s3), []);
      });
    });

    await t.test('cancelling removes the parts', async () => {
      await setFaults(s3, HALF);
      await visit(address, {}, async (tab) => {
        await tab
          .locator('direct-put')
          .locator('#file')
          .setInputFiles(await makeFile('long.mp4', 40 * MIB));
        await keyOfOpen(s3);
        await rowOf(tab, 'long.mp4').locator('.cancel').click();
        await tab.locator('direct-put [data-state=cancelled]').waitFor();
        assert.deepEqual(openUploads(s3), []);
      });
    });

    await t.test('a file of another type is refused', async () => {
      await visit(address, {}, async (tab) => {
        await tab.locator('direct-put').locator('#file').setInputFiles(file('run.exe', 1000));
        await tab.locator('direct-put [data-state=failed]').waitFor();
      });
    });

    await t.test('the log has no address, no token and no name of a file', () => {
      const text = log.join('');
      assert.match(text, /"method":"POST","status":201/);
      assert.doesNotMatch(text, /X-Amz|eyJ|film|note|long|uploads\//);
    });
  });
});
