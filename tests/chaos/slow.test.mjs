// Slow uplinks, proxies that hide the speed from the page, and dead connections, with default settings. Each case
// prints its duration and the ideal duration. All cases run concurrently, each with its own server, most with their own
// link.
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { launchOptions } from '../e2e/browser.mjs';
import { folder, MIB, makeFile } from '../e2e/bucket.mjs';
import { startServer } from '../e2e/server.mjs';
import { ChaosProxy, Uplink } from './proxy.mjs';

/**
 * Factor by which the links are faster than real links, from 1 to 6. `stallSeconds` is divided by the same factor. The
 * default of `stallSeconds` is 30 s and its minimum is 5 s, so the factor is at most 6.
 */
const SCALE = Number(process.env.SCALE ?? 1);
const STALL_SECONDS = 30 / SCALE;

/** An upload may take this ratio of the ideal duration, and these additional seconds. */
const LIMIT_RATIO = 1.5;
const LIMIT_SECONDS = 30;

/** Maximum time until a dead PUT is sent again, in seconds. */
const DEAD_SECONDS = 55 / SCALE;

let browser;

before(async () => {
  browser = await chromium.launch(launchOptions);
});

after(() => browser?.close());

const options = SCALE === 1 ? {} : { stallSeconds: STALL_SECONDS };

/** Uploads a file from a page. Returns the duration in seconds and the outcome, which is null after a timeout. */
async function uploadFrom(page, endpoint, path, name, limitSeconds) {
  await page.locator('body[data-state=ready]').waitFor({ timeout: 60_000 });
  await page.setInputFiles('#files', path);
  await page.evaluate((options) => chaos.open(options), { endpoint, ...options });
  // Loads the module before the measurement, because it uses the same link.
  await page.evaluate(() => chaos.resumable(''));
  const begun = performance.now();
  await page.evaluate((name) => chaos.upload(name), name);
  for (;;) {
    const seconds = (performance.now() - begun) / 1_000;
    const state = await page.evaluate((name) => chaos.uploads[name], name);
    if (state.outcome || seconds > limitSeconds) return { seconds, ...state };
    await sleep(200);
  }
}

function report(context, { seconds, outcome, progress, retries }, idealSeconds, puts) {
  const end = outcome ? (outcome.error?.code ?? 'stored') : 'not ended';
  const share = progress ? Math.round((100 * progress.confirmedBytes) / progress.size) : 0;
  const figures = [
    `${seconds.toFixed(1)} s`,
    `ideal ${idealSeconds.toFixed(1)} s`,
    `ratio ${(seconds / idealSeconds).toFixed(2)}`,
    `${puts} PUTs begun`,
    `${retries} retries`,
  ];
  context.diagnostic(`${end}: ${figures.join(', ')}${outcome ? '' : `, ${share} % confirmed`}`);
}

const limitOf = (idealSeconds) => idealSeconds * LIMIT_RATIO + LIMIT_SECONDS;

/** Uploads a file over the link of a server, optionally through a service worker. */
async function overLink(context, { bytes, bitsPerSecond, isPassedThrough }) {
  const name = `link-${bitsPerSecond}-${isPassedThrough}-${bytes}.bin`;
  const path = await makeFile(name, bytes);
  const link = JSON.stringify({ bitsPerSecond: bitsPerSecond * SCALE, roundTripMs: 50 });
  const args = ['--control', '--www', resolve('tests/chaos'), '--link', link];
  const at = await startServer({ data: join(folder, name.replace('.bin', '')), args });
  // The policy of the server's pages does not allow service workers.
  const owner = await browser.newContext({ bypassCSP: true });
  try {
    const page = await owner.newPage();
    await page.goto(`${at.page}/page.html`, { timeout: 60_000 });
    if (isPassedThrough) {
      await page.evaluate(async () => {
        await navigator.serviceWorker.register('/pass-through.js');
        await navigator.serviceWorker.ready;
      });
      await page.reload({ timeout: 60_000 });
      assert.ok(await page.evaluate(() => navigator.serviceWorker.controller !== null));
    }
    const idealSeconds = (bytes * 8) / (bitsPerSecond * SCALE);
    const ending = await uploadFrom(page, '/uploads', path, name, limitOf(idealSeconds));
    const counts = await fetch(`${at.page}/-/counts`, { signal: AbortSignal.timeout(10_000) }).then(
      (reply) => reply.json(),
      () => ({ puts: '?' }),
    );
    report(context, ending, idealSeconds, counts.puts);
    assert.equal(ending.outcome?.isStored, true, JSON.stringify(ending.outcome ?? ending.progress));
  } finally {
    await owner.close();
    await at.stop();
  }
}

/** Uploads a file through the proxy. The run injects the faults. */
async function throughProxy(name, bytes, run, limitSeconds) {
  const path = await makeFile(name, bytes);
  const proxy = await ChaosProxy.start();
  const args = ['--s3-url', proxy.bucket, '--allow-origin', proxy.page];
  const at = await startServer({ data: join(folder, name.replace('.bin', '')), args });
  proxy.upstream = { api: at.page, bucket: at.s3_listen };
  proxy.enter('slow', run);
  const owner = await browser.newContext();
  try {
    const page = await owner.newPage();
    await page.goto(proxy.page);
    return await uploadFrom(page, `${proxy.page}/slow/uploads`, path, name, limitSeconds);
  } finally {
    await owner.close();
    proxy.stop();
    await at.stop();
  }
}

/** No faults. */
const WELL = { draw: () => undefined };

describe('slow uplinks', { concurrency: true }, () => {
  for (const mbit of [1, 2]) {
    for (const isPassedThrough of [false, true]) {
      const way = isPassedThrough ? 'through a service worker' : 'directly';
      test(`20 MiB arrive at ${mbit} Mbit/s ${way}`, async (context) => {
        await overLink(context, { bytes: 20 * MIB, bitsPerSecond: mbit * 1e6, isPassedThrough });
      });
    }

    test(`20 MiB arrive through a proxy that receives bodies at full speed and forwards ${mbit} Mbit/s`, async (context) => {
      const bytesPerSecond = (mbit * 1e6 * SCALE) / 8;
      const run = { plan: WELL, box: new Uplink(bytesPerSecond), history: [], puts: 0 };
      const idealSeconds = (20 * MIB) / bytesPerSecond;
      const ending = await throughProxy(`box-${mbit}.bin`, 20 * MIB, run, limitOf(idealSeconds));
      report(context, ending, idealSeconds, run.puts);
      assert.equal(ending.outcome?.isStored, true, JSON.stringify(ending.outcome ?? ending.progress));
    });
  }

  test('2 MiB arrive at 64 kbit/s', async (context) => {
    await overLink(context, { bytes: 2 * MIB, bitsPerSecond: 64_000, isPassedThrough: false });
  });
});

describe('connections that die on a fast link', { concurrency: true }, () => {
  for (const [when, bytes] of [
    ['at once', 40 * MIB],
    ['after the body', 40 * MIB],
    ['after the body', 4 * MIB],
  ]) {
    test(`a connection of ${bytes / MIB} MiB that is dead ${when} is replaced within ${DEAD_SECONDS.toFixed()} s`, async (context) => {
      const begun = [];
      // Only the last PUT of the file fails. The earlier PUTs have shown that the link is fast.
      const last = bytes > 16 * MIB ? 5 : 1;
      const draw = (target, place) => {
        if (target !== 'put' || !place.endsWith(` ${last}`)) return undefined;
        begun.push(performance.now());
        return begun.length === 1 ? { kind: 'stall', random: { pick: () => when }, attempt: 1 } : undefined;
      };
      const run = { plan: { draw }, history: [], puts: 0 };
      const name = `dead-${when.replaceAll(' ', '-')}-${bytes}.bin`;
      const ending = await throughProxy(name, bytes, run, 2 * DEAD_SECONDS + LIMIT_SECONDS);
      const seconds = (begun[1] - begun[0]) / 1_000;
      report(context, ending, 0.5, run.puts);
      context.diagnostic(`the dead connection was replaced after ${seconds.toFixed(1)} s`);
      assert.equal(ending.outcome?.isStored, true, JSON.stringify(ending.outcome ?? ending.progress));
      assert.ok(seconds <= DEAD_SECONDS, `it was replaced after ${seconds.toFixed(1)} s`);
    });
  }
});
