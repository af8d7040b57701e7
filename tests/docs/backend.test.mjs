// Compares the code in `docs/backend.md` with the server that it is quoted from.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { blocks } from './markdown.mjs';

test('the code in docs/backend.md is that of examples/fastapi', () => {
  const sources = ['protocol', 'server', 'storage'].map((name) => readFileSync(`examples/fastapi/${name}.py`, 'utf8'));
  const quotes = blocks('docs/backend.md').filter(({ language }) => language === 'python');
  assert.ok(quotes.length >= 20, `${quotes.length} quotes`);
  for (const { text } of quotes) {
    const count = sources.filter((source) => `\n${source}`.includes(`\n${text}`)).length;
    assert.equal(count, 1, text);
  }
});
