// Compiles the code samples in the documents with strict options, or runs them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { HERE, tool } from '../consumers/packed.mjs';
import { startServer } from '../e2e/server.mjs';
import { blocks, DOCUMENTS } from './markdown.mjs';

const samples = DOCUMENTS.flatMap(blocks);

/** Documents that other tests follow from an empty folder. */
const WALKS = ['first-upload.md', 'nextjs.md'];

/** Declarations of elements and values that the samples use without declaring them. */
const AROUND = `
declare global {
  const input: HTMLInputElement & { files: FileList & { 0: File } };
  const bar: HTMLProgressElement;
  const file: File;
  function button(words: string, onClick: () => unknown): void;
  function signIn(): Promise<string>;
  function show(share: number): void;
  // Of a server.
  const process: { env: Record<string, string | undefined> };
  const app: { use(path: string, handler: unknown): void };
  const options: import('directput/server').UploadsOptions;
  const { bucket, region, credentials, tokenKey, authorize }: typeof options;
  function userOf(request: Request): Promise<{ id: string } | null>;
}
export {};`;

/** Returns the code after a diff is applied. */
const after = (diff) =>
  diff
    .split('\n')
    .filter((line) => !line.startsWith('-'))
    .map((line) => line.slice(1))
    .join('\n');

test('samples in TypeScript and JavaScript are right, by the types of the packed package', () => {
  const folder = join(HERE, 'samples');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(join(folder, 'around.d.ts'), AROUND);
  let count = 0;
  for (const { language, text, path } of samples) {
    const code = language === 'diff' ? after(text) : text;
    // Samples in JavaScript are compiled as TypeScript, so that their types are checked too.
    const extension = { ts: 'ts', tsx: 'tsx', js: 'ts', diff: 'ts' }[language];
    if (!extension || WALKS.some((walk) => path.endsWith(walk))) continue;
    count += 1;
    const name = `${path.replace(/\W/g, '-')}-${count}.${extension}`;
    writeFileSync(join(folder, name), `${code}\nexport {};\n`);
  }
  assert.ok(count >= 10, `${count} samples`);
  const options = {
    compilerOptions: {
      strict: true,
      noEmit: true,
      target: 'es2022',
      module: 'esnext',
      moduleResolution: 'bundler',
      jsx: 'react-jsx',
      lib: ['es2022', 'dom', 'dom.iterable'],
      types: [],
      // Vue's own types need the types of Vue's compiler.
      skipLibCheck: true,
    },
    include: ['.'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
  try {
    tool('tsc', '--project', folder);
  } catch (error) {
    assert.fail(error.stdout);
  }
});

test('samples in Svelte compile', () => {
  const { compile } = createRequire(join(HERE, 'package.json'))('svelte/compiler');
  const svelte = samples.filter(({ language }) => language === 'svelte');
  assert.ok(svelte.length > 0);
  for (const { text } of svelte) assert.deepEqual(compile(text, { generate: 'client' }).warnings, []);
});

test('the protocol can be followed by curl, as its document shows', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'directput-docs-'));
  const server = await startServer({ data: join(folder, 'data') });
  const { text } = blocks('docs/protocol.md').find(({ language }) => language === 'sh');
  execFileSync('bash', ['-euo', 'pipefail', '-c', text.replaceAll('http://127.0.0.1:8080', server.page)], {
    cwd: folder,
  });
  const stored = execFileSync('find', [join(server.data, server.bucket), '-type', 'f'], { encoding: 'utf8' }).trim();
  assert.equal(readFileSync(stored, 'utf8'), 'hello');
  await server.stop();
  rmSync(folder, { recursive: true });
});
