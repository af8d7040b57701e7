// webpack, Rspack, Parcel, Rollup and esbuild: development servers, if they have one, and builds.
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { install, run, serves, servesFiles } from './harness.mjs';

/** Rollup and esbuild do not copy a package's files, so the request for the Wasm module fails with 404. */
const tolerated = /404 .*\/directput_bg\.wasm$/;

/** Copies the page beside the build, serves both, and uploads files with the page. */
async function servesBuilt(folder, options) {
  cpSync(join(folder, 'public'), join(folder, 'dist'), { recursive: true });
  await servesFiles(join(folder, 'dist'), options);
}

for (const tool of ['webpack', 'rspack']) {
  test(`${tool}, development server`, async () => {
    await serves(install('bundlers'), [tool, 'serve', '--mode', 'development', '--port', '{port}']);
  });

  test(`${tool}, build`, async () => {
    const folder = install('bundlers');
    run(folder, tool, '--mode', 'production');
    await servesBuilt(folder);
  });
}

test('Parcel, development server', async () => {
  await serves(install('bundlers'), [
    'parcel',
    'serve',
    'index.html',
    '--host',
    '127.0.0.1',
    '--port',
    '{port}',
    '--no-hmr',
  ]);
});

test('Parcel, build', async () => {
  const folder = install('bundlers');
  run(folder, 'parcel', 'build', 'index.html', '--no-optimize');
  await servesFiles(join(folder, 'dist'));
});

test('Rollup with its resolver, build', async () => {
  const folder = install('bundlers');
  run(folder, 'rollup', '--config', '--silent');
  await servesBuilt(folder, { inlined: true, tolerated });
});

test('esbuild, development server', async () => {
  const flags = ['--bundle', '--splitting', '--format=esm', '--outdir=public'];
  const serve = ['esbuild', 'app.js', ...flags, '--servedir=public', '--serve=127.0.0.1:{port}'];
  await serves(install('bundlers'), serve, { inlined: true, tolerated });
});

test('esbuild, build', async () => {
  const folder = install('bundlers');
  run(folder, 'esbuild', 'app.js', '--bundle', '--splitting', '--format=esm', '--minify', '--outdir=dist');
  await servesBuilt(folder, { inlined: true, tolerated });
});

test('esbuild, one script of the oldest kind, by directput/bundled', async () => {
  const folder = install('bundlers');
  writeFileSync(join(folder, 'single.js'), "import 'directput/bundled';\nimport './app.js';\n");
  run(folder, 'esbuild', 'app=single.js', '--bundle', '--minify', '--outdir=dist');
  await servesBuilt(folder, { inlined: true });
});
