// The example for Express: an app that is API and page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { install, uploadsByInput } from './app.mjs';
import { configure, withApp, withBucket } from './own-api.mjs';

test('Express', async () => {
  const folder = install('express');
  assert.ok(readFileSync('examples/express/server.js', 'utf8').trimEnd().split('\n').length <= 30);
  await withBucket(async (server, port) => {
    configure(folder, '.env', server);
    await withApp(folder, ['npm', 'start'], port, async (tab, log) => {
      await uploadsByInput(tab, server);
      assert.match(log.join(''), /^stored uploads\/[0-9a-f-]{36}\.bin: 20971520 bytes$/m);
    });
  });
});
