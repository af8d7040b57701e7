// The example for Hono in Cloudflare's runtime: `wrangler dev` runs it in workerd, by miniflare.
import { test } from 'node:test';
import { freePort } from '../e2e/server.mjs';
import { assertAccessible, install } from './app.mjs';
import { configure, uploadsByElement, withApp, withBucket } from './own-api.mjs';

test('Hono on Workers', async () => {
  const folder = install('hono-workers');
  await withBucket(async (server, port) => {
    configure(folder, '.dev.vars', server);
    const inspector = await freePort();
    const address = ['--ip', '127.0.0.1', '--port', '{port}', '--inspector-port', inspector.toString()];
    const env = { WRANGLER_SEND_METRICS: 'false' };
    const use = async (tab) => {
      await uploadsByElement(tab, server);
      await assertAccessible(tab);
    };
    await withApp(folder, ['npm', 'run', 'dev', '--', ...address], port, use, { env });
  });
});
