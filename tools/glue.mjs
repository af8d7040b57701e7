// Removes the code that loads the module from wasm-bindgen's glue. The page compiles the module and passes it to the
// worker. The removed code refers to a file beside the glue, and bundlers would include this file a second time.
//
//   node tools/glue.mjs glue.js
import { readFileSync, writeFileSync } from 'node:fs';

const [glue] = process.argv.slice(2);
const [before, loading, ...rest] = readFileSync(glue, 'utf8').split(/^(?=async function __wbg_load\b)/m);
if (!loading?.includes('__wbg_finalize_init(') || rest.length > 0) throw new Error(`${glue} opens its module in another way`);
writeFileSync(
  glue,
  `${before}
let opening;
/** Opens the compiled module, once. */
export default function open({ module_or_path: module }) {
    opening ??= WebAssembly.instantiate(module, __wbg_get_imports()).then((instance) => __wbg_finalize_init(instance));
    opening.catch(() => { opening = undefined; });
    return opening;
}
`,
);
