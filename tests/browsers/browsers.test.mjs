// The page in Chromium, Firefox and WebKit: complete uploads, and actions during an upload.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LAN_HOST } from '../e2e/browser.mjs';
import {
  assertStored,
  folder,
  hits,
  MIB,
  makeFile,
  objects,
  openUploads,
  setFaults,
  startFaulty,
} from '../e2e/bucket.mjs';
import { freePort, startServer } from '../e2e/server.mjs';
import { NAMES, startBrowser, startProxy } from './browsers.mjs';

const WAIT_MS = 60_000;
/** Slows the upload down, so that a test can act during it. */
const SLOW = { on: 'put', bytesPerSecond: 4 * MIB };

for (const name of NAMES) {
  describe(name, () => {
    let server;
    let lan;
    let plain;
    let proxy;
    let browser;

    before(async () => {
      server = await startFaulty(`${name}-data`);
      const port = await freePort();
      const origin = `http://${LAN_HOST}`;
      lan = await startServer({ data: join(folder, `${name}-lan`), port, args: ['--allow-origin', origin] });
      const www = join(import.meta.dirname, 'page');
      plain = await startServer({ data: join(folder, `${name}-plain`), args: ['--www', www] });
      proxy = await startProxy(port);
      browser = await startBrowser(name, { proxyPort: proxy.port });
    });

    after(async () => {
      await browser?.close();
      proxy?.close();
      for (const started of [server, lan, plain]) await started?.stop();
    });

    /** Runs a function in the page, with the element's shadow root and an argument. */
    const inPage = (run, argument) =>
      browser.driver.executeScript(
        `return (${run})(document.querySelector('direct-put')?.shadowRoot, arguments[0])`,
        argument ?? null,
      );

    const visit = async (address) => {
      await browser.driver.get(address);
      await browser.driver.wait(() => inPage(() => document.body.dataset.state === 'ready'), WAIT_MS, 'no page');
    };

    const choose = async (path) => {
      const input = await inPage((root) => root.querySelector('#file'));
      await input.sendKeys(path);
    };

    /** Returns the contents of the last row. */
    const row = () =>
      inPage((root) => {
        const row = root.querySelector('#uploads > .upload:last-child');
        const text = (part) => row.querySelector(`.${part}`)?.textContent;
        return {
          ...row.dataset,
          share: row.querySelector('.bar').value,
          key: text('key'),
          checksum: text('checksum'),
          error: text('error-code'),
        };
      });

    const until = (is, words) => browser.driver.wait(async () => is(await row()), WAIT_MS, words);
    const click = (part) => inPage((root, part) => root.querySelector(`#uploads > :last-child .${part}`).click(), part);

    const stored = async () => {
      await until(({ state }) => state === 'stored' || state === 'failed', 'no end');
      const shown = await row();
      assert.equal(shown.state, 'stored', shown.error);
      return shown;
    };

    test('files arrive unchanged, with a single PUT and in parts', async () => {
      await setFaults(server);
      await visit(server.page);
      for (const size of [1234, 40 * MIB]) {
        const path = await makeFile(`${name}-${size}.bin`, size);
        await choose(path);
        await assertStored(path, await stored(), server);
      }
    });

    test('the row shows progress, and pause stops it until resume', async () => {
      await setFaults(server, SLOW);
      await visit(server.page);
      const path = await makeFile(`${name}-paused.bin`, 100 * MIB);
      await choose(path);
      const shares = new Set();
      await until(({ share }) => shares.add(share) && share > 0.1, 'no progress');
      await click('pause');
      await until(({ held }) => held === 'paused', 'no pause');
      const before = [(await row()).share, await hits(server)];
      await sleep(1_500);
      assert.deepEqual([(await row()).share, await hits(server)], before, 'nothing moves');
      await setFaults(server);
      await click('pause');
      await assertStored(path, await stored(), server);
    });

    test('cancel removes the upload', async () => {
      await setFaults(server, SLOW);
      const before = objects(server);
      await visit(server.page);
      await choose(await makeFile(`${name}-cancelled.bin`, 100 * MIB));
      await until(({ share }) => share > 0.1, 'no progress');
      await click('cancel');
      await until(({ state }) => state === 'cancelled', 'no end');
      assert.deepEqual([objects(server), openUploads(server)], [before, []]);
    });

    test('after a reload the upload is resumed from the parts in S3', async () => {
      await setFaults(server, SLOW);
      await visit(server.page);
      const path = await makeFile(`${name}-reloaded.bin`, 100 * MIB);
      await choose(path);
      await browser.driver.wait(async () => (await hits(server)) > 8, WAIT_MS, 'parts are not stored');
      await visit(server.page);
      const unfinished = () => inPage((root) => root.querySelector('.unfinished')?.textContent);
      await browser.driver.wait(unfinished, WAIT_MS, 'nothing unfinished is listed');
      assert.match(await unfinished(), /reloaded\.bin.*Resume|reloaded\.bin.*resume/s);
      await setFaults(server, { on: 'put' });
      await choose(path);
      await assertStored(path, await stored(), server);
      const puts = await hits(server);
      assert.ok(puts < 13, `${puts} of 13 parts were sent after the reload`);
      assert.equal(await unfinished(), null);
    });

    test('uploads run in a worker, or in the page if no worker can start', async () => {
      for (const [query, inWorker] of [
        ['', 'true'],
        ['?no-worker', 'false'],
      ]) {
        await visit(`${plain.page}/${query}`);
        assert.equal(await inPage(() => document.body.dataset.inWorker), inWorker);
        const path = await makeFile(`${name}-${inWorker}.bin`, 40 * MIB);
        await choose(path);
        await assertStored(path, await stored(), plain);
      }
    });

    test('the browser has exactly the features that docs/browsers.md lists', async () => {
      await visit(plain.page);
      const has = await inPage(() => document.body.dataset.has.split(' '));
      const rows = readFileSync('docs/browsers.md', 'utf8').matchAll(/^\| `(\w+)`[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|/gm);
      const said = [...rows].filter(([, , ...columns]) => columns[NAMES.indexOf(name)].trim() === 'yes');
      assert.deepEqual(
        has,
        said.map(([, what]) => what),
      );
    });

    test('over plain HTTP, without crypto.subtle, Wasm computes the digests', async () => {
      await visit(`http://${LAN_HOST}/`);
      const lacks = await inPage(() => [isSecureContext, typeof crypto.subtle]);
      assert.deepEqual(lacks, [false, 'undefined']);
      const path = await makeFile(`${name}-lan.bin`, 40 * MIB);
      await choose(path);
      await assertStored(path, await stored(), lan);
    });
  });
}
