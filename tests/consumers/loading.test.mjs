// The package's files are missing or unusable: the inlined files replace them. If the inlined files do not load either,
// uploads reject with an error and the console shows a warning.
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HERE, open, PACKAGE, page, tool, uploads } from './packed.mjs';

test('a bundler that emits no files: what is inlined is found, and works in a worker', async () => {
  const folder = page('alone');
  tool('esbuild', `app=${join(HERE, 'app.js')}`, '--bundle', '--splitting', '--format=esm', `--outdir=${folder}`);
  // Bypasses this site's policy, which blocks workers from `blob:` URLs.
  await uploads('alone', folder, { bypassCSP: true, tolerated: /404|\/worker\.js$|\.wasm$/ });
});

test('directput/bundled is one classic script, which asks for no other file', async () => {
  const folder = page('bundled');
  const bundled = '--alias:directput=directput/bundled';
  tool('esbuild', `app=${join(HERE, 'app.js')}`, '--bundle', bundled, '--log-level=error', `--outdir=${folder}`);
  await uploads('bundled', folder, { bypassCSP: true });
});

/**
 * Opens a page that has the package in `/directput/`. Returns functions for the test, and the warnings in the console.
 */
async function opened(name, prepare = () => {}) {
  const folder = page(name, '<!doctype html><title>A page</title><body data-state="ready"><p>A page</p>');
  cpSync(PACKAGE, join(folder, 'directput'), { recursive: true });
  const { tab, server, close } = await open(name, folder);
  const warnings = [];
  tab.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
  await prepare(tab);
  const upload = () =>
    tab.evaluate(async () => {
      const { Uploader } = await import('/directput/index.js');
      const uploader = new Uploader({ endpoint: '/uploads' });
      const end = await uploader.upload(new Blob(['bytes'])).catch(({ code }) => code);
      return [end.size ?? end, (await uploader.listResumable().catch(({ code }) => code)).length];
    });
  return { upload, warnings, server, close };
}

test('where no worker can start the page does the work, and says so once, with the address', async () => {
  const { upload, warnings, server, close } = await opened('no-worker', async (tab) => {
    await tab.addInitScript(() => {
      const { Worker } = globalThis;
      globalThis.Worker = class extends Worker {
        constructor(address, options) {
          super(address, options);
          this.terminate();
          queueMicrotask(() => this.dispatchEvent(new ErrorEvent('error')));
        }
      };
    });
    await tab.reload();
  });
  assert.deepEqual(
    [await upload(), await upload()],
    [
      [5, 0],
      [5, 0],
    ],
  );
  assert.equal(warnings.length, 1, warnings.join());
  assert.match(warnings[0], /^directput: no worker starts.*toolchains\.md/);
  assert.ok(warnings[0].includes(`${server.page}/directput/worker.js`), warnings[0]);
  await close();
});

test('where the module can not be loaded uploads end with load-failed, and the console has the address', async () => {
  const { upload, warnings, server, close } = await opened('no-module', async (tab) => {
    for (const file of ['directput_bg.wasm', 'inlined.js']) await tab.route(`**/${file}`, (route) => route.abort());
  });
  const [end] = await upload();
  assert.equal(end, 'load-failed');
  assert.equal(warnings.length, 1, warnings.join());
  assert.match(warnings[0], /^directput: its files could not be loaded.*toolchains\.md/);
  assert.ok(warnings[0].includes(`${server.page}/directput/directput_bg.wasm`), warnings[0]);
  await close();
});

test('a browser without WebAssembly, as in Lockdown Mode, has a code of its own', async () => {
  const { upload, warnings, close } = await opened('no-wasm', async (tab) => {
    await tab.addInitScript(() => {
      delete globalThis.WebAssembly;
    });
    await tab.reload();
  });
  assert.deepEqual(await upload(), ['unsupported-environment', 0]);
  assert.deepEqual(warnings, []);
  await close();
});
