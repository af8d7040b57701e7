// The element in the TSX of those that have no app here.
import { test } from 'node:test';
import { install, run } from './harness.mjs';

const STRICT = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler'];

for (const [name, flags] of Object.entries({
  Solid: ['--jsx', 'preserve', '--jsxImportSource', 'solid-js'],
  Preact: ['--jsx', 'react-jsx', '--jsxImportSource', 'preact'],
  'React 18': ['--jsx', 'react-jsx'],
})) {
  test(`TSX of ${name}`, () => {
    run(install('jsx'), 'tsc', ...STRICT, '--skipLibCheck', ...flags, 'element.tsx');
  });
}
