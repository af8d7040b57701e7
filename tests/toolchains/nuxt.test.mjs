// Nuxt with the composable and the element: development server, type check, build, server-side rendering.
import { test } from 'node:test';
import { install, run, serves } from './harness.mjs';

test('Nuxt, development server', async () => {
  const dev = ['nuxt', 'dev', '--host', '127.0.0.1', '--port', '{port}', '--no-fork'];
  await serves(install('nuxt'), dev, { inlined: true });
});

test('Nuxt, build and types', async () => {
  const folder = install('nuxt');
  run(folder, 'nuxt', 'build', '--logLevel', 'silent');
  run(folder, 'vue-tsc', '--build', '--noEmit');
  await serves(folder, ['node', '.output/server/index.mjs']);
});
