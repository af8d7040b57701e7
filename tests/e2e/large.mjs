// `make large`: uploads a sparse file of 5 GiB, more than S3 accepts in one PUT, and measures the memory
// of the browser. It takes minutes and 15 GiB of disk, so it is not part of `make test`.
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertStored, browserMemory, folder, MIB, openPage, rowOf, screenshot, shownResult } from './harness.mjs';
import { startServer } from './server.mjs';

const SIZE = 5 * 1024 * MIB;

test('5 GiB arrive unchanged, and the memory of the browser does not grow', async (context) => {
  const server = await startServer({ data: join(folder, 'large') });
  const path = join(folder, 'sparse.bin');
  writeFileSync(path, '');
  truncateSync(path, SIZE);
  const { page, close } = await openPage(server);
  const before = browserMemory();
  const started = Date.now();
  const samples = [];
  const watch = setInterval(() => samples.push(browserMemory()), 500);
  await page.setInputFiles('#file', path);
  const ended = page.locator('.upload[data-state=stored], .upload[data-state=failed]');
  await ended.waitFor({ timeout: 1_500_000 });
  clearInterval(watch);
  const seconds = (Date.now() - started) / 1000;
  const result = await shownResult(rowOf(page));
  await screenshot(page, 'stored-5-gib');
  await assertStored(path, result, server);
  const mib = (bytes) => Math.round(bytes / MIB);
  const peaks = [];
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const from = Math.floor((samples.length * tenth) / 10);
    peaks.push(mib(Math.max(...samples.slice(from, Math.floor((samples.length * (tenth + 1)) / 10)))));
  }
  context.diagnostic(
    `${seconds.toFixed(0)} s, ${(SIZE / MIB / seconds).toFixed(0)} MiB/s; checksum ${result.checksum}`,
  );
  context.diagnostic(`renderers' memory in MiB: ${mib(before)} before, at most in each tenth ${peaks.join(' ')}`);
  assert.ok(peaks.at(-1) - peaks[1] < 100, 'the memory does not grow with the sent bytes');
  await close();
  await server.stop();
});
