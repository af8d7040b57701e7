// Astro with a script in a page: development server, and a build served by a plain file server.
import { join } from 'node:path';
import { test } from 'node:test';
import { install, run, serves, servesFiles } from './harness.mjs';

test('Astro, development server', async () => {
  await serves(install('astro'), ['astro', 'dev', '--host', '127.0.0.1', '--port', '{port}'], { inlined: true });
});

test('Astro, build', async () => {
  const folder = install('astro');
  run(folder, 'astro', 'build');
  await servesFiles(join(folder, 'dist'));
});
