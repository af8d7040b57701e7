// Serves a page with `<direct-put>` whose uploads send nothing, for pictures.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
<meta name="color-scheme" content="light dark">
<style>
  body { margin: 0; padding: 16px; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#fff, #14171a); }
</style>
<direct-put endpoint="/uploads" multiple></direct-put>
<script type="module">
  import { FakeUploader } from '/testing/index.js';
  import '/element/index.js';
  const put = document.querySelector('direct-put');
  const uploader = new FakeUploader();
  put.uploader = uploader;
  globalThis.put = put;
  globalThis.wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  globalThis.add = async (...files) => {
    const fileOf = ([name, size, type = '']) =>
      Object.defineProperty(new File(['x'], name, { type }), 'size', { value: size });
    put.add(files.map(fileOf));
    await wait(300);
    return uploader.uploads;
  };
  const sending = { phase: 'upload', bytesPerSecond: 12_300_000, secondsLeft: 8, held: null };
  globalThis.at = (sentBytes, more) => ({ ...sending, sentBytes, hashedBytes: sentBytes, ...more });
  document.body.dataset.state = 'ready';
</script>`;

/** Starts a server of the page on a free port. It has `put`, `wait(ms)`, `add(…files)` and `at(sentBytes, more)`. */
export async function servePage() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    response.setHeader('content-type', TYPES[extname(pathname)] ?? 'text/html');
    response.end(pathname === '/' ? PAGE : readFileSync(join('pkg', pathname)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
