// The packed package in the hands of those who install it: each builds a page, and the page uploads a file in Chromium
// under the strictest policy.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { launchOptions } from '../e2e/browser.mjs';
import { startServer } from '../e2e/server.mjs';

const HERE = import.meta.dirname;
const OUT = resolve(process.env.CARGO_TARGET_DIR ?? 'target', 'consumers');
const PACKAGE = join(HERE, 'node_modules/directput');
const SIZE = 20 << 20;

let browser;
let packed;

const run = (command, ...args) => execFileSync(command, args, { cwd: HERE, encoding: 'utf8', stdio: 'pipe' });
const tool = (name, ...args) => run(join(HERE, 'node_modules/.bin', name), ...args);

before(async () => {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  const [{ filename }] = JSON.parse(run('npm', 'pack', resolve('pkg'), '--json', '--pack-destination', OUT));
  packed = join(OUT, filename);
  run('npm', 'install', '--no-save', '--no-package-lock', '--prefer-offline', packed);
  browser = await chromium.launch(launchOptions);
});

after(() => browser?.close());

/** A folder with the page, as a consumer begins. */
function page(name, html = readFileSync(join(HERE, 'index.html'), 'utf8')) {
  const folder = join(OUT, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), html);
  return folder;
}

/** Serves what a consumer has built, and uploads by it: in a worker, with nothing refused. */
async function uploads(name, www) {
  const server = await startServer({ data: join(OUT, `${name}-data`), args: ['--www', www] });
  const context = await browser.newContext();
  const tab = await context.newPage();
  const troubles = [];
  tab.on('pageerror', (error) => troubles.push(error.message));
  tab.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
  tab.on('response', (response) => response.status() === 404 && troubles.push(response.url()));
  await tab.goto(server.page);
  await tab
    .locator('body[data-state=ready]')
    .waitFor({ timeout: 10_000 })
    .catch(() => assert.fail(troubles.join()));
  const buffer = randomBytes(SIZE);
  await tab.setInputFiles('input', { name: 'a.bin', mimeType: 'text/plain', buffer });
  await tab.waitForFunction(() => document.querySelector('output').value, undefined, { timeout: 30_000 });
  const result = JSON.parse(await tab.locator('output').textContent());
  assert.deepEqual(
    { ...result, key: '', etag: '', checksum: '' },
    { key: '', etag: '', checksum: '', size: SIZE, inWorker: true },
  );
  const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(digest(readFileSync(join(server.data, server.bucket, result.key))), digest(buffer));
  assert.deepEqual(troubles, []);
  await context.close();
  await server.stop();
}

test('the package holds what it needs, and nothing else', () => {
  const files = JSON.parse(run('npm', 'pack', resolve('pkg'), '--json', '--dry-run'))[0].files.map(({ path }) => path);
  const odd = files.filter(
    (path) => !/^([\w]+\.(js|d\.ts|wasm|js\.map)|LICENSE-\w+|README\.md|package\.json)$/.test(path),
  );
  assert.deepEqual(odd, []);
  for (const path of [
    'index.js',
    'worker.js',
    'node.js',
    'directput_bg.wasm',
    'index.d.ts',
    'README.md',
    'LICENSE-MIT',
  ]) {
    assert.ok(files.includes(path), path);
  }
});

test('publint and attw find nothing wrong with it', () => {
  tool('publint', 'run', packed, '--strict');
  // A Wasm module has no types.
  tool('attw', packed, '--profile', 'esm-only', '--exclude-entrypoints', 'directput_bg.wasm');
});

test('Vite', async () => {
  const folder = join(OUT, 'vite');
  tool('vite', 'build', HERE, '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn');
  await uploads('vite', folder);
});

test('webpack', async () => {
  const folder = page('webpack');
  tool(
    'webpack',
    '--mode',
    'production',
    '--entry',
    './app.js',
    '--output-path',
    folder,
    '--output-filename',
    'app.js',
  );
  await uploads('webpack', folder);
});

test('esbuild, with the two other files copied beside', async () => {
  const folder = page('esbuild');
  tool('esbuild', 'app.js', '--bundle', '--splitting', '--format=esm', `--outdir=${folder}`);
  for (const name of ['worker.js', 'directput_bg.wasm']) cpSync(join(PACKAGE, name), join(folder, name));
  await uploads('esbuild', folder);
});

test('no bundler, by its address', async () => {
  const folder = page('plain');
  cpSync(PACKAGE, join(folder, 'directput'), { recursive: true });
  const script = readFileSync(join(HERE, 'app.js'), 'utf8').replace("'directput'", "'./directput/index.js'");
  writeFileSync(join(folder, 'app.js'), script);
  await uploads('plain', folder);
});

test('another origin, such as that of a CDN', async () => {
  const types = { js: 'text/javascript', wasm: 'application/wasm' };
  const cdn = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('content-type', types[request.url.split('.').pop()]);
    response.end(readFileSync(join(PACKAGE, basename(request.url))));
  });
  const own = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>a page</p>'));
  for (const server of [cdn, own]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const [from, origin] = [cdn, own].map((server) => `http://127.0.0.1:${server.address().port}`);
  const api = await startServer({ data: join(OUT, 'cdn-data'), args: ['--allow-origin', origin] });
  const tab = await browser.newPage();
  await tab.goto(origin);
  const seen = await tab.evaluate(
    async ([from, endpoint]) => {
      const { Uploader, init } = await import(`${from}/index.js`);
      const upload = async () => {
        const uploader = new Uploader({ endpoint });
        const { size } = await uploader.upload(new Blob(['bytes']));
        return [size, await uploader.runsInWorker()];
      };
      const beside = await upload();
      init({ workerUrl: `${from}/worker.js`, wasmUrl: new URL(`${from}/directput_bg.wasm`) });
      return [beside, await upload()];
    },
    [from, `${api.page}/uploads`],
  );
  assert.deepEqual(seen, [
    [5, true],
    [5, true],
  ]);
  await tab.close();
  await api.stop();
  for (const server of [cdn, own]) server.close();
});

test('a server can import it and render a page with it', () => {
  const script = `
    import { Uploader, UploadError, init } from 'directput';
    init({});
    const uploader = new Uploader({ endpoint: '/uploads' });
    const error = await uploader.upload(new Blob(['x'])).catch((error) => error);
    console.log(error instanceof UploadError, error.code, (await uploader.listResumable()).length);`;
  assert.equal(run('node', '--input-type=module', '--eval', script).trim(), 'true internal 0');
});

test('TypeScript at its strictest', () => {
  const flags = [
    '--ignoreConfig',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--noUncheckedIndexedAccess',
    '--noEmit',
    '--target',
    'es2022',
  ];
  for (const [module, how] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    tool('tsc', ...flags, '--module', module, '--moduleResolution', how, '--lib', 'es2022,dom', 'strict.ts');
  }
});
