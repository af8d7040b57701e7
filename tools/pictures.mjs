// Renders the diagrams of the docs from their DOT files: `make pictures`. `--check` fails if a diagram is outdated.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { instance } from '@viz-js/viz';

const FOLDER = 'docs/pictures';
const isCheck = process.argv.includes('--check');
const viz = await instance();

for (const name of readdirSync(FOLDER).filter((name) => name.endsWith('.dot'))) {
  const svg = viz.renderString(readFileSync(join(FOLDER, name), 'utf8'), { format: 'svg' });
  const path = join(FOLDER, name.replace(/dot$/, 'svg'));
  if (!isCheck) writeFileSync(path, svg);
  else if (readFileSync(path, 'utf8') !== svg) throw new Error(`${path} is outdated: run make pictures`);
}
