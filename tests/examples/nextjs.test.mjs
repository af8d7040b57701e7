// The example for Next.js: its route handler is the API, and its form is sent to a server action.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { blocks } from '../docs/markdown.mjs';
import { run } from '../toolchains/harness.mjs';
import { install, uploadsByForm } from './app.mjs';
import { configure, withApp, withBucket } from './own-api.mjs';

const ADDRESS = ['--hostname', '127.0.0.1', '--port', '{port}'];
const ROUTE = 'app/uploads/[[...path]]/route.ts';

test('the route handler is the one of docs/nextjs.md, in 12 lines', () => {
  const route = readFileSync(`examples/nextjs/${ROUTE}`, 'utf8');
  assert.equal(blocks('docs/nextjs.md').find(({ before }) => before.includes(ROUTE)).text, route);
  assert.ok(route.trimEnd().split('\n').length <= 12);
});

test('Next.js', async (t) => {
  const folder = install('nextjs');
  await t.test('development server', async () => {
    await withBucket(async (server, port) => {
      configure(folder, '.env.local', server);
      await withApp(folder, ['npm', 'run', 'dev', '--', ...ADDRESS], port, (tab) => uploadsByForm(tab, server));
    });
  });

  await t.test('build', async () => {
    await withBucket(async (server, port) => {
      configure(folder, '.env.local', server);
      run(folder, 'npm', 'run', 'build');
      await withApp(folder, ['npm', 'run', 'start', '--', ...ADDRESS], port, (tab) => uploadsByForm(tab, server));
    });
  });
});
