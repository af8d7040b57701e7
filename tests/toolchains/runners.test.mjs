// Test runners with jsdom or happy-dom, which lack some features of browsers. The element must work without these
// features.
import { test } from 'node:test';
import { install, run } from './harness.mjs';

for (const environment of ['jsdom', 'happy-dom']) {
  test(`Vitest with ${environment}`, () => {
    run(install('runners'), 'vitest', 'run', '--environment', environment);
  });
}

// Jest runs ES modules only with this flag of Node: https://jestjs.io/docs/ecmascript-modules
test('Jest with jsdom', () => {
  run(install('runners'), 'node', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js');
});
