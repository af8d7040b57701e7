// Changes the code in every way that cargo-mutants knows, one at a time, and runs the tests: `make mutants`. Fails if no
// test notices a change that `.cargo/mutants.toml` does not list, or if an entry of that list fits no change.
//
// Arguments go to `cargo mutants`. FILES: globs of the files to change; all by default.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Tests that have to notice changes of files: few, since all that are named are built again for each change. */
const GROUPS = [
  { name: 'plan', files: /^src\/plan\.rs/, tests: ['--test=plan'] },
  { name: 'clock', files: /^src\/clock\.rs/, tests: ['--lib'] },
  { name: 'checksum', files: /^src\/checksum\//, tests: ['--test=checksum'] },
  { name: 'protocol', files: /^src\/protocol\//, tests: ['--lib', '--test=protocol'] },
  { name: 'rules', files: /^lambda\/src\/(allowed_types|config|download|keyring|lifetime|object_key)\.rs/, tests: ['--lib'] },
  { name: 'token', files: /^lambda\/src\/token\.rs/, tests: ['--lib', '--test=token'] },
  { name: 'sign', files: /^lambda\/src\/sign\.rs/, tests: ['--test=sign'] },
  { name: 'api', files: /^lambda\/src\/(api|error|fields|log|metrics|quota|refusal|storage)\.rs/, tests: ['--lib', '--test=api'] },
  { name: 'secret', files: /^lambda\/src\/secret\.rs/, tests: ['--test=secret'] },
  {
    name: 'engine',
    files: /^src\/engine\//,
    tests: ['--lib', '--test=engine', '--test=simulation'],
    // How many histories the simulator plays for each change.
    env: { SEEDS: process.env.SEEDS ?? '1000' },
    // Every order of events takes longer than all other tests together.
    skip: ['model::', 'clock::'],
  },
];

/** Each of these files needs a group. `lib.rs` only names the others. */
const SCOPE = /^(src\/(clock|plan|checksum|engine|protocol)|lambda\/src\/(?!lib\.rs))/;

/** What cargo builds of a file's package. Only `secret.rs` needs the AWS clients that the function's binary has. */
function packageOf(file) {
  if (!file.startsWith('lambda/')) return ['--package=directput'];
  return ['--package=directput-lambda', ...(file.endsWith('/secret.rs') ? [] : ['--no-default-features'])];
}

/** What becomes of a change, by cargo-mutants' words for it. The compiler refuses what is unviable. */
const OUTCOMES = { CaughtMutant: 'caught', Timeout: 'timeout', MissedMutant: 'missed', Unviable: 'unviable' };

const target = resolve(process.env.CARGO_TARGET_DIR ?? 'target');
const output = join(target, 'mutants');
const tree = join(output, 'tree');
const globs = (process.env.FILES ?? '').split(' ').filter(Boolean);
const args = process.argv.slice(2);
const env = {
  ...process.env,
  CARGO_TARGET_DIR: target,
  // The same inputs for each change, and none kept from the one before.
  PROPTEST_RNG_SEED: '1',
  PROPTEST_DISABLE_FAILURE_PERSISTENCE: '1',
  // That a test fails is enough: how it does is not looked into.
  PROPTEST_MAX_SHRINK_ITERS: '0',
  RUST_BACKTRACE: '0',
  CARGO_PROFILE_DEV_DEBUG: '0',
};

/** Copies what git knows or would take, as new files: cargo would take older ones for what it built last, a changed one. */
function copyTree() {
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  // Biome takes a second configuration for a mistake.
  const copy = "git ls-files -coz --exclude-standard -- ':!biome.json' | tar -c --null -T - --ignore-failed-read | tar -xmC \"$0\"";
  execFileSync('bash', ['-o', 'pipefail', '-c', copy, tree], { stdio: 'inherit' });
}

const withFiles = (files) => files.map((file) => `--file=${file}`);

/** What `cargo mutants` would change, as text or JSON. */
function list(...more) {
  return execFileSync('cargo', ['mutants', '--dir', tree, '--workspace', ...more], { env, maxBuffer: 1 << 28 }).toString();
}

/** Runs the tests of a group on all changes of some files. Returns their outcomes. */
function run(group, files) {
  const folder = join(output, group.name);
  const tests = group.tests.map((test) => `--cargo-arg=${test}`);
  const where = ['--dir', tree, '--in-place', '--output', folder, ...packageOf(files[0])];
  const skipped = (group.skip ?? []).map((name) => `--skip=${name}`);
  const options = { env: { ...env, ...group.env }, stdio: 'inherit' };
  const what = [...where, ...tests, ...withFiles(files), ...args];
  const { status } = spawnSync('cargo', ['mutants', ...what, '--', '--', ...skipped], options);
  // 2: some were missed; 3: some took too long.
  if (![0, 2, 3].includes(status)) process.exit(status ?? 1);
  return JSON.parse(readFileSync(join(folder, 'mutants.out/outcomes.json'))).outcomes;
}

/** `src/plan.rs`, `src/engine`, `lambda/src`. */
const folderOf = (file) => file.match(/^(lambda\/src|src\/[^/]+)/)[0];
const figures = {};
function count(file, outcome) {
  figures[folderOf(file)] ??= { caught: 0, timeout: 0, missed: 0, unviable: 0, equivalent: 0 };
  figures[folderOf(file)][outcome] += 1;
}

copyTree();
const files = list('--list-files', ...withFiles(globs)).split('\n').filter(Boolean);
const forgotten = files.filter((file) => SCOPE.test(file) && !GROUPS.some((group) => group.files.test(file)));
if (forgotten.length > 0) throw new Error(`No tests are named for ${forgotten.join(', ')}`);
for (const group of GROUPS) {
  const own = files.filter((file) => group.files.test(file));
  if (own.length === 0) continue;
  for (const { scenario, summary } of run(group, own)) {
    if (scenario.Mutant) count(scenario.Mutant.file, OUTCOMES[summary]);
  }
}

// What the list of equivalents leaves out.
const entries = [...readFileSync('.cargo/mutants.toml', 'utf8').matchAll(/^ {4}'(.+)',$/gm)].map(([, entry]) => entry);
const all = JSON.parse(list('--list', '--json', '--no-config'));
const fits = (entry) => (mutant) => new RegExp(entry).test(mutant.name);
for (const mutant of all.filter((mutant) => files.includes(mutant.file) && folderOf(mutant.file) in figures)) {
  if (entries.some((entry) => fits(entry)(mutant))) count(mutant.file, 'equivalent');
}
const unused = entries.filter((entry) => !all.some(fits(entry)));
for (const entry of unused) console.error(`.cargo/mutants.toml lists what is no mutant: ${entry}`);

console.table(figures);
if (unused.length > 0 || Object.values(figures).some(({ missed }) => missed > 0)) process.exit(1);
