// Shortens the names of imports and exports in the Wasm module and its glue. Both files contain these names, and
// wasm-bindgen's names end in hashes, which do not compress.
//
//   node tools/names.mjs module.wat glue.js
import { readFileSync, writeFileSync } from 'node:fs';

const [module, glue] = process.argv.slice(2);
const importsFrom = '"./directput_bg.js"';
const text = readFileSync(module, 'utf8');
const generated = /"(__wb\w+|__externref\w+|wasm_bindgen_\w+)"/g;
const names = new Set(Array.from(text.matchAll(generated), ([, name]) => name));
if (names.size === 0) throw new Error(`${module} has no names of wasm-bindgen`);
const short = new Map([...names].map((name, index) => [name, `$${index.toString(36)}`]));
writeFileSync(
  module,
  text.replace(generated, (_, name) => `"${short.get(name)}"`).replaceAll(importsFrom, '"_"'),
);
writeFileSync(
  glue,
  readFileSync(glue, 'utf8')
    .replace(/\b(?:__|wasm_bindgen_)\w+/g, (name) => short.get(name) ?? name)
    .replaceAll(importsFrom, '"_"'),
);
