// The element's types in the TSX of frameworks that have no app in this folder, the element's types in templates, and
// the component in React 18.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { install, run, servesFiles } from './harness.mjs';

const STRICT = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler'];

for (const [name, flags] of Object.entries({
  Solid: ['--jsx', 'preserve', '--jsxImportSource', 'solid-js', 'element.tsx'],
  Preact: ['--jsx', 'react-jsx', '--jsxImportSource', 'preact', 'element.tsx'],
  'React 18': ['--jsx', 'react-jsx', 'element.tsx', 'page.tsx'],
})) {
  test(`TSX of ${name}`, () => {
    run(install('jsx'), 'tsc', ...STRICT, '--skipLibCheck', ...flags);
  });
}

test('a template of Vue', () => {
  run(install('jsx'), 'vue-tsc', '--project', 'tsconfig.vue.json');
});

test('a template of Svelte', () => {
  run(install('jsx'), 'svelte-check', '--tsconfig', './tsconfig.svelte.json', '--fail-on-warnings');
});

test('the component in React 18', async () => {
  const folder = install('jsx');
  run(folder, 'vite', 'build', '--logLevel', 'warn');
  await servesFiles(join(folder, 'dist'), {
    more: async (tab) => {
      const put = tab.locator('direct-put.papers');
      const [, key, value, ...more] = (await tab.locator('#off').textContent()).split(',');
      assert.deepEqual([key, value, more], [await put.evaluate(({ value }) => value), key, []]);
      // React 18 alone would render `false` as text, and an attribute with any text counts as true.
      const flags = () => put.evaluate(({ multiple, folders, disabled }) => [multiple, folders, disabled]);
      assert.deepEqual(await flags(), [true, false, false]);
      for (const isOff of [true, false]) {
        await tab.locator('#off').click();
        assert.deepEqual(await flags(), [true, false, isOff]);
      }
      assert.equal(await put.evaluate(({ options }) => options.caller), 'somebody');
    },
  });
});

test('the component on a server of React 18, which has nothing to say about it', () => {
  const script = `
    import { createElement } from 'react';
    import { renderToString } from 'react-dom/server';
    import { DirectPut } from 'directput/react';
    console.error = (text) => console.log('error', text);
    console.log(renderToString(createElement(DirectPut, {
      endpoint: '/uploads', className: 'papers', required: false, maxFiles: 3, autostart: false, onStored() {}, options: {},
    })));`;
  assert.equal(
    run(install('jsx'), 'node', '--input-type=module', '--eval', script).trim(),
    '<direct-put endpoint="/uploads" class="papers" max-files="3" autostart="false"></direct-put>',
  );
});
