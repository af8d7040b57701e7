// Vite's development server and its builds, without any configuration.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { install, run, serves } from './harness.mjs';

/** Changes the script while the page is open, and uploads a file with the updated page. */
const changed = (folder) => async (tab, uploadOwn) => {
  const script = join(folder, 'app.js');
  writeFileSync(script, `${readFileSync(script, 'utf8')}document.body.dataset.state = 'changed';\n`);
  await tab.locator('body[data-state=changed]').waitFor();
  await tab.locator('output').evaluate((output) => output.replaceChildren());
  await uploadOwn();
};

for (const version of [5, 6, 7, 8]) {
  const vite = `node_modules/vite${version}/bin/vite.js`;
  const address = ['--host', '127.0.0.1', '--port', '{port}', '--strictPort'];

  test(`Vite ${version}, development server`, async () => {
    const folder = install('vite');
    await serves(folder, ['node', vite, ...address], { inlined: version < 8, more: changed(folder) });
  });

  test(`Vite ${version}, build`, async () => {
    const folder = install('vite');
    run(folder, 'node', vite, 'build', '--logLevel', 'warn');
    await serves(folder, ['node', vite, 'preview', ...address]);
  });
}
