// File names of downloads, if the server sets them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curlAs, faultyServer, MIB, openPage, rowOf, shownResult } from './harness.mjs';

const server = faultyServer('named', { env: { DOWNLOAD_NAMES: 'attachment' } });

/** Downloads a response with this header, and returns the browser's file name. */
async function savedAs(page, disposition) {
  await page.route('**/object', (route) =>
    route.fulfill({ headers: { 'content-disposition': disposition, 'content-type': 'application/pdf' }, body: 'x' }),
  );
  const download = page.waitForEvent('download');
  await page.evaluate(() => {
    location.href = '/object';
  });
  const name = (await download).suggestedFilename();
  await page.unroute('**/object');
  return name;
}

test('a file is saved under its own name after a single PUT and after parts', async () => {
  const { page, troubles, close } = await openPage(server, { acceptDownloads: true });
  for (const [name, saved, size] of [
    ['Übung (1).pdf', 'Übung (1).pdf', 1],
    ['夏 📷.jpg', '夏 📷.jpg', 20 * MIB],
    // Displayed as picexe.pdf.
    ['pic\u202efdp.exe', 'picfdp.exe', 1],
    [`${'a'.repeat(300)}.pdf`, `${'a'.repeat(251)}.pdf`, 1],
    // Chromium does not allow quotes in file names.
    ['"1" & 100%.pdf', /^.1. & 100%\.pdf$/, 1],
  ]) {
    await page.setInputFiles('#file', { name, mimeType: 'application/pdf', buffer: Buffer.alloc(size, 1) });
    const { key } = await shownResult(rowOf(page));
    const headers = curlAs(server, `${server.bucket}/${key}`, '--dump-header', '-', '--output', '/dev/null');
    const [, disposition] = /^content-disposition: (attachment; [ -~]+)\r$/im.exec(headers);
    const suggested = await savedAs(page, disposition);
    if (saved instanceof RegExp) assert.match(suggested, saved);
    else assert.equal(suggested, saved);
  }
  assert.deepEqual(troubles, []);
  await close();
});
