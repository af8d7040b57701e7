// Next.js with the hook and the element: both bundlers, development server, build with type check, server-side rendering.
import { test } from 'node:test';
import { install, run, serves } from './harness.mjs';

for (const bundler of ['turbopack', 'webpack']) {
  const address = ['--hostname', '127.0.0.1', '--port', '{port}'];

  test(`Next.js with ${bundler}, development server`, async () => {
    await serves(install('next'), ['next', 'dev', `--${bundler}`, ...address]);
  });

  test(`Next.js with ${bundler}, build`, async () => {
    const folder = install('next');
    run(folder, 'next', 'build', `--${bundler}`);
    await serves(folder, ['next', 'start', ...address]);
  });
}
