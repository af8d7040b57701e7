// Reorders the functions of the Wasm module so that similar functions are neighbours. gzip compresses such a module
// better.
//
//   node tools/order.mjs module.wat module.wasm
//
// The second file is the assembled first file. The script compares the functions in the second file, and reorders the
// functions in the first file.
//
// Similarity is a heuristic. The script tries several parameters, and takes the order that zlib compresses best.
import { readFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';

const [textPath, modulePath] = process.argv.slice(2);
/** Lengths of the byte sequences that are compared. */
const GRAM_BYTES = [4, 5, 6];
/** Lengths of the preceding code with which a function is compared, in bytes. */
const WINDOW_BYTES = [1_000, 2_000, 4_000, 8_000, 16_000];
/**
 * Bytes that are added to the size of a function. Tiny functions are similar to all others, and would come first
 * without this addition.
 */
const SMALL = 8;

/** Splits the text into the head, the functions, and the tail. */
function split(text) {
  const start = text.indexOf('\n (func ') + 1;
  const end = text.lastIndexOf('\n )\n') + 4;
  if (start === 0) throw new Error(`${textPath} has no functions`);
  return [text.slice(0, start), text.slice(start, end).split(/(?<=^ \)\n)/m), text.slice(end)];
}

/**
 * Returns the bytes of each function in the module's code section (WebAssembly specification, "Binary Format",
 * "Modules").
 */
function bodies(module) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length) => module.subarray(at, (at += length));
  for (;;) {
    const section = module[at++];
    const length = number();
    if (section === 10) return Array.from({ length: number() }, () => take(number()));
    at += length;
  }
}

function gramsOf(bytes, length) {
  const grams = new Set();
  for (let at = 0; at + length <= bytes.length; at++) grams.add(bytes.toString('latin1', at, at + length));
  return grams;
}

/**
 * Returns an order of the functions. The largest function is first. Each next function is the one that shares most,
 * relative to its size, with the functions before it.
 */
function order(functions, gramBytes, windowBytes) {
  const grams = functions.map((bytes) => gramsOf(bytes, gramBytes));
  const users = new Map();
  for (const [index, own] of grams.entries()) {
    for (const gram of own) users.set(gram, [...(users.get(gram) ?? []), index]);
  }
  const left = new Set(functions.keys());
  const better = (score, index, best) =>
    score > best.score || (score === best.score && functions[index].length > functions[best.index].length);
  const chosen = [];
  let window = Buffer.alloc(0);
  while (left.size > 0) {
    const shared = new Map();
    for (const gram of gramsOf(window, gramBytes)) {
      for (const index of users.get(gram) ?? []) shared.set(index, (shared.get(index) ?? 0) + 1);
    }
    let best;
    for (const index of left) {
      const score = (shared.get(index) ?? 0) / Math.sqrt(SMALL + grams[index].size);
      if (best === undefined || better(score, index, best)) best = { score, index };
    }
    left.delete(best.index);
    chosen.push(best.index);
    window = Buffer.concat([window, functions[best.index]]).subarray(-windowBytes);
  }
  return chosen;
}

const [before, texts, after] = split(readFileSync(textPath, 'utf8'));
const functions = bodies(readFileSync(modulePath));
if (functions.length !== texts.length) {
  throw new Error(`${texts.length} functions in ${textPath}, ${functions.length} in ${modulePath}`);
}
const orders = GRAM_BYTES.flatMap((gram) => WINDOW_BYTES.map((window) => order(functions, gram, window)));
const weigh = (indices) => deflateRawSync(Buffer.concat(indices.map((index) => functions[index])), { level: 9 }).length;
const [best] = orders.map((indices) => ({ indices, bytes: weigh(indices) })).sort((one, other) => one.bytes - other.bytes);
writeFileSync(textPath, before + best.indices.map((index) => texts[index]).join('') + after);
