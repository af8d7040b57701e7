// Uploads through a proxy that injects random faults, in a real Chromium. After each upload, the result in the page is
// compared with the bucket. A seed that fails prints its history and the command that replays it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { launchOptions } from '../e2e/browser.mjs';
import { folder } from '../e2e/bucket.mjs';
import { startServer } from '../e2e/server.mjs';
import { KINDS } from './faults.mjs';
import { ChaosProxy } from './proxy.mjs';
import { draw, play } from './run.mjs';

const FIRST = Number(process.env.FIRST ?? 1);
const SEEDS = Number(process.env.SEEDS ?? 12);
/** Kinds of faults, separated by commas, or `none`. Default: each run draws its kinds. */
const kinds = process.env.KINDS ? process.env.KINDS.split(',').filter((kind) => kind !== 'none') : undefined;
for (const kind of kinds ?? []) assert.ok(KINDS[kind], `KINDS: expected some of ${Object.keys(KINDS).join(', ')}`);

/** Number of concurrent runs. */
const AT_ONCE = 4;

const world = {};
/** Number of injected faults by kind. */
const hits = new Map();

before(async () => {
  world.proxy = await ChaosProxy.start();
  const { page, bucket } = world.proxy;
  const args = ['--s3-url', bucket, '--allow-origin', page];
  world.at = await startServer({ data: join(folder, 'chaos'), args });
  world.proxy.upstream = { api: world.at.page, bucket: world.at.s3_listen };
  world.browser = await chromium.launch(launchOptions);
});

after(async () => {
  await world.browser?.close();
  await world.at?.stop();
  world.proxy?.stop();
});

describe('uploads through a faulty network', { concurrency: AT_ONCE }, () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    test(`seed ${seed} keeps every promise`, async (context) => {
      const run = draw(seed, kinds);
      try {
        context.diagnostic(`seed ${seed}: ${await play(run, world)}; ${run.event}; ${run.history.length} lines`);
      } catch (error) {
        const only = kinds ? ` KINDS=${kinds.join(',') || 'none'}` : '';
        context.diagnostic(`seed ${seed}: ${error.message}`);
        context.diagnostic(`play it again: make chaos SEEDS=1 FIRST=${seed}${only}`);
        context.diagnostic(`${run.plan}; ${run.event} at ${run.eventAt.toFixed(2)}; ${JSON.stringify(run.options)}`);
        for (const line of run.history) context.diagnostic(`  ${line}`);
        throw error;
      } finally {
        for (const [kind, count] of run.plan.hits) hits.set(kind, (hits.get(kind) ?? 0) + count);
      }
    });
  }
});

test('every object in the bucket is equal to one of the files', (context) => {
  const bucket = join(world.at.data, world.at.bucket);
  const names = existsSync(join(bucket, 'uploads')) ? readdirSync(join(bucket, 'uploads')) : [];
  context.diagnostic([...hits].map(([kind, count]) => `${kind} ${count}`).join(', ') || 'no faults');
  for (const key of names.map((name) => `uploads/${name}`)) {
    const file = world.proxy.uploadOf(key)?.name;
    assert.ok(file, `${key} belongs to no upload`);
    assert.ok(readFileSync(join(bucket, key)).equals(readFileSync(join(folder, file))), `${key} is not ${file}`);
  }
});
