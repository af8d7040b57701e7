// Reads code blocks and tables of the documents, for tests.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const EXAMPLES = readdirSync('examples', { withFileTypes: true }).filter((entry) => entry.isDirectory());
const FOLDERS = ['.', 'docs', 'docs/decisions', 'bench', 'examples', ...EXAMPLES.map(({ name }) => `examples/${name}`)];
/** Paths of all documents for users and contributors. */
export const DOCUMENTS = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

/** Returns the blocks of code in a document, each with its language, its text, and the line before it. */
export function blocks(path) {
  const found = readFileSync(path, 'utf8').matchAll(/(?:^|\n)([^\n]*)\n+```(\w*)\n([\s\S]*?)\n```/g);
  return [...found].map(([, before, language, text]) => ({ path, before, language, text: `${text}\n` }));
}

/** Returns the first text in backticks of each row of the tables under a heading. */
export function rows(path, heading) {
  const [, section] = readFileSync(path, 'utf8').split(`\n${heading}\n`);
  const [own] = section.split(/\n## /);
  return [...own.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
}
