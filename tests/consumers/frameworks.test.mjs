// Tests of the sub-exports for React, Vue, Svelte and Uppy, in the real frameworks, with the packed package, in
// Chromium.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compile } from 'svelte/compiler';
import { curlAs } from '../e2e/bucket.mjs';
import { assertHas, bundle, HERE, open, page, run, someFile, tool, uploads } from './packed.mjs';

const HTML = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A framework</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="app.css"><body><div id="app"></div><script type="module" src="./app.js"></script></body></html>`;
const SLOW = JSON.stringify([{ on: 'put', bytesPerSecond: 2 << 20 }]);

/** Builds a page with one script. */
function build(name, script, ...options) {
  const folder = page(name, HTML);
  writeFileSync(join(folder, 'app.css'), '');
  bundle(join(HERE, 'frameworks', script), folder, ...options);
  return folder;
}

const setFaults = (server, body) => fetch(`${server.page}/-/faults`, { method: 'PUT', body });

test('the element, by a bundler', async () => {
  await uploads('element', build('element', 'element.js'));
});

test('a hook for React uploads, in strict mode', async () => {
  await uploads('react', build('react', 'react.jsx'));
});

test('a hook for React has all that can be done about an upload, and ends with its component', async () => {
  const { tab, server, troubles, close } = await open('react-more', build('react-more', 'react.jsx'), {
    args: ['--control'],
  });
  await setFaults(server, SLOW);
  const first = tab.locator('li').first();
  const press = (name) => first.getByRole('button', { name }).click();
  const is = (state) => tab.locator(`li[data-state=${state}]`).first().waitFor();
  const file = someFile();
  await tab.setInputFiles('input', file);
  await is('running');
  await tab.waitForFunction(() => document.querySelector('progress').value > 0);
  await press('pause');
  await is('paused');
  await press('pause');
  await is('running');
  await press('cancel');
  await is('cancelled');
  assert.equal(await first.locator('code').textContent(), 'aborted');
  await setFaults(server, '[]');
  await press('retry');
  await is('stored');
  assertHas(server, await first.locator('code').textContent(), file.buffer);
  await press('remove');
  await first.waitFor({ state: 'detached' });
  await tab.setInputFiles('input', [someFile('a.bin'), someFile('b.bin')]);
  await tab.locator('li').nth(1).waitFor();
  await tab.locator('#clear').click();
  assert.equal(await tab.locator('li').count(), 0);
  const workers = tab.workers().length;
  await tab.locator('#unmount').click();
  for (let wait = 0; wait < 50 && tab.workers().length > 0; wait += 1) await tab.waitForTimeout(100);
  assert.deepEqual([workers, tab.workers().length], [1, 0], 'the worker goes with the component');
  assert.deepEqual(troubles, []);
  await close();
});

test('in an Activity of React that is hidden and shown again uploads go on where they were', async () => {
  const { tab, server, troubles, close } = await open('react-activity', build('react-activity', 'react.jsx'), {
    args: ['--control'],
  });
  await setFaults(server, JSON.stringify([{ on: 'put', bytesPerSecond: 4 << 20 }]));
  const file = { ...someFile('long.bin'), buffer: Buffer.alloc(40 << 20, 7) };
  await tab.setInputFiles('input', file);
  // Waits until S3 has stored at least one part.
  await tab.waitForFunction(() => document.querySelector('progress').value > 0.5);
  const lists = [];
  tab.on('request', (request) => {
    if (request.method() === 'GET' && request.url().endsWith('/uploads/parts')) lists.push(request.url());
  });
  await tab.locator('#hide').click();
  for (let wait = 0; wait < 100 && tab.workers().length > 0; wait += 1) await tab.waitForTimeout(100);
  assert.equal(tab.workers().length, 0, 'the worker goes with the component');
  await tab.locator('#hide').click();
  await setFaults(server, '[]');
  const item = tab.locator('li[data-state=stored]');
  await item.waitFor();
  assertHas(server, await item.locator('code').textContent(), file.buffer);
  assert.equal(lists.length, 1, 'it was resumed');
  assert.deepEqual(troubles, []);
  await close();
});

test('the element as a component of React is rendered by a server, and taken over in the browser', async () => {
  const folder = page('react-element', HTML);
  const script = join(HERE, 'frameworks/react-element.jsx');
  // React reports hydration mismatches only in development builds.
  const define = '--define:process.env.NODE_ENV="development"';
  tool(
    'esbuild',
    script,
    '--bundle',
    '--platform=node',
    '--packages=external',
    '--format=esm',
    '--jsx=automatic',
    define,
    `--outfile=${join(HERE, 'samples-server.mjs')}`,
  );
  const html = run(
    'node',
    '--input-type=module',
    '--eval',
    `import { createElement } from 'react';
    import { renderToString } from 'react-dom/server';
    import { Page } from './samples-server.mjs';
    globalThis.told = [];
    console.log(renderToString(createElement(Page)));`,
  ).trim();
  rmSync(join(HERE, 'samples-server.mjs'));
  assert.match(
    html,
    /<direct-put class="papers" aria-label="Papers" endpoint="\/uploads" multiple="" max-files="9"><\/direct-put>/,
  );
  writeFileSync(join(folder, 'index.html'), HTML.replace('<div id="app"></div>', `<div id="app">${html}</div>`));
  writeFileSync(join(folder, 'app.css'), '');
  bundle(script, folder, define);
  const { tab, server, troubles, close } = await open('react-element', folder, { args: ['--control'] });
  const asked = [];
  tab.on('request', (request) => {
    if (request.url().endsWith('/uploads')) asked.push([request.headers().authorization, request.postDataJSON().name]);
  });
  const again = async (count) => {
    await tab.evaluate(() => globalThis.page.again());
    await tab.locator(`body[data-count="${count}"]`).waitFor();
  };
  const row = (index) => tab.locator('.upload').nth(index);
  assert.equal(await tab.locator('.choose').textContent(), 'Pick papers');
  const file = someFile();
  await tab.setInputFiles('#file', file);
  await row(0).and(tab.locator('[data-state=stored]')).waitFor();
  assertHas(server, await tab.evaluate(() => globalThis.put.current.value), file.buffer);
  // New option objects with equal values keep the uploader, and functions are those of the latest rendering.
  await tab.evaluate(() => {
    globalThis.uploader = globalThis.put.current.uploader;
  });
  await again(2);
  await setFaults(server, JSON.stringify([{ on: 'create', status: 401, times: 1 }]));
  await tab.setInputFiles('#file', someFile('b.bin'));
  await row(1).and(tab.locator('[data-state=stored]')).waitFor();
  assert.ok(await tab.evaluate(() => globalThis.put.current.uploader === globalThis.uploader));
  // The uploader calls `headers` once, and again after the API has answered 401.
  assert.deepEqual(asked, [
    ['Bearer 1', 'number 1'],
    ['Bearer 1', 'number 2'],
    ['Bearer 2', 'number 2'],
  ]);
  await tab.setInputFiles('#file', { ...someFile('large.bin'), buffer: Buffer.alloc(31_000_000) });
  // Failed files are first.
  await row(0).and(tab.locator('[data-state=failed]')).waitFor();
  assert.deepEqual(
    (await tab.evaluate(() => globalThis.told)).map((said) => said.join(' ')),
    [
      'start 1 ',
      `stored 1 ${20 << 20}`,
      'change 1 ',
      'start 2 ',
      `stored 2 ${20 << 20}`,
      'change 2 ',
      'start 2 ',
      'failed 2 file-too-large',
    ],
  );
  assert.equal(await tab.evaluate(() => globalThis.moved), 2);
  // While a Suspense boundary hides the element, its upload continues and dispatches its events.
  await setFaults(server, SLOW);
  await tab.setInputFiles('#file', someFile('d.bin'));
  await tab.waitForFunction(() => globalThis.put.current.shadowRoot.querySelectorAll('.bar')[3]?.value > 0);
  await tab.evaluate(() => {
    const { promise, resolve } = Promise.withResolvers();
    globalThis.goOn = resolve;
    globalThis.page.setWait(promise);
  });
  await tab.locator('#fallback').waitFor();
  assert.equal(await tab.locator('.choose').isVisible(), false);
  await setFaults(server, '[]');
  await tab.waitForFunction(() => globalThis.told.at(-2)[0] === 'stored' && globalThis.told.length === 11);
  await tab.evaluate(() => globalThis.goOn());
  await row(3).and(tab.locator('[data-state=stored]')).waitFor();
  // A changed prop takes effect: with `maxFiles` 3, the next file is refused.
  await tab.evaluate(() => globalThis.page.setMaxFiles(3));
  await tab.locator('direct-put[max-files="3"]').waitFor();
  await tab.setInputFiles('#file', someFile('e.bin'));
  await tab.waitForFunction(() => globalThis.told.at(-1).join(' ') === 'failed 2 too-many-files');
  assert.deepEqual(
    troubles.filter((trouble) => !/401/.test(trouble)),
    [],
  );
  await close();
});

test('a page that does not use the component does without the element', () => {
  const script = join(HERE, 'frameworks/react.jsx');
  const code = tool(
    'esbuild',
    script,
    '--bundle',
    '--format=esm',
    '--jsx=automatic',
    '--external:react',
    '--external:react-dom',
  );
  assert.ok(code.includes('directput') && !code.includes('attachShadow'));
});

// Vue logs an error, because the page's policy does not allow Vue's Trusted Types policy. Vue works without its policy.
test('a composable for Vue uploads', async () => {
  const flags = ['VUE_OPTIONS_API', 'VUE_PROD_DEVTOOLS', 'VUE_PROD_HYDRATION_MISMATCH_DETAILS'];
  await uploads('vue', build('vue', 'vue.js', ...flags.map((flag) => `--define:__${flag}__=false`)), {
    tolerated: /TrustedTypePolicy named 'vue'/,
  });
});

test('a list is a store of Svelte', async () => {
  const folder = page('svelte', HTML);
  const source = readFileSync(join(HERE, 'frameworks/App.svelte'), 'utf8');
  writeFileSync(join(folder, 'compiled.js'), compile(source, { generate: 'client', filename: 'App.svelte' }).js.code);
  writeFileSync(join(folder, 'entry.js'), readFileSync(join(HERE, 'frameworks/svelte.js')));
  writeFileSync(join(folder, 'app.css'), '');
  // The compiled component is outside of this folder, so esbuild needs the path of the packages.
  process.env.NODE_PATH = join(HERE, 'node_modules');
  bundle(join(folder, 'entry.js'), folder, '--conditions=svelte,browser');
  // Svelte 5 needs the Trusted Types policy `svelte-trusted-html`, which this site's policy does not allow.
  await uploads('svelte', folder, { bypassCSP: true });
});

test("Uppy's Dashboard gets verified uploads, with pause, cancel and retry", async () => {
  const { tab, server, troubles, close } = await open('uppy', build('uppy', 'uppy.js'), { args: ['--control'] });
  const file = someFile();
  const told = () => tab.evaluate(() => globalThis.told);
  await tab.setInputFiles('.uppy-Dashboard-input >> nth=0', file);
  await tab.locator('.uppy-StatusBar-actionBtn--upload').click();
  await tab.waitForFunction(() => globalThis.told.some(([event]) => event === 'complete'), undefined, {
    timeout: 30_000,
  });
  const events = await told();
  assert.deepEqual(
    events.map(([event]) => event),
    ['upload-start', 'upload-progress', 'upload-success', 'body', 'complete', 'counts'],
  );
  const [, body] = events.find(([event]) => event === 'body');
  assert.match(body.checksum, /-3$/);
  assertHas(server, body.key, file.buffer);
  assert.deepEqual(events.at(-1), ['counts', 1, 0]);

  await setFaults(server, SLOW);
  await tab.evaluate(() => globalThis.uppy.clear());
  await tab.setInputFiles('.uppy-Dashboard-input >> nth=0', someFile('b.bin'));
  await tab.locator('.uppy-StatusBar-actionBtn--upload').click();
  const moves = () => tab.waitForFunction(() => globalThis.share > 0 && globalThis.share < 1);
  const isStored = () => tab.evaluate(() => Boolean(globalThis.uppy.getFiles()[0].response));
  await moves();
  await tab.evaluate(() => globalThis.uppy.pauseAll());
  // The three parts in flight still arrive, but the paused upload is not completed.
  await tab.waitForFunction(() => globalThis.share === 1);
  await tab.waitForTimeout(700);
  assert.equal(await isStored(), false);
  await tab.evaluate(() => globalThis.uppy.resumeAll());
  await tab.waitForFunction(() => globalThis.uppy.getFiles()[0].response);
  await tab.evaluate(() => globalThis.uppy.clear());
  await tab.setInputFiles('.uppy-Dashboard-input >> nth=0', someFile('d.bin'));
  await tab.locator('.uppy-StatusBar-actionBtn--upload').click();
  await moves();
  await tab.evaluate(() => globalThis.uppy.cancelAll());
  await tab.waitForFunction(() => globalThis.uppy.getFiles().length === 0);

  await setFaults(server, JSON.stringify([{ on: 'create', status: 401 }]));
  await tab.setInputFiles('.uppy-Dashboard-input >> nth=0', someFile('c.bin'));
  await tab.locator('.uppy-StatusBar-actionBtn--upload').click();
  await tab.waitForFunction(() => globalThis.told.at(-2)?.[0] === 'complete' && globalThis.told.at(-1)[2] === 1);
  await setFaults(server, '[]');
  await tab.locator('.uppy-StatusBar-actionBtn--retry').click();
  await tab.waitForFunction(() => globalThis.uppy.getFiles()[0]?.response?.body?.key);
  assert.deepEqual(
    troubles.filter((trouble) => !/401|sign in/.test(trouble)),
    [],
  );
  await close();
});

for (const version of [4, 5, 6]) {
  test(`Uppy ${version} uploads under the name that the user has given, whatever type a file says that it has`, async () => {
    const alias = version === 6 ? [] : [`--alias:@uppy/core=uppy-core-${version}`];
    const name = `uppy-core-${version}`;
    const { tab, server, troubles, close } = await open(name, build(name, 'uppy-core.js', ...alias));
    assert.match(await tab.locator('#app').textContent(), new RegExp(`^${version}\\.`));
    const sent = await tab.evaluate(async () => {
      const renamed = globalThis.add('a.txt', 'text/plain');
      globalThis.uppy.setFileMeta(renamed, { name: 'renamed.txt' });
      globalThis.add('odd.bin', 'odd');
      globalThis.add('b.txt', 'text/plain; charset=utf-8');
      return globalThis.send();
    });
    assert.deepEqual(sent.failed, []);
    const heads = sent.stored.map((key) =>
      curlAs(server, `${server.bucket}/${key}`, '--dump-header', '-', '--output', '/dev/null'),
    );
    const header = (name) => heads.map((head) => new RegExp(`^${name}: (.*)\\r$`, 'im').exec(head)[1]);
    assert.deepEqual(header('x-amz-meta-name'), ['renamed.txt', 'odd.bin', 'b.txt']);
    assert.deepEqual(header('content-type'), ['text/plain', 'application/octet-stream', 'text/plain; charset=utf-8']);

    const more = await tab.evaluate(async () => {
      globalThis.add('c.txt', 'text/plain');
      const before = await globalThis.send();
      for (const { id } of globalThis.uppy.getFiles()) globalThis.uppy.removeFile(id);
      globalThis.add('d.txt', 'text/plain');
      return [before, await globalThis.send()].map(({ stored, failed }) => [stored.length, failed.length]);
    });
    assert.deepEqual(
      more,
      [
        [0, 1],
        [1, 0],
      ],
      'a file that is removed leaves its place to another',
    );
    await close();
    assert.deepEqual(
      troubles.filter((trouble) => !/No more files/.test(trouble)),
      [],
    );
  });
}
