// The API of `directput/server` in workerd, the runtime of Cloudflare Workers, for the Rust tests of the API
// (`API_HOST`). The Worker has no Node modules. Ends with its standard input.
import { resolve } from 'node:path';
import { Log, LogLevel, Miniflare } from 'miniflare';

const root = resolve(import.meta.dirname, '../..');
const esModule = (path) => ({ type: 'ESModule', path: resolve(root, path) });

/** Names of the environment variables that the Worker gets. */
const SETTINGS = /^(ALLOWED|AWS|DOWNLOAD|HAS|MAX|S3|TOKEN|URL)_|^BUCKET$/;
const bindings = Object.fromEntries(Object.entries(process.env).filter(([name]) => SETTINGS.test(name)));

const runtime = new Miniflare({
  host: '127.0.0.1',
  port: 0,
  log: new Log(LogLevel.ERROR),
  compatibilityDate: '2026-04-01',
  modulesRoot: root,
  modules: [
    esModule('tests/server/worker.mjs'),
    esModule('tests/server/options.mjs'),
    esModule('pkg/server/workerd.js'),
    { type: 'CompiledWasm', path: resolve(root, 'pkg/server/glue_bg.wasm') },
  ],
  bindings,
});
const { origin } = await runtime.ready;
console.log(`ready api=${origin}/uploads`);
process.stdin.resume().on('end', async () => {
  await runtime.dispose();
  process.exit();
});
