// Helpers for the tests of the examples. An example is installed as its README says, built, served, and used in a
// browser.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { MIB, makeFile, openUploads, setFaults } from '../e2e/bucket.mjs';
import { freePort } from '../e2e/server.mjs';
import {
  assertHas,
  assertInWorker,
  file,
  installIn,
  run,
  running,
  unpack,
  visit,
  withServer,
} from '../toolchains/harness.mjs';

/**
 * Folder of the copied examples. Each example is two folders below, so that it finds the package at `../../pkg`, as in
 * the repository.
 */
const OUT = resolve(process.env.CARGO_TARGET_DIR ?? 'target', 'examples');

/** Size of a file of three parts, in bytes. */
export const SIZE = 20 * MIB;

/** Copies and installs an example. Returns its folder. */
export function install(name) {
  unpack(join(OUT, 'pkg'));
  const folder = join(OUT, 'apps', name);
  installIn(folder, resolve('examples', name));
  return folder;
}

/**
 * Builds an example for the API of a local server, serves the build, and calls `use` with a tab and the local server.
 */
export async function withExample(name, command, use) {
  const folder = install(name);
  const [port, api] = [await freePort(), await freePort()];
  const endpoint = `http://127.0.0.1:${api}/uploads`;
  // Vite and Next.js read this file after the example's own `.env`.
  writeFileSync(join(folder, '.env.local'), `VITE_ENDPOINT=${endpoint}\nNEXT_PUBLIC_ENDPOINT=${endpoint}\n`);
  run(folder, 'npm', 'run', 'build');
  const args = ['--allow-origin', `http://127.0.0.1:${port}`, '--control'];
  await withServer({ port: api, args }, async (server) => {
    await running(folder, command, (address) => visit(address, {}, (tab) => use(tab, server)), { port });
  });
}

export const PREVIEW = ['npm', 'run', 'preview', '--', '--host', '127.0.0.1', '--port', '{port}', '--strictPort'];

/** Checks that axe finds no violations in the page. */
export async function assertAccessible(tab) {
  await tab.addScriptTag({ path: 'node_modules/axe-core/axe.min.js' });
  const { violations } = await tab.evaluate(() => globalThis.axe.run());
  assert.deepEqual(
    violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
    [],
  );
}

/** Uploads two files with the page's input. Pauses and resumes the first upload, and cancels the second upload. */
export async function uploadsByInput(tab, server) {
  const [first, second] = [await makeFile('a.bin', SIZE), await makeFile('b.bin', SIZE)];
  const choose = async (path) => {
    await tab.setInputFiles('input[type=file]', path);
    const row = tab.locator('li', { hasText: basename(path) });
    return { row, click: (name) => row.getByRole('button', { name }).click() };
  };
  // The server delays parts, so that there is time to click the buttons.
  await setFaults(server, { on: 'put', latencyMs: 5_000, times: 3 });
  const kept = await choose(first);
  await kept.click('Pause');
  await kept.click('Resume');
  await kept.row.getByText('Stored as').waitFor();
  assertHas(server, /uploads\/\S+/.exec(await kept.row.textContent())[0], readFileSync(first));
  await setFaults(server, { on: 'put', latencyMs: 15_000 });
  const cancelled = await choose(second);
  await assertAccessible(tab);
  await cancelled.click('Cancel');
  await cancelled.row.getByText('The upload was cancelled.').waitFor();
  assert.equal(await tab.locator('li button').count(), 0, 'neither can be paused or cancelled any more');
  assert.deepEqual(openUploads(server), []);
  assertInWorker(tab);
}

/** Uploads a file of several parts with the element in a form. Checks that the form then sends the object's key. */
export async function uploadsByForm(tab, server) {
  const own = file('paper.pdf');
  await tab.getByLabel('Your name').fill('Ada');
  await tab.locator('direct-put').locator('#file').setInputFiles(own);
  await tab.locator('direct-put [data-state=stored]').waitFor();
  const key = await tab.locator('direct-put').evaluate((put) => put.value);
  assertHas(server, key, own.buffer);
  assertInWorker(tab);
  await assertAccessible(tab);
  await tab.getByRole('button', { name: 'Send' }).click();
  await tab.locator('output', { hasText: 'Ada' }).filter({ hasText: key }).waitFor();
}
