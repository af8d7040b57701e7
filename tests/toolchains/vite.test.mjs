// Vite's development server and its builds, without a line of configuration.
import { test } from 'node:test';
import { install, run, serves } from './harness.mjs';

for (const version of [5, 6, 7, 8]) {
  const vite = `node_modules/vite${version}/bin/vite.js`;
  const address = ['--host', '127.0.0.1', '--port', '{port}', '--strictPort'];

  test(`Vite ${version}, development server`, async () => {
    const folder = install('vite');
    await serves(folder, ['node', vite, ...address]);
  });

  test(`Vite ${version}, build`, async () => {
    const folder = install('vite');
    run(folder, 'node', vite, 'build', '--logLevel', 'warn');
    await serves(folder, ['node', vite, 'preview', ...address]);
  });
}
