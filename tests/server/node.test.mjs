// `toNodeHandler`, and what a browser's bundle gets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { build } from 'esbuild';
import { createUploads, toNodeHandler } from '../../pkg/server/index.js';
import { LARGE, OPTIONS, SMALL } from './fake-s3.mjs';

/** Serves until the test ends. Returns the address. */
async function serve(t, handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

const post = (url, body) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

test('Node’s server answers with status, headers and body', async (t) => {
  const address = await serve(t, toNodeHandler(createUploads(OPTIONS)));
  const reply = await post(`${address}/api/uploads`, SMALL);
  assert.deepEqual([reply.status, reply.headers.get('content-type')], [201, 'application/json']);
  const { token } = await reply.json();
  const abort = await fetch(`${address}/api/uploads`, { method: 'DELETE', headers: { 'upload-token': token } });
  assert.deepEqual([abort.status, await abort.text()], [204, '']);
  const head = await fetch(`${address}/api/uploads/parts`, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('content-type')], [401, 'application/problem+json']);
});

test('a body that a parser has read, and a URL that a mount has shortened', async (t) => {
  const uploads = toNodeHandler(createUploads(OPTIONS));
  const address = await serve(t, async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    // Express does the same: `express.json()` sets `body`, and a mounted handler sees the rest of the path as `url`.
    const mounted = Object.assign(request, {
      originalUrl: request.url,
      url: '/',
      body: JSON.parse(Buffer.concat(chunks)),
    });
    await uploads(mounted, response);
  });
  const reply = await post(`${address}/api/uploads`, SMALL);
  assert.equal(reply.status, 201, await reply.text());
  const refused = await post(`${address}/api/uploads`, { ...LARGE, size: -1 });
  assert.equal((await refused.json()).field, 'size');
});

test('a page’s bundle refuses to run it', async () => {
  const { exports } = JSON.parse(readFileSync('pkg/package.json', 'utf8'));
  // The first condition that a bundler for pages has.
  const [, path] = Object.entries(exports['./server']).find(([name]) => ['browser', 'default'].includes(name));
  const contents = `import { createUploads } from './${path}'; createUploads({});`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: 'pkg' },
    bundle: true,
    format: 'esm',
    write: false,
  });
  const [{ text }] = outputFiles;
  assert.ok(text.length < 2_000, 'the module is not part of the bundle');
  await assert.rejects(import(`data:text/javascript,${encodeURIComponent(text)}`), /must not be part of a page/);
});
