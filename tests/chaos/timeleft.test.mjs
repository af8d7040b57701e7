// Compares the estimated time left with the actual time.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { folder, makeFile } from '../e2e/harness.mjs';
import { openKit } from '../e2e/kit.mjs';
import { startServer } from '../e2e/server.mjs';

/** Bandwidths, in bit/s. */
const LINKS = [20e6, 40e6, 100e6];

/** Duration of an upload over its link, in seconds. */
const SECONDS = 30;

/**
 * Time after which the estimate is checked, in seconds, if a round of parts is stored by then. Earlier progress only
 * shows that socket buffers fill, with 4 MB or more for each of six connections.
 */
const SETTLED = 10;
const ROUND = 6;

/** Maximum error, in seconds, if this is more than a quarter of the time left. */
const SLACK = 2;

const stops = [];

after(() => Promise.all(stops.map((stop) => stop())));

test('the time left has an error of at most a quarter or two seconds, from the tenth second on', async () => {
  const worst = await Promise.all(
    LINKS.map(async (bitsPerSecond) => {
      const link = JSON.stringify({ bitsPerSecond, roundTripMs: 40 });
      const server = await startServer({ data: join(folder, `timeleft-${bitsPerSecond}`), args: ['--link', link] });
      const path = await makeFile(`timeleft-${bitsPerSecond}.bin`, (bitsPerSecond / 8) * SECONDS);
      stops.push(() => server.stop());
      const { page } = await openKit(server);
      await page.evaluate(() => {
        const input = Object.assign(document.createElement('input'), { type: 'file', id: 'timed' });
        document.body.append(input);
      });
      await page.setInputFiles('#timed', path);
      const told = await page.evaluate(async () => {
        const uploader = await kit.uploader();
        const told = [];
        const since = performance.now();
        await uploader.upload(document.querySelector('#timed').files[0], {
          onProgress: ({ secondsLeft, confirmedParts }) =>
            told.push([(performance.now() - since) / 1_000, secondsLeft, confirmedParts]),
        });
        return told;
      });
      const whole = told.at(-1)[0];
      const counted = told.filter(([at, left, parts]) => at >= SETTLED && parts >= ROUND && left !== null);
      assert.ok(counted.length > 5, `${counted.length} reports in ${whole} s`);
      const errors = counted.map(([at, left]) => Math.abs(left - (whole - at)) / Math.max(4 * SLACK, whole - at));
      const at = errors.indexOf(Math.max(...errors));
      return { bitsPerSecond, whole, worst: errors[at], said: counted[at] };
    }),
  );
  for (const { bitsPerSecond, whole, worst: error, said } of worst) {
    const link = `${bitsPerSecond / 1e6} Mbit/s`;
    console.log(`${link}: ${whole.toFixed(1)} s, off by ${(100 * error).toFixed(0)} % at most`);
    assert.ok(error <= 0.25, `${link}: ${said[1]} s said at ${said[0]} of ${whole} s`);
  }
});
