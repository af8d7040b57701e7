// Tests of the packed package. Each bundler or setup builds a page with it. The page uploads a file in Chromium under a
// strict Content Security Policy.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join, resolve } from 'node:path';
import { test } from 'node:test';
import { startServer } from '../e2e/server.mjs';
import { browser, bundle, HERE, OUT, PACKAGE, packed, page, run, tool, uploads } from './packed.mjs';

test('the package holds what it needs, and nothing else', () => {
  const files = JSON.parse(run('npm', 'pack', resolve('pkg'), '--json', '--dry-run'))[0].files.map(({ path }) => path);
  const odd = files.filter(
    (path) =>
      !/^(((element(\/locales)?|list|page|react|server|testing|uppy|vue|worker)\/)?[\w-]+\.(js|d\.ts|wasm|js\.map)|custom-elements\.json|LICENSE-\w+|README\.md|package\.json)$/.test(
        path,
      ),
  );
  assert.deepEqual(odd, []);
  for (const path of [
    'index.js',
    'worker.js',
    'bundled.js',
    'inlined.js',
    'element/jsx.d.ts',
    'directput_bg.wasm',
    'server/index.js',
    'server/workerd.js',
    'server/glue_bg.wasm',
    'server/index.d.ts',
    'index.d.ts',
    'README.md',
    'LICENSE-MIT',
  ]) {
    assert.ok(files.includes(path), path);
  }
});

test('publint and attw find nothing wrong with it', () => {
  tool('publint', 'run', packed, '--strict');
  // A Wasm module has no types.
  tool('attw', packed, '--profile', 'esm-only', '--exclude-entrypoints', 'directput_bg.wasm');
});

test('Vite', async () => {
  const folder = join(OUT, 'vite');
  tool('vite', 'build', HERE, '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn');
  await uploads('vite', folder);
});

test('webpack', async () => {
  const folder = page('webpack');
  tool(
    'webpack',
    '--mode',
    'production',
    '--entry',
    './app.js',
    '--output-path',
    folder,
    '--output-filename',
    'app.js',
  );
  await uploads('webpack', folder);
});

test('esbuild, with the two other files copied beside', async () => {
  const folder = page('esbuild');
  bundle('app.js', folder);
  await uploads('esbuild', folder);
});

test('no bundler, by its address', async () => {
  const folder = page('plain');
  cpSync(PACKAGE, join(folder, 'directput'), { recursive: true });
  const script = readFileSync(join(HERE, 'app.js'), 'utf8').replace("'directput'", "'./directput/index.js'");
  writeFileSync(join(folder, 'app.js'), script);
  await uploads('plain', folder);
});

test('no bundler, by an import map', async () => {
  const imports = { directput: '/directput/index.js', 'directput/': '/directput/' };
  const html = `<!doctype html><title>map</title><script type="importmap">${JSON.stringify({ imports })}</script>
    <script type="module">
      import { Uploader } from 'directput';
      import { UploadList } from 'directput/list/index.js';
      globalThis.loaded = [typeof Uploader, typeof UploadList];
      globalThis.Uploader = Uploader;
    </script>`;
  const types = { js: 'text/javascript', wasm: 'application/wasm' };
  // This site has no policy: `script-src 'self'` blocks import maps, because they must be inline.
  const site = createServer(({ url }, response) => {
    const isFile = url.startsWith('/directput/');
    response.setHeader('content-type', isFile ? types[url.split('.').pop()] : 'text/html');
    response.end(isFile ? readFileSync(join(PACKAGE, url.slice('/directput/'.length))) : html);
  });
  await once(site.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${site.address().port}`;
  const api = await startServer({ data: join(OUT, 'map-data'), args: ['--allow-origin', origin] });
  const tab = await browser.newPage();
  await tab.goto(origin);
  await tab.waitForFunction(() => globalThis.loaded);
  const seen = await tab.evaluate(async (endpoint) => {
    const uploader = new globalThis.Uploader({ endpoint });
    const { size } = await uploader.upload(new Blob([new Uint8Array(20 << 20)]));
    return [...globalThis.loaded, size, await uploader.runsInWorker()];
  }, `${api.page}/uploads`);
  assert.deepEqual(seen, ['function', 'function', 20 << 20, true]);
  await tab.close();
  await api.stop();
  site.close();
});

test('another origin, such as that of a CDN', async () => {
  const types = { js: 'text/javascript', wasm: 'application/wasm' };
  const cdn = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('content-type', types[request.url.split('.').pop()]);
    response.end(readFileSync(join(PACKAGE, basename(request.url))));
  });
  const own = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>a page</p>'));
  for (const server of [cdn, own]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const [from, origin] = [cdn, own].map((server) => `http://127.0.0.1:${server.address().port}`);
  const api = await startServer({ data: join(OUT, 'cdn-data'), args: ['--allow-origin', origin] });
  const tab = await browser.newPage();
  await tab.goto(origin);
  const seen = await tab.evaluate(
    async ([from, endpoint]) => {
      const { Uploader, init } = await import(`${from}/index.js`);
      const upload = async () => {
        const uploader = new Uploader({ endpoint });
        const { size } = await uploader.upload(new Blob(['bytes']));
        return [size, await uploader.runsInWorker()];
      };
      const beside = await upload();
      init({ workerUrl: `${from}/worker.js`, wasmUrl: new URL(`${from}/directput_bg.wasm`) });
      return [beside, await upload()];
    },
    [from, `${api.page}/uploads`],
  );
  assert.deepEqual(seen, [
    [5, true],
    [5, true],
  ]);
  await tab.close();
  await api.stop();
  for (const server of [cdn, own]) server.close();
});

test('a server can import what stands around it, and render components that upload to a path', () => {
  const script = `
    import { createElement } from 'react';
    import { renderToString } from 'react-dom/server';
    import { createSSRApp, h } from 'vue';
    import { renderToString as renderVue } from 'vue/server-renderer';
    import { Uploader } from 'directput';
    import { DirectPut } from 'directput/element';
    import { UploadList } from 'directput/list';
    import { useUpload } from 'directput/react';
    import { useUpload as useInVue } from 'directput/vue';
    import Plugin from 'directput/uppy';
    const options = { endpoint: '/uploads' };
    function App() {
      const { items, add, uploader } = useUpload(options);
      return createElement('p', {}, [items.length, typeof add, uploader instanceof Uploader].join(' '));
    }
    const InVue = {
      async setup() {
        const { items, list } = useInVue(options);
        const kept = await list.uploader.listResumable();
        return () => h('p', [items.value.length, kept.length, list.uploader instanceof Uploader].join(' '));
      },
    };
    console.log(renderToString(createElement(App)), await renderVue(createSSRApp(InVue)));
    console.log(new UploadList(options).uploader instanceof Uploader, typeof DirectPut, typeof Plugin);`;
  assert.deepEqual(run('node', '--input-type=module', '--eval', script).trim().split('\n'), [
    '<p>0 function true</p> <p>0 0 true</p>',
    'true function function',
  ]);
});

test('a list whose uploader can not be made says so, and has no item', () => {
  const script = `
    import { UploadList } from 'directput/list';
    const list = new UploadList({ endpoint: '' });
    let code;
    try {
      list.add([new Blob(['x'])]);
    } catch (error) {
      code = error.code;
    }
    await undefined;
    await undefined;
    console.log(code, list.items.length);`;
  assert.equal(run('node', '--input-type=module', '--eval', script).trim(), 'invalid-option 0');
});

test('a server can import it and render a page with it', () => {
  const script = `
    import { Uploader, UploadError, init } from 'directput';
    init({});
    const uploader = new Uploader({ endpoint: '/uploads' });
    for (const ends of [uploader.upload(new Blob(['x'])), uploader.resume('x'), uploader.resume('x', new Blob(['x']))]) {
      const error = await ends.catch((error) => error);
      console.log(error instanceof UploadError, error.code);
    }
    console.log((await uploader.listResumable()).length, await uploader.forget('x'), await uploader.runsInWorker());
    await uploader.close();`;
  const refused = 'true unsupported-environment';
  assert.deepEqual(run('node', '--input-type=module', '--eval', script).trim().split('\n'), [
    refused,
    refused,
    refused,
    '0 undefined false',
  ]);
});

const STRICT = [
  '--ignoreConfig',
  '--strict',
  '--exactOptionalPropertyTypes',
  '--noUncheckedIndexedAccess',
  '--noEmit',
  '--target',
  'es2022',
  '--lib',
  'es2022,dom',
];
const MODULES = [
  ['--module', 'nodenext', '--moduleResolution', 'nodenext'],
  ['--module', 'esnext', '--moduleResolution', 'bundler'],
];

const FILES = ['strict.ts', 'strict.tsx', 'types.ts', 'types.tsx'];

test('TypeScript at its strictest', () => {
  for (const how of MODULES) tool('tsc', ...STRICT, ...how, '--jsx', 'react-jsx', ...FILES);
});

test('TypeScript at its strictest, where no framework is installed', () => {
  const folder = join(OUT, 'bare');
  cpSync(PACKAGE, join(folder, 'node_modules/directput'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(folder, 'bare.ts'),
    `import { Uploader } from 'directput/bundled';
    import type { DirectPutAttributes } from 'directput/element';
    export const uploader = new Uploader({ endpoint: '/uploads' });
    export const attributes: DirectPutAttributes = { endpoint: '/uploads', 'max-files': 3 };
    // @ts-expect-error The address is a text.
    export const wrong: DirectPutAttributes = { endpoint: 3 };`,
  );
  for (const how of MODULES) tool('tsc', ...STRICT, ...how, '--types', '', join(folder, 'bare.ts'));
});
