// Test runners whose browser is no browser: the element has to do without what they lack.
import { test } from 'node:test';
import { install, run } from './harness.mjs';

for (const environment of ['jsdom', 'happy-dom']) {
  test(`Vitest with ${environment}`, () => {
    run(install('runners'), 'vitest', 'run', '--environment', environment);
  });
}

// Jest takes modules as they are only if Node is told so: https://jestjs.io/docs/ecmascript-modules
test('Jest with jsdom', () => {
  run(install('runners'), 'node', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js');
});
