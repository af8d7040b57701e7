// Runs the examples that are signing APIs by themselves, with the S3 server of a local server.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeFile, sha256 } from '../e2e/bucket.mjs';
import { freePort } from '../e2e/server.mjs';
import { assertInWorker, running, visit, withServer } from '../toolchains/harness.mjs';
import { SIZE } from './app.mjs';
import { storedDigest } from './node-server.mjs';

/** Returns the settings that the examples' `.env.example` files name. */
export const settingsOf = (server) => ({
  S3_BUCKET: server.bucket,
  S3_REGION: 'us-east-1',
  S3_ENDPOINT: server.s3,
  S3_KEY_ID: server.access_key,
  S3_KEY_SECRET: server.secret_key,
  TOKEN_KEY: 'a key of this test, 32 bytes long',
});

/** Replaces the values in a text of lines `NAME=value`. A line may be a comment. */
export function filled(text, settings) {
  return text.replace(/^(?:# )?([A-Z][A-Z0-9_]*)=.*$/gm, (_, name) => {
    assert.ok(name in settings, name);
    return `${name}=${settings[name]}`;
  });
}

/**
 * Starts a local server whose bucket accepts a page. Calls `use` with the server, and with the page's port. If `USE_S3`
 * is set, uses the S3 server at this address instead, see `tests/conformance/with-garage.mjs`.
 */
export async function withBucket(use) {
  const port = await freePort();
  const { USE_S3, BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  if (USE_S3) {
    const keys = { access_key: AWS_ACCESS_KEY_ID, secret_key: AWS_SECRET_ACCESS_KEY };
    return use({ s3: USE_S3, s3_listen: USE_S3, bucket: BUCKET, ...keys }, port);
  }
  await withServer({ args: ['--allow-origin', `http://127.0.0.1:${port}`, '--control'] }, (server) =>
    use(server, port),
  );
}

/** Copies the `.env.example` of an installed example to `name`, with the settings of a local server. */
export function configure(folder, name, server) {
  writeFileSync(join(folder, name), filled(readFileSync(join(folder, '.env.example'), 'utf8'), settingsOf(server)));
}

/**
 * Starts an installed example, and opens its page. Calls `use` with the tab, and with the example's output. The console
 * may have `tolerated` messages.
 */
export async function withApp(folder, command, port, use, { env, tolerated } = {}) {
  const open = (address, log) => visit(address, { tolerated }, (tab) => use(tab, log));
  await running(folder, command, open, { port, env });
}

/** Checks that S3 returns the bytes of a file. */
export async function assertStored(server, key, path) {
  assert.equal(await storedDigest(server, key), await sha256(path));
}

/** Uploads a file of several parts and a small file with the page's `<direct-put>`. Returns the objects' keys. */
export async function uploadsByElement(tab, server) {
  const keys = [];
  for (const path of [await makeFile('film.bin', SIZE), await makeFile('note.bin', 1_000)]) {
    await tab.locator('direct-put').locator('#file').setInputFiles(path);
    const row = tab.locator('direct-put .upload', { hasText: basename(path) });
    await row.and(tab.locator('[data-state=stored]')).waitFor();
    keys.push(await tab.locator('direct-put').evaluate((put) => put.results.at(-1).key));
    await assertStored(server, keys.at(-1), path);
  }
  assertInWorker(tab);
  return keys;
}
