// Helpers for tests of the package's class in a real Chromium: a page with functions under `kit`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach } from 'node:test';
import { openPage } from './harness.mjs';

/** All documented error codes. */
export const CODES = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([a-z-]+)`/gm)].map(([, code]) => code);

const opened = [];

// Closes the pages of each test, because uploads of a failed test would disturb the next test.
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close();
});

/** Opens a page with `kit`. Its functions are installed before any other script runs. */
export async function openKit(at, options) {
  const own = await openPage(at, options);
  opened.push(own);
  await own.context.addInitScript(install);
  await own.page.evaluate(install);
  return own;
}

export function install() {
  const kit = {};
  globalThis.kit = kit;
  kit.uploader = async (options = {}) => {
    const { Uploader } = await import('/directput/index.js');
    return new Uploader({ endpoint: '/uploads', ...options });
  };
  /** Returns a file of `mebibytes` MiB. Files of the same size and seed are equal. */
  kit.file = (mebibytes, { name = 'x.bin', lastModified = 1, seed = 0 } = {}) => {
    const bytes = new Uint8Array(mebibytes << 20);
    for (let at = 0; at < bytes.length; at += 4096) bytes[at] = (at >> 12) + (at >> 20) + seed;
    return new File([bytes], name, { lastModified });
  };
  /** Returns the outcome of a promise: a value, an error, or `silent` if it takes more than `ms` milliseconds. */
  kit.end = async (promise, ms = 20_000) => {
    const { UploadError } = await import('/directput/index.js');
    const silent = new Promise((resolve) => kit.setTimeout(resolve, ms, { silent: true }));
    const said = promise.then(
      (value) => ({ value }),
      (error) => {
        const { code, message, remains, resumeId, retryable } = Object(error);
        return { is: error instanceof UploadError, code, message, remains, resumeId, retryable };
      },
    );
    return Promise.race([said, silent]);
  };
  /**
   * Begins an upload, and collects the values of `kept`. `stored` resolves when `parts` parts are stored; if `parts` is
   * 0, when the upload is kept.
   */
  kit.begin = (uploader, file, parts = 1, options = {}) => {
    const kept = [];
    let reached;
    const stored = new Promise((resolve) => {
      reached = resolve;
    });
    const upload = uploader.upload(file, {
      ...options,
      onProgress: (progress) => {
        if (kept.at(-1) !== progress.kept) kept.push(progress.kept);
        if (parts ? progress.confirmedParts >= parts : progress.kept) reached();
      },
    });
    upload.catch(reached);
    return { upload, stored, kept };
  };
  /** Replaces members of an object while a function runs. */
  kit.broken = async (object, members, run) => {
    const before = Object.keys(members).map((name) => [name, Object.getOwnPropertyDescriptor(object, name)]);
    for (const [name, value] of Object.entries(members)) {
      Object.defineProperty(object, name, { value, configurable: true, writable: true });
    }
    try {
      return await run();
    } finally {
      for (const [name, descriptor] of before) {
        delete object[name];
        if (descriptor) Object.defineProperty(object, name, descriptor);
      }
    }
  };
  // `kit.hurry` shortens the times of `npm/limits.ts`.
  kit.setTimeout = globalThis.setTimeout.bind(globalThis);
  kit.hurry = () => {
    const { setTimeout, setInterval } = globalThis;
    // The times are not shortened further: on a busy machine, a working worker must not count as lost.
    const quicker = { 2000: 500, 3000: 1_000, 5000: 1_000, 10000: 1_000, 60000: 3_000 };
    const quick = (ms) => quicker[ms] ?? ms;
    globalThis.setTimeout = (call, ms, ...more) => setTimeout(call, quick(ms), ...more);
    globalThis.setInterval = (call, ms, ...more) => setInterval(call, quick(ms), ...more);
  };
}

/** Checks that an error is an `UploadError` with a documented code. */
export function assertUploadError(end, code, what) {
  assert.ok(end.is && CODES.includes(end.code), `${what}: ${JSON.stringify(end)}`);
  if (code) assert.equal(end.code, code, `${what}: ${JSON.stringify(end)}`);
}
