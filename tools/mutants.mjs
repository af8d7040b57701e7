// Runs the tests on each mutant of cargo-mutants: `make mutants`. Fails if no test notices a mutant that
// `.cargo/mutants.toml` does not list, or if an entry of that list matches no mutant.
//
// Arguments are passed to `cargo mutants`. FILES: globs of the files to mutate. Default: all.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Groups of files, with the tests that must fail for each mutant of these files. A group has few tests, because the
 * tests are built again for each mutant.
 */
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
    // Number of histories that the simulator runs for each mutant.
    env: { SEEDS: process.env.SEEDS ?? '1000' },
    // Skips tests that enumerate all orders of events. They take longer than all other tests together.
    skip: ['model::', 'clock::'],
  },
];

/** Files that must be in a group. `lib.rs` only declares modules. */
const SCOPE = /^(src\/(clock|plan|checksum|engine|protocol)|lambda\/src\/(?!lib\.rs))/;

/** Returns cargo's options for a file's package. Only `secret.rs` needs the AWS clients of the feature `runtime`. */
function packageOf(file) {
  if (!file.startsWith('lambda/')) return ['--package=directput'];
  return ['--package=directput-lambda', ...(file.endsWith('/secret.rs') ? [] : ['--no-default-features'])];
}

/** Outcomes of a mutant by cargo-mutants' names for them. Unviable mutants do not compile. */
const OUTCOMES = { CaughtMutant: 'caught', Timeout: 'timeout', MissedMutant: 'missed', Unviable: 'unviable' };

const target = resolve(process.env.CARGO_TARGET_DIR ?? 'target');
const output = join(target, 'mutants');
const tree = join(output, 'tree');
const globs = (process.env.FILES ?? '').split(' ').filter(Boolean);
const args = process.argv.slice(2);
const env = {
  ...process.env,
  CARGO_TARGET_DIR: target,
  // Each mutant gets the same inputs, and no inputs of the mutant before.
  PROPTEST_RNG_SEED: '1',
  PROPTEST_DISABLE_FAILURE_PERSISTENCE: '1',
  // Does not shrink the input of a failure: the failure is enough.
  PROPTEST_MAX_SHRINK_ITERS: '0',
  RUST_BACKTRACE: '0',
  CARGO_PROFILE_DEV_DEBUG: '0',
};

/** Copies all files that git tracks or would add. The copies have new times, so cargo does not reuse the last build. */
function copyTree() {
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  // Biome refuses a second configuration inside the repository.
  const copy = "git ls-files -coz --exclude-standard -- ':!biome.json' | tar -c --null -T - --ignore-failed-read | tar -xmC \"$0\"";
  execFileSync('bash', ['-o', 'pipefail', '-c', copy, tree], { stdio: 'inherit' });
}

const withFiles = (files) => files.map((file) => `--file=${file}`);

/** Returns the list of `cargo mutants`, as text or JSON. */
function list(...more) {
  return execFileSync('cargo', ['mutants', '--dir', tree, '--workspace', ...more], { env, maxBuffer: 1 << 28 }).toString();
}

/** Runs the tests of a group on all mutants of some files. Returns the outcomes. */
function run(group, files) {
  const folder = join(output, group.name);
  const tests = group.tests.map((test) => `--cargo-arg=${test}`);
  const where = ['--dir', tree, '--in-place', '--output', folder, ...packageOf(files[0])];
  const skipped = (group.skip ?? []).map((name) => `--skip=${name}`);
  const options = { env: { ...env, ...group.env }, stdio: 'inherit' };
  const mutantsArgs = [...where, ...tests, ...withFiles(files), ...args];
  const { status } = spawnSync('cargo', ['mutants', ...mutantsArgs, '--', '--', ...skipped], options);
  // Exit codes: 2 if tests missed mutants, 3 if mutants timed out.
  if (![0, 2, 3].includes(status)) process.exit(status ?? 1);
  return JSON.parse(readFileSync(join(folder, 'mutants.out/outcomes.json'))).outcomes;
}

/** Returns the folder of a file in the report, such as `src/plan.rs`, `src/engine` or `lambda/src`. */
const folderOf = (file) => file.match(/^(lambda\/src|src\/[^/]+)/)[0];
const figures = {};
function count(file, outcome) {
  figures[folderOf(file)] ??= { caught: 0, timeout: 0, missed: 0, unviable: 0, equivalent: 0 };
  figures[folderOf(file)][outcome] += 1;
}

copyTree();
const files = list('--list-files', ...withFiles(globs)).split('\n').filter(Boolean);
const forgotten = files.filter((file) => SCOPE.test(file) && !GROUPS.some((group) => group.files.test(file)));
if (forgotten.length > 0) throw new Error(`These files are in no group of tests: ${forgotten.join(', ')}`);
for (const group of GROUPS) {
  const own = files.filter((file) => group.files.test(file));
  if (own.length === 0) continue;
  for (const { scenario, summary } of run(group, own)) {
    if (scenario.Mutant) count(scenario.Mutant.file, OUTCOMES[summary]);
  }
}

// Counts the mutants that the list of equivalents excludes.
const entries = [...readFileSync('.cargo/mutants.toml', 'utf8').matchAll(/^ {4}'(.+)',$/gm)].map(([, entry]) => entry);
const all = JSON.parse(list('--list', '--json', '--no-config'));
const matches = (entry) => (mutant) => new RegExp(entry).test(mutant.name);
for (const mutant of all.filter((mutant) => files.includes(mutant.file) && folderOf(mutant.file) in figures)) {
  if (entries.some((entry) => matches(entry)(mutant))) count(mutant.file, 'equivalent');
}
const unused = entries.filter((entry) => !all.some(matches(entry)));
for (const entry of unused) console.error(`.cargo/mutants.toml has an entry that matches no mutant: ${entry}`);

console.table(figures);
if (unused.length > 0 || Object.values(figures).some(({ missed }) => missed > 0)) process.exit(1);
