// What tests of toolchains share: an app as a user of the tool has it, the packed package in it, and a browser that uploads.
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
/** Apps are copied, installed and built here; installed packages stay for the next run. */
const OUT = resolve(process.env.CARGO_TARGET_DIR ?? 'target', 'toolchains');
/** Three parts. */
const SIZE = 20 << 20;
/** For a tool to serve its first page, in milliseconds. */
const START_MS = 180_000;

let browser;
/** The tarball. */
let packed;

before(async () => {
  mkdirSync(OUT, { recursive: true });
  const pack = ['pack', resolve('pkg'), '--json', '--pack-destination', OUT];
  packed = join(OUT, JSON.parse(execFileSync('npm', pack, { encoding: 'utf8' }))[0].filename);
  browser = await chromium.launch(launchOptions);
});

after(() => browser?.close());

/** Copies an app of this folder, and installs what it names and the packed package; gives its folder. */
export function install(name) {
  const folder = join(OUT, name);
  installIn(folder, join(HERE, name));
  cpSync(join(HERE, 'app.js'), join(folder, 'app.js'));
  return folder;
}

/** Copies an app from one folder to another, and installs there what it names and the packed package. */
export function installIn(folder, from) {
  mkdirSync(folder, { recursive: true });
  cpSync(from, folder, { recursive: true, filter: (path) => basename(path) !== 'node_modules' });
  const [lock, installed] = ['package-lock.json', 'node_modules/.lock'].map((path) => join(folder, path));
  if (!existsSync(installed) || !readFileSync(lock).equals(readFileSync(installed))) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'pipe' });
    cpSync(lock, installed);
  }
  unpack(join(folder, 'node_modules/directput'));
  // What tools have kept of an earlier package.
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

/** Puts the packed package into a folder, in place of what is there. */
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
// Tools behave otherwise where Node's test runner is around them.
delete ENVIRONMENT.NODE_TEST_CONTEXT;

/** Runs a command of an app to its end. */
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

/** Starts a server of an app, and uploads by the page that it serves. */
export async function serves(folder, command, expected) {
  await running(folder, command, (address) => uploads(address, expected));
}

/** Starts a server of an app, gives its address and its output to `use`, and ends it. In the arguments `{port}` is its port. */
export async function running(folder, [command, ...args], use, { port, env } = {}) {
  port ??= await freePort();
  const path = join(folder, 'node_modules/.bin', command);
  const child = spawn(
    existsSync(path) ? path : command,
    args.map((arg) => arg.replace('{port}', port)),
    {
      cwd: folder,
      env: { ...ENVIRONMENT, PORT: port, HOST: '127.0.0.1', ...env },
      // esbuild ends with its standard input.
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
      // It has ended by itself.
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

/** Serves a folder as any file server does, and uploads by its page. */
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
 * Uploads a file of several parts by the page's own input and one by its `<direct-put>`, both in a worker, whose script is a
 * file or inlined, as expected. The console has to stay empty but for what is tolerated.
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

/** Runs a local server while it is used. */
export async function withServer(options, use) {
  const data = join(OUT, 'data');
  // A run that was killed has left its own.
  rmSync(data, { recursive: true, force: true });
  const server = await startServer({ data, ...options });
  try {
    await use(server);
  } finally {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Opens a page as soon as it is served, and gives its tab to `use`. The console has to stay empty but for what is tolerated. */
export async function visit(page, { tolerated = /^$/ } = {}, use) {
  const context = await browser.newContext();
  // Builds of other apps may keep the machine busy.
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

/** Waits until a page is served. */
export async function isServed(page) {
  for (const end = Date.now() + START_MS; ; await sleep(300)) {
    const response = await fetch(page).catch(() => undefined);
    if (response?.ok) return;
    if (Date.now() > end) assert.fail(`no page: ${response?.status} ${await response?.text()}`);
  }
}

/** A page hashes in a worker, whose script is a file or inlined. */
export function assertInWorker(tab, inlined = false) {
  const scripts = tab.workers().map((worker) => worker.url().split(':')[0]);
  assert.deepEqual(new Set(scripts), new Set([inlined ? 'blob' : 'http']));
}

/** A file of three parts, or of another size. */
export const file = (name, size = SIZE) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: randomBytes(size),
});

/** The bucket has these bytes. */
export function assertHas(server, key, buffer) {
  assert.equal(digest(readFileSync(join(server.data, server.bucket, key))), digest(buffer));
}
