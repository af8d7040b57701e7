// Checks that a tag, the versions and the changelog name the same release, and prints the changelog's section:
//   node tools/release.mjs v0.1.0
import { readFileSync } from 'node:fs';

const read = (path) => readFileSync(path, 'utf8');

/** Returns the versions of all published packages, each with its place. */
export function versions() {
  const cargo = read('Cargo.toml');
  return [
    ['npm/package.json', JSON.parse(read('npm/package.json')).version],
    ['Cargo.toml, workspace.package', /\[workspace\.package\]\nversion = "([^"]+)"/.exec(cargo)?.[1]],
    ['Cargo.toml, the dependency on directput', /^directput = {.*version = "([^"]+)"/m.exec(cargo)?.[1]],
  ];
}

/** Returns the changelog's section of a version, or undefined if there is none. */
export function notes(version, changelog = read('CHANGELOG.md')) {
  const sections = changelog.split(/^## /m);
  const own = sections.find((section) => section.startsWith(`[${version}]`));
  return own?.split('\n').slice(1).join('\n').trim();
}

if (process.argv[1] === import.meta.filename) {
  const version = process.argv[2]?.replace(/^v/, '');
  const wrong = versions().find(([, own]) => own !== version);
  const text = notes(version);
  if (wrong || !text) {
    console.error(wrong ? `release: ${wrong[0]} says ${wrong[1]}, not ${version}` : `release: CHANGELOG.md has no [${version}]`);
    process.exit(1);
  }
  console.info(text);
}
