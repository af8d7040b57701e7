// SvelteKit with the list as a store and the element: development server, type check, build, server-side rendering.
import { test } from 'node:test';
import { install, run, serves } from './harness.mjs';

test('SvelteKit, development server', async () => {
  const dev = ['vite', 'dev', '--host', '127.0.0.1', '--port', '{port}', '--strictPort'];
  await serves(install('sveltekit'), dev, { inlined: true });
});

test('SvelteKit, build and types', async () => {
  const folder = install('sveltekit');
  run(folder, 'svelte-kit', 'sync');
  run(folder, 'svelte-check', '--tsconfig', './tsconfig.json', '--fail-on-warnings');
  run(folder, 'vite', 'build', '--logLevel', 'warn');
  await serves(folder, ['node', 'build']);
});
