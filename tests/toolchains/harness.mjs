// Shared by the tests of toolchains: installs an app with the packed package, serves it, and uploads files in a
// browser.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join, resolve } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { launchOptions } from '../e2e/browser.mjs';
import { freePort, startServer } from '../e2e/server.mjs';

const HERE = import.meta.dirname;
/** Folder in which apps are copied, installed and built. Installed packages stay for the next run. */
const OUT = resolve(process.env.CARGO_TARGET_DIR ?? 'target', 'toolchains');
/** Size of a file with five parts, in bytes. */
const SIZE = 40 << 20;
/** Maximum time for a tool to serve its first page, in milliseconds. */
const START_MS = 180_000;

let browser;
/** The path of the package's tarball. */
let packed;

before(async () => {
  mkdirSync(OUT, { recursive: true });
  const pack = ['pack', resolve('pkg'), '--json', '--pack-destination', OUT];
  packed = join(OUT, JSON.parse(execFileSync('npm', pack, { encoding: 'utf8' }))[0].filename);
  browser = await chromium.launch(launchOptions);
});

after(() => browser?.close());

/** Copies an app, installs its dependencies and the packed package. Returns its folder. */
export function install(name) {
  const folder = join(OUT, name);
  installIn(folder, join(HERE, name));
  cpSync(join(HERE, 'app.js'), join(folder, 'app.js'));
  return folder;
}

/** Copies an app from one folder to another, and installs its dependencies and the packed package there. */
export function installIn(folder, from) {
  mkdirSync(folder, { recursive: true });
  cpSync(from, folder, { recursive: true, filter: (path) => basename(path) !== 'node_modules' });
  const [lock, installed] = ['package-lock.json', 'node_modules/.lock'].map((path) => join(folder, path));
  if (!existsSync(installed) || !readFileSync(lock).equals(readFileSync(installed))) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'pipe' });
    cpSync(lock, installed);
  }
  unpack(join(folder, 'node_modules/directput'));
  // Deletes caches that may hold an earlier version of the package.
  for (const cache of [
    'node_modules/.vite',
    'node_modules/.cache',
    '.next',
    '.parcel-cache',
    '.angular',
    '.nuxt',
    '.svelte-kit',
    '.astro',
    'dist',
  ])
    rmSync(join(folder, cache), { recursive: true, force: true });
}

/** Replaces the contents of a folder by the packed package. */
export function unpack(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['--extract', '--file', packed, '--directory', folder, '--strip-components=1']);
}

const ENVIRONMENT = {
  ...process.env,
  NEXT_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
  ASTRO_TELEMETRY_DISABLED: '1',
  NG_CLI_ANALYTICS: 'false',
  CI: '1',
};
// Some tools behave differently under Node's test runner.
delete ENVIRONMENT.NODE_TEST_CONTEXT;

/** Runs a command of an app and waits for its end. Returns its output. */
export function run(folder, command, ...args) {
  const path = join(folder, 'node_modules/.bin', command);
  try {
    return execFileSync(existsSync(path) ? path : command, args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
      env: ENVIRONMENT,
      timeout: 900_000,
    });
  } catch (error) {
    return assert.fail(`${command} ${args.join(' ')}: ${error.stdout}${error.stderr}`);
  }
}

/** Starts an app's server, and uploads files with the page that it serves. */
export async function serves(folder, command, expected) {
  await running(folder, command, (address) => uploads(address, expected));
}

/**
 * Starts an app's server, calls `use` with its address and output, and stops it. Replaces `{port}` in the arguments.
 */
export async function running(folder, [command, ...args], use, { port, env } = {}) {
  port ??= await freePort();
  const path = join(folder, 'node_modules/.bin', command);
  const child = spawn(
    existsSync(path) ? path : command,
    args.map((arg) => arg.replace('{port}', port)),
    {
      cwd: folder,
      env: { ...ENVIRONMENT, PORT: port, HOST: '127.0.0.1', ...env },
      // Standard input is an open pipe, because esbuild exits when its standard input closes.
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    },
  );
  const log = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => log.push(`${text}`));
  const exited = once(child, 'exit');
  try {
    await use(`http://127.0.0.1:${port}/`, log);
  } catch (error) {
    error.message += `\n${command} said: ${log.join('').slice(-3000)}`;
    throw error;
  } finally {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The server has already exited.
    }
    await exited;
  }
}

const TYPES = {
  html: 'text/html',
  js: 'text/javascript',
  wasm: 'application/wasm',
  css: 'text/css',
  map: 'application/json',
};

/** Serves a folder with a plain file server, and uploads files with its page. */
export async function servesFiles(folder, options) {
  const site = createServer(({ url }, response) => {
    const path = join(folder, url.split('?')[0].replace(/\/$/, '/index.html'));
    if (!existsSync(path)) return response.writeHead(404).end();
    return response.setHeader('content-type', TYPES[path.split('.').pop()] ?? 'text/plain').end(readFileSync(path));
  });
  await once(site.listen(0, '127.0.0.1'), 'listening');
  try {
    await uploads(`http://127.0.0.1:${site.address().port}/`, options);
  } finally {
    site.close();
    site.closeAllConnections();
  }
}

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

/**
 * Uploads two files of several parts: one with the page's own input, and one with its `<direct-put>`. Checks that a
 * worker runs, with its script from a file or, if `inlined`, from JavaScript, and that the console has only tolerated
 * messages.
 */
export async function uploads(address, { inlined = false, tolerated, more } = {}) {
  const { origin } = new URL(address);
  await withServer({ args: ['--allow-origin', origin] }, async (server) => {
    const page = `${address}?api=${encodeURIComponent(`${server.page}/uploads`)}`;
    await visit(page, { tolerated }, async (tab) => {
      await tab.locator('body[data-state=ready]').waitFor({ timeout: 90_000 });
      const uploadOwn = async () => {
        const own = file('own.bin');
        await tab.setInputFiles('#own', own);
        await tab.waitForFunction(() => document.querySelector('output').textContent.trim(), undefined, {
          timeout: 90_000,
        });
        const { key, ...result } = JSON.parse(await tab.locator('output').textContent());
        assert.deepEqual(result, { size: SIZE, inWorker: true });
        assertHas(server, key, own.buffer);
      };
      await uploadOwn();
      const other = file('element.bin');
      await tab.locator('direct-put').locator('#file').setInputFiles(other);
      await tab.locator('direct-put [data-state=stored]').waitFor({ timeout: 90_000 });
      const stored = await tab.evaluate(async () => {
        const { value, uploader } = document.querySelector('direct-put');
        return [value, await uploader.runsInWorker()];
      });
      assert.equal(stored[1], true);
      assertHas(server, stored[0], other.buffer);
      assertInWorker(tab, inlined);
      await more?.(tab, uploadOwn);
    });
  });
}

/** Starts a local server, calls `use` with it, and stops it. */
export async function withServer(options, use) {
  const data = join(OUT, 'data');
  // A killed run may have left its data.
  rmSync(data, { recursive: true, force: true });
  const server = await startServer({ data, ...options });
  try {
    await use(server);
  } finally {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

/**
 * Opens a page once it is served, and calls `use` with its tab. Checks that the console has only tolerated messages.
 */
export async function visit(page, { tolerated = /^$/ } = {}, use) {
  const context = await browser.newContext();
  // Allows more time, because builds of other apps may keep the machine busy.
  context.setDefaultTimeout(90_000);
  const troubles = [];
  const tab = await context.newPage();
  try {
    const watch = (text) => tolerated.test(text) || troubles.push(text);
    tab.on('pageerror', (error) => watch(error.message));
    tab.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) watch(`${message.text()} ${message.location().url}`);
    });
    await isServed(page);
    await tab.goto(page);
    await use(tab);
    assert.deepEqual(troubles, []);
  } catch (error) {
    error.message += `\nthe console said: ${troubles.join('\n')}`;
    throw error;
  } finally {
    await context.close();
  }
}

/** Waits until a page is served, at most `START_MS`. */
export async function isServed(page) {
  for (const end = Date.now() + START_MS; ; await sleep(300)) {
    const response = await fetch(page).catch(() => undefined);
    if (response?.ok) return;
    if (Date.now() > end) assert.fail(`no page: ${response?.status} ${await response?.text()}`);
  }
}

/** Checks that all workers of a page run a script from a file or, if `inlined`, from a `blob:` URL. */
export function assertInWorker(tab, inlined = false) {
  const scripts = tab.workers().map((worker) => worker.url().split(':')[0]);
  assert.deepEqual(new Set(scripts), new Set([inlined ? 'blob' : 'http']));
}

/** Returns a file of random bytes. Default: five parts. */
export const file = (name, size = SIZE) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: randomBytes(size),
});

/** Checks that the object in the bucket has these bytes. */
export function assertHas(server, key, buffer) {
  assert.equal(digest(readFileSync(join(server.data, server.bucket, key))), digest(buffer));
}
