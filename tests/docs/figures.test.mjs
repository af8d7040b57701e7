// Checks the figures in the documents against the code, the package and the benchmark.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const read = (path) => readFileSync(path, 'utf8');

/** Evaluates the expression of a Rust constant: numbers, products, shifts and names of other constants. */
function value(text, path) {
  const source = text.replaceAll('_', '').replace(/ as u64/g, '');
  if (/^[\d.]+$/.test(source)) return Number(source);
  const split = (operator) => source.split(operator).map((term) => value(term.trim(), path));
  if (source.includes('*')) return split('*').reduce((one, other) => one * other);
  if (source.includes('<<')) return split('<<').reduce((one, other) => one * 2 ** other);
  const [, from] = /^Duration::from(?:secs|millis)\((.*)\)$/.exec(source) ?? [];
  if (from) return value(from, path);
  return constant(path, text.trim());
}

/** Returns the value of a constant in a Rust file. */
function constant(path, name) {
  const [, text] =
    new RegExp(`const ${name}: [^=]+ = ([^;]+);`).exec(read(path)) ?? assert.fail(`${path} has no ${name}`);
  return value(text, path);
}

/**
 * Figures in the documents: the document, a pattern that finds the figure, the constant's file and name, and the number
 * of the constant's units in one unit of the figure.
 */
const CONSTANTS = [
  ['docs/reliability.md', /begins at ([\d.]+) s and doubles/, 'src/engine/retry.rs', 'FIRST_WINDOW_MS', 1_000],
  ['docs/reliability.md', /doubles to (\d+) s/, 'src/engine/retry.rs', 'LAST_WINDOW_MS', 1_000],
  ['docs/reliability.md', /worked, (\d+) failures in a row/, 'src/engine/retry.rs', 'UNPROVEN_BUDGET'],
  ['docs/reliability.md', /server errors: (\d+) in a row/, 'src/engine/retry.rs', 'ANSWERED_BUDGET'],
  ['docs/reliability.md', /or (\d+) more bursts/, 'src/engine/retry.rs', 'UPLOAD_BUDGET'],
  ['docs/reliability.md', /by refusals: (\d+) of one part/, 'src/engine/retry.rs', 'REFUSED_BUDGET'],
  ['docs/reliability.md', /worked for (\d+) minutes/, 'src/engine/retry.rs', 'PATIENCE_MS', 60_000],
  ['docs/reliability.md', /\*\*Parts at once\*\*: (\d+) at first/, 'src/engine/congestion.rs', 'FIRST_LIMIT'],
  [
    'docs/reliability.md',
    /at least (\d+) % faster/,
    'src/engine/congestion.rs',
    'GAIN',
    (gain) => Math.round((gain - 1) * 100),
  ],
  [
    'docs/decisions/parts-at-once.md',
    /congestion.rs`: (\d+) parts at first/,
    'src/engine/congestion.rs',
    'FIRST_LIMIT',
  ],
  ['docs/reliability.md', /sent in (\d+) s at the measured speed/, 'src/engine/stage/sending.rs', 'HASH_AHEAD_SECONDS'],
  ['docs/reliability.md', /but by (\d+) parts for each PUT at least/, 'src/engine/stage/sending.rs', 'HASH_AHEAD'],
  ['docs/reliability.md', /link of (\d+) kbit\/s needs/, 'src/engine/stall_limit.rs', 'FLOOR_BYTES_PER_SECOND', 125],
  ['docs/reliability.md', /`stallSeconds` \((\d+)\)/, 'src/engine/config.rs', 'DEFAULT_STALL_SECONDS'],
  ['docs/reliability.md', /count half after\n(\d+) s/, 'src/engine/meter.rs', 'MEMORY_MS', 1_000],
  [
    'docs/reliability.md',
    /The engine waits for these, (\d+) s at most/,
    'src/engine/stage/cancel.rs',
    'CANCEL_MS',
    1_000,
  ],
  ['docs/reliability.md', /probe is sent every (\d+) s/, 'src/engine/holds.rs', 'PROBE_EVERY_MS', 1_000],
  ['docs/reliability.md', /returns nothing for (\d+) s/, 'src/browser/credentials.rs', 'HEADERS_MS', 1_000],
  ['docs/reliability.md', /once more ([\d.]+) s later/, 'src/engine/retry.rs', 'READ_AGAIN_MS', 1_000],
  ['docs/reliability.md', /reading takes longer than (\d+) minutes/, 'src/browser/read.rs', 'READ_MS', 60_000],
  ['docs/reliability.md', /Nothing is kept of files up to (\d+) MiB/, 'src/plan.rs', 'SINGLE_PUT_BYTES', 2 ** 20],
  ['docs/decisions/part-sizes.md', /at most (\d+) MiB is one PUT/, 'src/plan.rs', 'SINGLE_PUT_BYTES', 2 ** 20],
  ['docs/decisions/part-sizes.md', /has parts of (\d+) MiB/, 'src/plan.rs', 'DEFAULT_PART_BYTES', 2 ** 20],
  ['docs/architecture.md', /file of at most (\d+) MiB whole/, 'src/plan.rs', 'SINGLE_PUT_BYTES', 2 ** 20],
  ['docs/architecture.md', /parts of up to (\d+) MiB/, 'src/browser/hash.rs', 'MAX_WHOLE_BYTES', 2 ** 20],
  ['docs/protocol.md', /file of at most (\d+) MiB/, 'src/plan.rs', 'SINGLE_PUT_BYTES', 2 ** 20],
  ['docs/migrating.md', /above (\d+) MiB/, 'src/plan.rs', 'SINGLE_PUT_BYTES', 2 ** 20],
  ['docs/testing.md', /more than (\d+) MiB/, 'src/plan.rs', 'SINGLE_PUT_BYTES', 2 ** 20],
  ['docs/options.md', /files of up to (\d+) MiB/, 'src/plan.rs', 'SINGLE_PUT_BYTES', 2 ** 20],
  ['docs/tuning.md', /size of parts: (\d+) MiB/, 'src/plan.rs', 'DEFAULT_PART_BYTES', 2 ** 20],
  // Larger files would need more than 10,000 parts of the default size. S3 allows at most 10,000 parts.
  [
    'docs/tuning.md',
    /up to (\d+) GiB/,
    'src/plan.rs',
    'DEFAULT_PART_BYTES',
    (bytes) => Math.floor((bytes * 10_000) / 2 ** 30),
  ],
  [
    'docs/decisions/part-sizes.md',
    /Above (\d+) GiB/,
    'src/plan.rs',
    'DEFAULT_PART_BYTES',
    (bytes) => Math.floor((bytes * 10_000) / 2 ** 30),
  ],
  ['docs/backend.md', /(three) times the time that the part/, 'lambda/src/lifetime.rs', 'MARGIN'],
  ['docs/backend.md', /PUTs: (\d+) minutes/, 'lambda/src/lifetime.rs', 'PATIENCE_SECONDS', 60],
  ['docs/backend.md', /take at (\d+) kbit\/s/, 'lambda/src/lifetime.rs', 'SLOWEST_BYTES_PER_SECOND', 125],
  ['docs/backend.md', /never more than (\d+)/, 'lambda/src/config.rs', 'MAX_URL_SECONDS'],
  ['docs/decisions/tokens.md', /valid for (\d+) minutes/, 'lambda/src/lifetime.rs', 'PATIENCE_SECONDS', 60],
  ['docs/protocol.md', /there after (\d+) s/, 'lambda/src/storage.rs', 'CALL_TIMEOUT'],
  ['docs/security.md', /within (\d+) s is answered by 503/, 'lambda/src/storage.rs', 'CALL_TIMEOUT'],
  ['docs/security.md', /function takes (\d+) KiB/, 'lambda/src/api.rs', 'MAX_BODY_BYTES', 1_024],
  ['docs/security.md', /KiB, (\d+) MiB to complete/, 'lambda/src/api.rs', 'MAX_COMPLETE_BODY_BYTES', 2 ** 20],
];

test('a figure that is a constant of the code is that constant', () => {
  for (const [document, pattern, path, name, unit = 1] of CONSTANTS) {
    const match = pattern.exec(read(document)) ?? assert.fail(`${document} lacks ${pattern}`);
    const [, said] = match;
    const is = constant(path, name);
    const expected = typeof unit === 'function' ? unit(is) : is / unit;
    assert.equal(said === 'three' ? 3 : Number(said), expected, `${document} (${pattern}) and ${name} of ${path}`);
  }
});

test('ranges and defaults of options are the same in the table, in Rust and in TypeScript', () => {
  const config = read('src/engine/config.rs');
  const checks = read('npm/page/options.ts');
  const table = read('docs/options.md');
  for (const [option, range, byDefault] of [
    ['partsInFlight', 'PARTS_IN_FLIGHT', 'DEFAULT_PARTS_IN_FLIGHT'],
    ['stallSeconds', 'STALL_SECONDS', 'DEFAULT_STALL_SECONDS'],
  ]) {
    const [, least, most] = new RegExp(`const ${range}: [^=]+ = (\\d+)..=(\\d+);`).exec(config);
    const row = `| \`${option}\` | ${least} to ${most} | ${constant('src/engine/config.rs', byDefault)} |`;
    assert.ok(table.includes(row), `docs/options.md lacks: ${row}`);
    const check = `checkNumber('${option}', ${option}, ${least}, ${most})`;
    assert.ok(checks.includes(check), `npm/page/options.ts lacks: ${check}`);
  }
});

test("names that options take are the types', and so is their order", () => {
  const types = read('npm/types.ts');
  const checks = read('npm/page/options.ts');
  const table = read('docs/options.md');
  for (const [option, type, names] of [
    ['network', 'NetworkHint', 'NETWORKS'],
    ['checksum', 'ChecksumAlgorithm', 'CHECKSUMS'],
  ]) {
    const quoted = (pattern, text) => [...pattern.exec(text)[1].matchAll(/['`]([\w-]+)['`]/g)].map(([, name]) => name);
    const checked = quoted(new RegExp(`const ${names}: [^=]+ = \\[([^\\]]+)\\]`), checks);
    assert.deepEqual(quoted(new RegExp(`type ${type} =([^;]+);`), types).sort(), [...checked].sort(), type);
    assert.deepEqual(quoted(new RegExp(`^\\| \`${option}\` \\|([^|]+)\\|`, 'm'), table), checked, option);
  }
});

test('the sizes in the documents are those of the package and of its budgets', () => {
  const build = read('tools/package.sh');
  const budget = (name) => Number(new RegExp(`(?:^|[ \\n])${name}[=:](\\d+)`).exec(build)[1]) / 1_000;
  const architecture = read('docs/architecture.md');
  const [, module, all] = /([\d.]+) kB for the Wasm module and wasm-bindgen's glue,\n([\d.]+) kB/.exec(architecture);
  assert.deepEqual([Number(module), Number(all)], [budget('MODULE_BUDGET_BYTES'), budget('BUDGET_BYTES')]);

  const zipped = (file) => gzipSync(readFileSync(`pkg/${file}`), { level: 9 }).length / 1_000;
  const toolchains = read('docs/toolchains.md');
  for (const file of ['index.js', 'worker.js', 'directput_bg.wasm', 'inlined.js']) {
    const [, said] = new RegExp(`^\\| \`${file}\` \\| (\\d+) kB`, 'm').exec(toolchains);
    // Tolerates a difference of 1 kB.
    assert.ok(
      Math.abs(Number(said) - zipped(file)) <= 1,
      `${file} has ${zipped(file)} kB, docs/toolchains.md says ${said}`,
    );
  }
  const sum = (...files) => files.reduce((kilobytes, file) => kilobytes + zipped(file), 0);
  const [, bundled, apart] = /loads (\d+) kB then, against (\d+) kB/.exec(toolchains);
  assert.ok(Math.abs(Number(bundled) - sum('index.js', 'bundled.js', 'inlined.js')) <= 1.5, `bundled: ${bundled} kB`);
  assert.ok(Math.abs(Number(apart) - sum('index.js', 'worker.js', 'directput_bg.wasm')) <= 1.5, `files: ${apart} kB`);

  const [, element, english] = /`element\/index.js` has (\d+) kB.*`element\/locales\/en.js` (\d+\.\d+)/s.exec(
    read('docs/element.md'),
  );
  assert.equal(Number(element), budget('element'));
  assert.ok(Math.abs(Number(english) - zipped('element/locales/en.js')) <= 0.1, `${english} kB for en.js`);
});

test('the figures of the last bench are those of its tables', () => {
  const bench = read('bench/README.md');
  const results = bench.split('<!-- results -->')[1];
  const calls = (scenario, contestant) => {
    const row = results
      .split(`### ${scenario}\n`)[1]
      .split('\n')
      .find((line) => line.startsWith(`| ${contestant} |`));
    return row.split('|').at(-2).trim();
  };
  const said = [
    calls('256MiB', 'directput-sha256'),
    calls('2GiB', 'directput-sha256'),
    calls('1Gbit-20ms', 'directput-sha256'),
    calls('100Mbit-50ms', 'directput-sha256'),
  ];
  const goal = `| ${said[0]} for 32 parts, ${said[1]} for 256; ${said[2]} for 128 on 1 Gbit/s; ${said[3]} for 16 on 100 Mbit/s |`;
  assert.ok(bench.includes(goal), goal);
  const bill = `${said[0]} calls for 32 parts at full speed`;
  assert.ok(read('docs/tuning.md').includes(bill), bill);
  const [, zip] = /the function, zipped \(this machine's processor\) \| ([\d,]+) bytes/.exec(results);
  assert.match(bench, new RegExp(`\\| ${(Number(zip.replaceAll(',', '')) / 1e6).toFixed(2)} MB for x86-64`));
});

test("the function's size in the documents is within what its test allows", () => {
  const [path] = execFileSync('git', ['ls-files', '*/function_test.py'], { encoding: 'utf8' }).trim().split('\n');
  const [, most] = /MAX_ZIP_BYTES = ([\d_]+)/.exec(read(path));
  const [, size, limit] = /([\d.]+) MB zipped of at most ([\d.]+)/.exec(read('docs/deployment.md'));
  assert.equal(Number(limit), Number(most.replaceAll('_', '')) / 1e6);
  assert.ok(Number(size) <= Number(limit));
});

test('messages that npm/errors.ts writes by itself are those of docs/errors.md, and so is what may be retried', () => {
  const source = read('npm/errors.ts');
  const rows = [...read('docs/errors.md').matchAll(/^\| `([\w-]+)` \| \S+ \| (yes|no) \| (.*) \|$/gm)];
  const errors = new Map(rows.map(([, code, retry, title]) => [code, { retry, title }]));
  const [, words] = /const WORDS[^{]*(?:{[^}]*}[^{]*)?{\n([\s\S]*?)\n};/.exec(source);
  const pairs = [...words.matchAll(/^ {2}'?([\w-]+)'?: (['"])(.*)\2,$/gm)];
  assert.equal(pairs.length, words.split('\n').length);
  for (const [, code, , title] of pairs) assert.equal(title, errors.get(code)?.title, code);
  // Every code in WORDS that may be retried must be in RETRYABLE.
  const [, list] = /const RETRYABLE[^=]*= \[([^\]]*)\]/.exec(source);
  const retryable = [...list.matchAll(/'([\w-]+)'/g)].map(([, code]) => code);
  for (const [, code] of pairs)
    assert.equal(retryable.includes(code), errors.get(code).retry === 'yes', `${code} in RETRYABLE of npm/errors.ts`);
  for (const code of retryable) assert.equal(errors.get(code)?.retry, 'yes', code);
});
