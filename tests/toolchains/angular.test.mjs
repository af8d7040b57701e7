// Angular with the uploader and the element: development server, and a build that a plain file server serves.
import { join } from 'node:path';
import { test } from 'node:test';
import { install, run, serves, servesFiles } from './harness.mjs';

test('Angular, development server', async () => {
  await serves(install('angular'), ['ng', 'serve', '--host', '127.0.0.1', '--port', '{port}']);
});

test('Angular, build', async () => {
  const folder = install('angular');
  run(folder, 'ng', 'build', '--progress', 'false');
  await servesFiles(join(folder, 'dist/app/browser'));
});
