// Uploads while their components are suspended, kept alive, remounted, or edited under a development server.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import react from '@vitejs/plugin-react';
import vue from '@vitejs/plugin-vue';
import { createServer } from 'vite';
import { freePort, startServer } from '../e2e/server.mjs';
import { assertHas, browser, HERE, OUT, someFile } from './packed.mjs';

const HOT = join(HERE, 'frameworks/hot');
/** Slows PUTs down: a part takes 4 s, so that the test can act during the upload. */
const SLOW = { on: 'put', bytesPerSecond: 2 << 20 };

/**
 * Option to wait only until a row is in the document: a row without text has no height and does not count as visible.
 */
const THERE = { state: 'attached' };

/** Serves an app with Vite's development server, and opens its page. */
async function develop(context, name, plugin) {
  // The app is in this folder, because it resolves its packages from here.
  const root = join(HERE, `hot-${name}`);
  rmSync(root, { recursive: true, force: true });
  cpSync(join(HOT, name), root, { recursive: true });
  for (const file of ['index.html', 'list.js']) cpSync(join(HOT, file), join(root, file));
  const port = await freePort();
  const vite = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    cacheDir: join(OUT, `${name}-cache`),
    plugins: [plugin],
    server: { host: '127.0.0.1', port, strictPort: true },
  });
  await vite.listen();
  const origin = `http://127.0.0.1:${port}`;
  const api = await startServer({ data: join(OUT, `${name}-data`), args: ['--allow-origin', origin, '--control'] });
  const tab = await browser.newPage();
  tab.setDefaultTimeout(30_000);
  context.after(async () => {
    await tab.close();
    await vite.close();
    await api.stop();
    rmSync(root, { recursive: true, force: true });
  });
  const troubles = [];
  const begun = [];
  let loads = 0;
  tab.on('pageerror', (error) => troubles.push(error.message));
  tab.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
  tab.on('request', (request) => {
    if (request.url() === `${api.page}/uploads` && request.method() === 'POST') begun.push(request.postDataJSON().name);
  });
  tab.on('load', () => {
    loads += 1;
  });
  await tab.goto(`${origin}/?api=${encodeURIComponent(`${api.page}/uploads`)}`);
  await tab.locator('body[data-state=ready]').waitFor();
  const setFaults = (...faults) => fetch(`${api.page}/-/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  const edit = (file, change) => writeFileSync(join(root, file), change(readFileSync(join(root, file), 'utf8')));
  /** Starts an upload, and waits until the first bytes were sent. */
  const begin = async (part, own = someFile()) => {
    await setFaults(SLOW);
    await tab.locator(part).locator('input').setInputFiles(own);
    await tab.locator(`${part} p[data-state=running]:not([data-sent="0"])`).first().waitFor(THERE);
    return own;
  };
  /** Waits until the last upload in a part of the page is stored, and checks the object. */
  const end = async (part, { buffer }) => {
    await setFaults();
    const row = tab.locator(`${part} p`).last();
    await row.and(tab.locator('[data-state=stored]')).waitFor(THERE);
    assertHas(api, await row.textContent(), buffer);
  };
  /** Checks that only these uploads were started, that the console has no errors, and that the page was loaded once. */
  const over = (...names) => assert.deepEqual([begun, troubles, loads], [names, [], 1]);
  return { tab, edit, begin, end, over };
}

const isRunning = (tab, part) => tab.locator(`${part} p[data-state=running]`).waitFor(THERE);
const says = (tab, part, text) => tab.locator(`${part} h1`, { hasText: text }).waitFor();

test('React: uploads go on while their component is suspended, and while it is edited', async (context) => {
  const { tab, edit, begin, end, over } = await develop(context, 'react', react());
  const first = await begin('#own');
  await tab.evaluate(() => globalThis.suspend());
  await tab.locator('#fallback').waitFor();
  const sent = async () => Number(await tab.locator('#own p').last().getAttribute('data-sent'));
  const before = await sent();
  await tab.waitForTimeout(1_000);
  await tab.evaluate(() => globalThis.goOn());
  await tab.locator('#own').waitFor();
  await isRunning(tab, '#own');
  assert.ok((await sent()) > before, 'what was sent meanwhile is shown');
  edit('Uploads.jsx', (text) => text.replace('>before<', '>after<'));
  await says(tab, '#own', 'after');
  await isRunning(tab, '#own');
  await end('#own', first);

  const second = await begin('#shared', someFile('b.bin'));
  // React remounts a component whose hooks have changed.
  edit('Shared.jsx', (text) => text.replace("useState('before')", "useState(useState('after')[0])"));
  await says(tab, '#shared', 'after');
  await tab.waitForTimeout(300);
  await isRunning(tab, '#shared');
  await end('#shared', second);
  over('a.bin', 'b.bin');
});

test('Vue: uploads go on where KeepAlive keeps their component, and while its template is edited', async (context) => {
  const { tab, edit, begin, end, over } = await develop(context, 'vue', vue());
  const own = await begin('#own');
  for (const isAway of [true, false]) {
    await tab.evaluate((isAway) => {
      globalThis.page.isAway.value = isAway;
    }, isAway);
    await tab.locator('#own').waitFor({ state: isAway ? 'detached' : 'visible' });
  }
  await isRunning(tab, '#own');
  edit('Uploads.vue', (text) => text.replace('title="before"', 'title="after"'));
  await tab.locator('#own h1[title=after]').waitFor();
  await isRunning(tab, '#own');
  await end('#own', own);
  over('a.bin');
});

test('Vue: a list goes on while one of its components is there, and a component that is made anew uploads', async (context) => {
  const { tab, edit, begin, end, over } = await develop(context, 'vue', vue());
  const setOthers = (count) =>
    tab.evaluate((count) => {
      globalThis.page.others.value = count;
    }, count);
  await setOthers(2);
  const shared = await begin('#shared-2');
  await setOthers(1);
  await tab.locator('#shared-2').waitFor({ state: 'detached' });
  await tab.waitForTimeout(300);
  await isRunning(tab, '#shared-1');
  // Vue remounts a component whose script has changed.
  edit('Shared.vue', (text) => text.replace("= 'before'", "= 'after'"));
  await says(tab, '#shared-1', 'after');
  await tab.waitForTimeout(300);
  await isRunning(tab, '#shared-1');
  await end('#shared-1', shared);

  edit('Uploads.vue', (text) => text.replace("= 'before'", "= 'after'"));
  await says(tab, '#own', 'after');
  await end('#own', await begin('#own', someFile('b.bin')));
  // The list closes after its last component has unmounted, and works again with the next component.
  await setOthers(0);
  await tab.waitForTimeout(300);
  await setOthers(1);
  await end('#shared-1', await begin('#shared-1', someFile('c.bin')));
  over('a.bin', 'b.bin', 'c.bin');
});

test('Svelte: a list goes on while its component is made anew, and a component that is edited uploads', async (context) => {
  const { tab, edit, begin, end, over } = await develop(context, 'svelte', svelte());
  const shared = await begin('#shared-1');
  await tab.evaluate(() => globalThis.again());
  await tab.waitForTimeout(300);
  await isRunning(tab, '#shared-1');
  edit('Shared.svelte', (text) => text.replace('>before<', '>after<'));
  await says(tab, '#shared-1', 'after');
  await tab.waitForTimeout(300);
  await isRunning(tab, '#shared-1');
  await end('#shared-1', shared);

  edit('Uploads.svelte', (text) => text.replace('>before<', '>after<'));
  await says(tab, '#own', 'after');
  await end('#own', await begin('#own', someFile('b.bin')));
  over('a.bin', 'b.bin');
});
