// Shared by the tests of the packed package: installs it, builds pages with it, and uploads with these pages in a
// browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { launchOptions } from '../e2e/browser.mjs';
import { startServer } from '../e2e/server.mjs';

export const HERE = import.meta.dirname;
/** The folder for builds; each test file has its own. */
export const OUT = resolve(
  process.env.CARGO_TARGET_DIR ?? 'target',
  'consumers',
  basename(process.argv[1], '.test.mjs'),
);
export const PACKAGE = join(HERE, 'node_modules/directput');
const SIZE = 20 << 20;

export let browser;
/** The path of the package's tarball. */
export let packed;

export const run = (command, ...args) => execFileSync(command, args, { cwd: HERE, encoding: 'utf8', stdio: 'pipe' });
export const tool = (name, ...args) => run(join(HERE, 'node_modules/.bin', name), ...args);

before(async () => {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  const [{ filename }] = JSON.parse(run('npm', 'pack', resolve('pkg'), '--json', '--pack-destination', OUT));
  packed = join(OUT, filename);
  run('npm', 'install', '--no-save', '--no-package-lock', '--prefer-offline', packed);
  browser = await chromium.launch(launchOptions);
});

after(() => browser?.close());

/** Creates a folder with an HTML page. Returns its path. */
export function page(name, html = readFileSync(join(HERE, 'index.html'), 'utf8')) {
  const folder = join(OUT, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), html);
  return folder;
}

/** Builds a page's script with esbuild, and copies the package's other files beside it. */
export function bundle(script, folder, ...options) {
  const flags = ['--bundle', '--splitting', '--format=esm', '--jsx=automatic', `--outdir=${folder}`];
  tool('esbuild', `app=${script}`, ...flags, '--define:process.env.NODE_ENV="production"', ...options);
  for (const name of ['worker.js', 'directput_bg.wasm']) cpSync(join(PACKAGE, name), join(folder, name));
}

/** Serves a built page with a local server, and opens it. */
export async function open(name, www, { args = [], ...options } = {}) {
  const server = await startServer({ data: join(OUT, `${name}-data`), args: ['--www', www, ...args] });
  const context = await browser.newContext(options);
  const tab = await context.newPage();
  const troubles = [];
  tab.on('pageerror', (error) => troubles.push(error.message));
  tab.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
  tab.on('response', (response) => response.status() === 404 && troubles.push(response.url()));
  const close = async () => {
    await context.close();
    await server.stop();
  };
  await tab.goto(server.page);
  try {
    await tab.locator('body[data-state=ready]').waitFor({ timeout: 10_000 });
  } catch {
    await close();
    assert.fail(troubles.join());
  }
  return { tab, server, troubles, close };
}

export const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Returns a file that is large enough to be sent in parts. */
export const someFile = (name = 'a.bin') => ({ name, mimeType: 'text/plain', buffer: randomBytes(SIZE) });

/** Checks that the object in the bucket has these bytes. */
export function assertHas(server, key, buffer) {
  assert.equal(digest(readFileSync(join(server.data, server.bucket, key))), digest(buffer));
}

/**
 * Serves a built page and uploads a file with it. Checks that a worker runs and that the console has only tolerated
 * errors.
 */
export async function uploads(name, www, { tolerated = /^$/, ...options } = {}) {
  const { tab, server, troubles, close } = await open(name, www, options);
  const file = someFile();
  await tab.setInputFiles('input', file);
  await tab.waitForFunction(() => document.querySelector('output').value, undefined, { timeout: 30_000 });
  const result = JSON.parse(await tab.locator('output').textContent());
  assert.deepEqual(
    { ...result, key: '', etag: '', checksum: '' },
    { key: '', etag: '', checksum: '', size: SIZE, inWorker: true },
  );
  assertHas(server, result.key, file.buffer);
  const ours = troubles.filter((trouble) => !tolerated.test(trouble));
  await close();
  assert.deepEqual(ours, []);
}
