// Checks names and paths in the documents against the code.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { manifest } from '../../tools/manifest.mjs';
import { blocks, DOCUMENTS, rows } from './markdown.mjs';

const TYPES = readFileSync('npm/types.ts', 'utf8');

/** Returns the names of an interface's members. */
function members(name, source = TYPES) {
  const body = new RegExp(`export interface ${name}[^{]*{([\\s\\S]*?)\\n}`).exec(source)[1];
  return [...body.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, member]) => member);
}

const same = (said, is) => assert.deepEqual([...said].sort(), [...new Set(is)].sort());

test('every option of an uploader has its row, with type, default and unit', () => {
  same(
    rows('docs/options.md', '## `new Uploader(options)`'),
    ['UploaderOptions', 'Tuning', 'FileRules'].flatMap((name) => members(name)),
  );
  const [, section] = readFileSync('docs/options.md', 'utf8').split('## `new Uploader(options)`');
  for (const row of section.split('\n## ')[0].matchAll(/^\| `.*$/gm))
    assert.equal(row[0].split(' | ').length, 5, row[0]);
});

test('every option of an upload has its row', () => {
  same(
    rows('docs/options.md', '## `uploader.upload(file, options)`'),
    ['UploadOptions', 'Metadata'].flatMap((name) => members(name)),
  );
});

test('every member of progress and every event has its row', () => {
  same(rows('docs/options.md', '## What `upload` returns'), members('Progress'));
  same(rows('docs/options.md', '## Events'), members('UploaderEventMap', readFileSync('npm/page/events.ts', 'utf8')));
});

test('every method has its row', () => {
  const index = readFileSync('npm/index.ts', 'utf8');
  const methods = [...index.matchAll(/^ {2}(?:async )?(\w+)\(.*{$/gm)].map(([, name]) => name);
  const said = rows('docs/options.md', '## Other methods').map((name) => name.split('(')[0]);
  same([...said, 'upload', 'constructor'], methods);
});

test('every method that hooks give has its row, and a component is given each that the list has', () => {
  const list = readFileSync('npm/list/index.ts', 'utf8');
  const [, named] = /METHODS[^=]*= \[([^\]]*)\]/.exec(list);
  const methods = [...named.matchAll(/'(\w+)'/g)].map(([, name]) => name);
  same(
    rows('docs/frameworks.md', '## React').map((name) => name.split('(')[0]),
    methods,
  );
  const [, body] = list.split('export class UploadList');
  const own = [...body.split('\nclass ')[0].matchAll(/^ {2}(?:async )?([a-z]\w+)\([^)]*\)[^;]*\{$/gm)].map(
    ([, name]) => name,
  );
  same([...methods, 'constructor', 'subscribe', 'hold', 'close'], own);
});

test('every attribute, property, method, event and part of the element is named, and editors are told of them', () => {
  const read = (name) => readFileSync(join('npm/element', name), 'utf8');
  const attributes = read('attributes.ts');
  const quoted = (text) => [...text.matchAll(/'([\w-]+)'/g)].map(([, name]) => name);
  const [, options] = /OPTIONS = \{([^}]*)\}/.exec(attributes);
  const own = [...options.matchAll(/^ *'?([\w-]+)'?:/gm)].map(([, attribute]) => attribute);
  const [, flags] = /FLAGS = \[([^\]]*)\]/.exec(attributes);
  const [, switches] = /SWITCHES = \[([^\]]*)\]/.exec(attributes);
  const [, texts] = /TEXTS = \[([^\]]*)\]/.exec(attributes);
  assert.ok(own.includes('endpoint') && own.includes('max-files'));
  const page = 'docs/element.md';
  same(rows(page, '## Attributes'), [...own, ...quoted(flags), ...quoted(texts), ...quoted(switches), 'lang']);

  const source = read('direct-put.ts');
  const [, body] = source.split('export class DirectPut');
  const named = [...body.matchAll(/^ {2}(?:get )?([a-z]\w+)\([^)]*\)[^;]*\{$/gm)].map(([, name]) => name);
  const methods = named.filter((name) => !/Callback$|^constructor$/.test(name));
  same(
    rows(page, '## Properties and methods').map((name) => name.split('(')[0]),
    methods,
  );
  same(rows(page, '## Events'), members('DirectPutEventMap', read('events.ts')));
  const types = read('jsx.d.ts');
  for (const attribute of rows(page, '## Attributes')) {
    // JSX types declare `lang` for every element.
    if (attribute === 'lang') continue;
    assert.match(types, new RegExp(`^  (?:${attribute}|'${attribute}')\\?:`, 'm'), attribute);
  }

  const code = readdirSync('npm/element')
    .filter((name) => name.endsWith('.ts'))
    .map(read)
    .join('\n');
  const parts = [
    /part: '([\w-]+)'/g,
    /\b(?:button|iconButton|fact)\(\s*'([\w-]+)'/g,
    /\['percent', 'speed', 'left'\]/g,
  ].flatMap((pattern) => [...code.matchAll(pattern)].flatMap(([all, part]) => part ?? all.match(/\w+/g)));
  const text = readFileSync(page, 'utf8');
  const [, said] = text.split('\nParts: ');
  same(
    [...said.split('\n\n')[0].matchAll(/`([\w-]+)`/g)].map(([, part]) => part),
    parts,
  );
  const variables = [...new Set(code.match(/--directput-[\w-]+/g))];
  for (const variable of variables) assert.ok(text.includes(variable), variable);

  const [element] = manifest(text).modules[0].declarations;
  same(
    element.attributes.map(({ name }) => name),
    rows(page, '## Attributes'),
  );
  const properties = /export interface Reflected \{([\s\S]*?)\n\}/.exec(attributes)[1];
  same(
    element.members.map(({ name }) => name),
    [...methods, ...[...properties.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name), 'lang'],
  );
  assert.equal(element.events.length, 6);
  same(
    element.cssProperties.map(({ name }) => name),
    variables,
  );
});

test('every link leads somewhere, and every command of make is there', () => {
  const makefile = readFileSync('Makefile', 'utf8');
  for (const path of DOCUMENTS) {
    const text = readFileSync(path, 'utf8');
    for (const [, link] of text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/(?:\]\(|srcset="|src=")([^)"#]+)/g)) {
      if (!link.includes('://')) assert.ok(existsSync(join(dirname(path), link)), `${path}: ${link}`);
    }
    for (const { language, text: code } of blocks(path)) {
      if (language !== 'sh') continue;
      for (const [, target] of code.matchAll(/^make ([a-z-]+)/gm))
        assert.match(makefile, new RegExp(`^${target}:`, 'm'), target);
    }
  }
});

const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((path) => existsSync(path));

/** Returns whether the repository has a file or folder with this path, or with a path that matches this pattern. */
function isThere(path) {
  const pattern = path
    .replace(/\/$/, '')
    .replaceAll('.', '\\.')
    .replaceAll(/\*\*?/g, (stars) => (stars === '**' ? '.*' : '[^/]*'));
  const name = new RegExp(`^${pattern}(?:/|$)`);
  return FILES.some((file) => name.test(file));
}

const FOLDERS = /^(?:\.ci|\.github|aws|bench|cli|docs|examples|lambda|local|npm|security|src|tests|tools|www)\//;
const KINDS = /\.(?:dot|json|mjs|md|py|rs|sh|svg|toml|ts|ya?ml)$/;
/** Files that a command writes. A fresh clone does not have them. */
const WRITTEN = ['www/config.json'];

test('every file that a document names is there', () => {
  let count = 0;
  for (const document of DOCUMENTS) {
    // The changelog may name files that no longer exist.
    if (document === 'CHANGELOG.md') continue;
    const text = readFileSync(document, 'utf8').replaceAll(/```[\s\S]*?```/g, '');
    for (const [, path] of text.matchAll(/`([\w.-]+(?:\/[\w.*-]+)+\/?)`/g)) {
      if (!FOLDERS.test(path) && !KINDS.test(path)) continue;
      const places = [path, join(dirname(document), path)];
      const isFound = places.some(isThere) || existsSync(join('pkg', path)) || WRITTEN.includes(path);
      assert.ok(isFound, `${document} names ${path}`);
      count += 1;
    }
  }
  assert.ok(count > 100, `${count} paths`);
});

test('every document and file that a comment names is there', () => {
  const code = FILES.filter((path) => /\.(?:rs|ts|mjs|js|py|sh|ya?ml|toml)$|^Makefile$/.test(path));
  assert.ok(code.length > 200, `${code.length} files`);
  for (const path of code) {
    // These tests name files that they create.
    if (path.startsWith('tests/docs/')) continue;
    const text = readFileSync(path, 'utf8');
    for (const [named] of text.matchAll(/(?<![\w/])docs\/[\w/-]+\.(?:md|png|svg|yaml)\b|\b[A-Z]{4,}\.md\b/g)) {
      assert.ok(isThere(named), `${path} names ${named}`);
    }
    // Paths in backquotes in comments, relative to the repository or to the crate.
    const crate = path.split('/', 1)[0];
    for (const [, named] of text.matchAll(/(?:\/\/|#|^ \*).*`([a-z]+\/[\w./-]+\.(?:rs|ts|mjs|py|sh|ya?ml))`/gm)) {
      assert.ok(isThere(named) || isThere(`${crate}/${named}`), `${path} names ${named}`);
    }
  }
});

test('every decision is in the index', () => {
  const index = readFileSync('docs/decisions/README.md', 'utf8');
  for (const name of readdirSync('docs/decisions').filter((name) => name !== 'README.md'))
    assert.ok(index.includes(`](${name})`), name);
});

test('the pictures are what their text says', () => {
  execFileSync('node', ['tools/pictures.mjs', '--check']);
});
