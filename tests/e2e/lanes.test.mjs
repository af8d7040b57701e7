// Small files over several host names of the bucket. Some of the names do not work.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { launchOptions } from './browser.mjs';
import { startServer } from './server.mjs';

const FILES = 60;

/**
 * Uploads small files to a server with three lanes. `rules` returns the browser's rules for resolving host names.
 * Returns the host names of the PUTs, the failures and the duration.
 */
async function upload(context, rules = () => []) {
  // On loopback, one host name is fast enough. A slow link makes several host names useful.
  const link = JSON.stringify({ bitsPerSecond: 200_000_000, roundTripMs: 30 });
  const data = mkdtempSync(join(tmpdir(), 'directput-lanes-'));
  const server = await startServer({ data, args: ['--lanes', '3', '--link', link] });
  const port = new URL(server.s3).port;
  const args = [...launchOptions.args, `--host-resolver-rules=${rules(port).join()}`];
  const browser = await chromium.launch({ ...launchOptions, args });
  context.after(async () => {
    await browser.close();
    await server.stop();
    rmSync(data, { recursive: true });
  });
  const page = await browser.newPage();
  const puts = [];
  page.context().on('response', (response) => {
    if (response.request().method() === 'PUT' && response.ok()) puts.push(new URL(response.url()).hostname);
  });
  const troubles = [];
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) troubles.push(message.text());
  });
  await page.goto(server.page);
  const seen = await page.evaluate(async (count) => {
    const { Uploader } = await import('/directput/index.js');
    const uploader = new Uploader({ endpoint: '/uploads' });
    const started = performance.now();
    const bytes = (index) => new Uint8Array(20_000).fill(index);
    const files = Array.from({ length: count }, (_, index) => new File([bytes(index)], `${index}.bin`));
    const ended = await Promise.allSettled(files.map((file) => uploader.upload(file)));
    const failures = ended.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.code);
    const keys = new Set(ended.map(({ value }) => value?.key));
    return { failures, keys: keys.size, seconds: (performance.now() - started) / 1000 };
  }, FILES);
  assert.deepEqual([seen.failures, seen.keys, troubles], [[], FILES, []]);
  const counts = {};
  for (const name of puts) counts[name] = (counts[name] ?? 0) + 1;
  context.diagnostic(`${seen.seconds.toFixed(1)} s, ${JSON.stringify(counts)}`);
  return { ...seen, names: Object.keys(counts).sort(), counts };
}

test('small files use all names of the bucket', async (context) => {
  const { names, counts } = await upload(context);
  assert.deepEqual(names, ['127.0.0.1', 'a.localhost', 'b.localhost']);
  assert.ok(counts['a.localhost'] > FILES / 10, 'the name carries more than a first try');
});

test('a name that does not resolve costs one try', async (context) => {
  const { names } = await upload(context, () => ['MAP b.localhost ^NOTFOUND']);
  assert.deepEqual(names, ['127.0.0.1', 'a.localhost']);
});

test('a name whose connections hang delays one file', async (context) => {
  // A server that accepts connections and never answers.
  const hole = createServer(() => {}).listen(0, '127.0.0.1');
  await once(hole, 'listening');
  context.after(() => hole.close());
  const { names, seconds } = await upload(context, (port) => [
    `MAP a.localhost:${port} 127.0.0.1:${hole.address().port}`,
  ]);
  assert.deepEqual(names, ['127.0.0.1', 'b.localhost']);
  assert.ok(seconds < 20, `${seconds} s: shorter than a stall`);
});
