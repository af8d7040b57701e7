// What the documents say of the code is what the code says of itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { blocks, DOCUMENTS, rows } from './markdown.mjs';

const TYPES = readFileSync('npm/types.ts', 'utf8');

/** The members of an interface. */
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
  same(rows('docs/options.md', '## Events'), members('UploaderEventMap', readFileSync('npm/events.ts', 'utf8')));
});

test('every method has its row', () => {
  const index = readFileSync('npm/index.ts', 'utf8');
  const methods = [...index.matchAll(/^ {2}(?:async )?(\w+)\(.*{$/gm)].map(([, name]) => name);
  const said = rows('docs/options.md', '## Other methods').map((name) => name.split('(')[0]);
  same([...said, 'upload', 'constructor'], methods);
});

test('every attribute and every part of the element is named', () => {
  const source = readFileSync('npm/element/direct-put.ts', 'utf8');
  const [, options] = /OPTIONS = \{([^}]*)\}/.exec(readFileSync('npm/element/attributes.ts', 'utf8'));
  const list = [...options.matchAll(/^ *'?([\w-]+)'?:/gm)].map(([, attribute]) => attribute);
  assert.ok(list.includes('endpoint') && list.includes('max-files'));
  const [, more] = /observedAttributes = \[\.\.\.OF_UPLOADER, ([^\]]*)\]/.exec(source);
  const others = [...`${more}, 'details'`.matchAll(/'([\w-]+)'/g)].map(([, name]) => name);
  const frameworks = rows('docs/frameworks.md', '## `<direct-put>`');
  const types = readFileSync('npm/element/jsx.d.ts', 'utf8');
  for (const attribute of [...list, ...others]) {
    assert.ok(frameworks.includes(attribute), attribute);
    assert.match(types, new RegExp(`^  (?:${attribute}|'${attribute}')\\?:`, 'm'), attribute);
  }

  const code = readdirSync('npm/element')
    .map((name) => readFileSync(join('npm/element', name), 'utf8'))
    .join('\n');
  const named = [
    /part: '([\w-]+)'/g,
    /'part', '([\w-]+)'/g,
    /\b(?:button|act|fact)\(\s*'([\w-]+)'/g,
    /\['percent', 'speed', 'left'\]/g,
  ].flatMap((pattern) => [...code.matchAll(pattern)].flatMap(([all, part]) => part ?? all.match(/\w+/g)));
  const [, said] = readFileSync('docs/frameworks.md', 'utf8').split('\nParts: ');
  same(
    [...said.split('\n\n')[0].matchAll(/`([\w-]+)`/g)].map(([, part]) => part),
    named,
  );
  const variables = [...new Set(code.match(/--directput-[\w-]+/g))];
  for (const variable of variables)
    assert.ok(frameworks && readFileSync('docs/frameworks.md', 'utf8').includes(variable), variable);
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

test('the pictures are what their text says', () => {
  execFileSync('node', ['tools/pictures.mjs', '--check']);
});
