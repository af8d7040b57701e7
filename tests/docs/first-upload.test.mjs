// Follows `docs/first-upload.md` from an empty folder, as a new user does: runs the commands, writes the files, and
// opens a browser.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertHas, browser, OUT, someFile } from '../consumers/packed.mjs';
import { freePort, startServer } from '../e2e/server.mjs';
import { blocks } from './markdown.mjs';

test('what docs/first-upload.md says ends in an upload, twice', async () => {
  const [demo, install, html, script, serve, look, ownHtml, ownScript] = blocks('docs/first-upload.md');
  const port = await freePort();
  const site = `http://127.0.0.1:${port}`;
  assert.match(demo.text, /^make demo ARGS="--allow-origin http:\/\/127\.0\.0\.1:5173"$/m);
  const server = await startServer({ data: join(OUT, 'data'), args: ['--allow-origin', site] });
  const folder = join(OUT, 'empty');
  mkdirSync(folder);
  const shell = (text) => execFileSync('bash', ['-euo', 'pipefail', '-c', text], { cwd: folder, stdio: 'pipe' });
  shell(install.text.replace('../directput/pkg', resolve('pkg')).replace(' vite', ' vite@8.3.8'));

  const write = ({ before, text }) => {
    const [, name] = /`([\w.]+)`:/.exec(before);
    writeFileSync(join(folder, name), text.replaceAll('http://127.0.0.1:8080', server.page));
  };
  for (const file of [html, script]) write(file);
  const [program, ...args] = serve.text.replace('5173', port).trim().split(' ');
  const vite = spawn(program, args, { cwd: folder, stdio: 'ignore', detached: true });
  try {
    for (let tries = 0; tries < 100 && !(await fetch(site).catch(() => undefined))?.ok; tries += 1) await sleep(100);
    const page = await browser.newPage();
    await page.goto(site);
    const file = someFile();
    await page.locator('direct-put .choose').waitFor();
    await page.setInputFiles('#file', file);
    await page.locator('[data-state=stored]').waitFor();
    const key = await page.evaluate(() => document.querySelector('direct-put').value);
    assertHas(server, key, file.buffer);
    assert.equal(await page.evaluate(() => document.querySelector('direct-put').uploader.runsInWorker()), true);
    assert.match(look.text, /^ls -l .*uploads\/$/m);

    // Leaves the page first: Vite reloads an open page when its files change, and this would interrupt the test.
    await page.goto('about:blank');
    for (const own of [ownHtml, ownScript]) write(own);
    await page.goto(site);
    const other = someFile();
    await page.setInputFiles('input', other);
    await page.locator('output', { hasText: 'Stored as' }).waitFor();
    const [, ownKey] = /Stored as (\S+),/.exec(await page.locator('output').textContent());
    assertHas(server, ownKey, other.buffer);
    assert.equal(await page.locator('progress').evaluate((bar) => bar.value), 1);
    await page.close();
  } finally {
    process.kill(-vite.pid, 'SIGTERM');
    await once(vite, 'exit');
    await server.stop();
  }
});
