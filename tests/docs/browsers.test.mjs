// Checks the oldest browsers in docs/browsers.md against MDN's compatibility data for each feature that the package
// needs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const DATA = createRequire(import.meta.url)('@mdn/browser-compat-data');
const BROWSERS = ['chrome', 'firefox', 'safari'];

/** Key of a feature in MDN's data, a file of the package, and a text that the file contains if it uses the feature. */
const NEEDED = [
  ['webassembly.fixed-width-SIMD', 'directput_bg.wasm', 'v128'],
  ['webassembly.reference-types', 'directput_bg.wasm', 'externref'],
  ['webassembly.bulk-memory-operations', 'directput_bg.wasm', 'memory.copy'],
  ['webassembly.non-trapping-float-to-int-conversions', 'directput_bg.wasm', 'trunc_sat'],
  // Chromium 103 to 123 reject with another type of error. The module does not depend on the type.
  ['api.AbortSignal.timeout_static', 'worker.js', 'AbortSignal.timeout'],
  ['javascript.builtins.Array.at', 'index.js', '.at('],
  ['javascript.builtins.Promise.any', 'index.js', 'Promise.any'],
  ['javascript.classes.private_class_fields', 'index.js', /this\.#|#\w+=/],
  ['webassembly.api.compileStreaming_static', 'index.js', 'compileStreaming'],
];
const WORKER = [['api.Worker.Worker.options_type_parameter', 'index.js', 'type:"module"']];
const INLINED = [['api.DecompressionStream.DecompressionStream', 'inlined.js', 'DecompressionStream']];
const ELEMENT = [
  ['api.CSSStyleSheet.CSSStyleSheet', 'element/index.js', 'new CSSStyleSheet'],
  ['api.Document.adoptedStyleSheets', 'element/index.js', 'adoptedStyleSheets'],
  ['api.Document.adoptedStyleSheets.mutable', 'element/index.js', 'adoptedStyleSheets.push'],
  ['javascript.builtins.Object.hasOwn', 'element/index.js', 'Object.hasOwn'],
  ['api.Element.replaceChildren', 'element/index.js', 'replaceChildren'],
];
const COLOURS = [
  ['css.types.color.light-dark', 'element/index.js', 'light-dark('],
  ['css.types.color.color-mix', 'element/index.js', 'color-mix('],
];

/** The features for each row of the table, by the start of the row. */
const ROWS = {
  'uploads |': [...NEEDED, ...WORKER],
  'uploads, hashed in the page': NEEDED,
  '`directput/bundled`': [...NEEDED, ...WORKER, ...INLINED],
  '`<direct-put>` |': [...NEEDED, ...WORKER, ...ELEMENT],
  '`<direct-put>` in its own': [...NEEDED, ...WORKER, ...ELEMENT, ...COLOURS],
};

/** Returns the first version of a browser that has a feature. */
function first(key, browser) {
  const feature = key.split('.').reduce((node, name) => node?.[name], DATA);
  assert.ok(feature?.__compat, `MDN has no ${key}`);
  const own = [feature.__compat.support[browser]].flat();
  const versions = own.filter(({ version_added: added, flags, prefix }) => added && !flags && !prefix);
  assert.ok(versions.length > 0, `${browser} has no ${key}`);
  return Math.min(...versions.map(({ version_added: added }) => Number(added)));
}

test('the oldest browsers are those that have every feature of the package', () => {
  const text = readFileSync('docs/browsers.md', 'utf8');
  for (const [begin, features] of Object.entries(ROWS)) {
    const row = text.split('\n').find((line) => line.startsWith(`| ${begin}`));
    assert.ok(row, `docs/browsers.md has no row ${begin}`);
    const said = row.split('|').slice(2, 5).map(Number);
    const needed = BROWSERS.map((browser) => Math.max(...features.map(([key]) => first(key, browser))));
    assert.deepEqual(said, needed, row);
  }
});

test('the package uses each of these features', async () => {
  const { default: binaryen } = await import('binaryen');
  const wasm = binaryen.readBinary(readFileSync('pkg/directput_bg.wasm'));
  const texts = { 'directput_bg.wasm': wasm.emitText() };
  for (const [key, file, shows] of [...new Set(Object.values(ROWS).flat())]) {
    texts[file] ??= readFileSync(`pkg/${file}`, 'utf8');
    const isThere = typeof shows === 'string' ? texts[file].includes(shows) : shows.test(texts[file]);
    assert.ok(isThere, `pkg/${file} no longer needs ${key}`);
  }
});
