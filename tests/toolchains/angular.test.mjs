// Angular with the uploader and the element: development server, and builds served by a plain file server.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { install, run, serves, servesFiles } from './harness.mjs';

/** Angular does not copy a package's files, so the request for the Wasm module fails with 404. */
const tolerated = /404 .*\/directput_bg\.wasm$/;

test('Angular, development server', async () => {
  await serves(install('angular'), ['ng', 'serve', '--host', '127.0.0.1', '--port', '{port}'], {
    inlined: true,
    tolerated,
  });
});

test('Angular, build', async () => {
  const folder = install('angular');
  run(folder, 'ng', 'build', '--progress', 'false');
  await servesFiles(join(folder, 'dist/app/browser'), { inlined: true, tolerated });
});

test('Angular, build with directput/bundled, which asks for no file', async () => {
  const folder = install('angular');
  const main = join(folder, 'src/main.ts');
  writeFileSync(main, readFileSync(main, 'utf8').replace("from 'directput';", "from 'directput/bundled';"));
  run(folder, 'ng', 'build', '--progress', 'false');
  await servesFiles(join(folder, 'dist/app/browser'), { inlined: true });
});
