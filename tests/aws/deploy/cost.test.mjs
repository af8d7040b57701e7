// What `make cost` reckons with, held against the same by hand.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { costs } from '../../../aws/cost.mjs';

const MIB = 1 << 20;
const prices = JSON.parse(readFileSync('aws/prices.json', 'utf8'));
const isAbout = (actual, expected) => assert.ok(Math.abs(actual - expected) < 0.005, `${actual}, expected ${expected}`);

test('a small file is one PUT and one call, and by a backend it is metered by its bytes', () => {
  const { direct, backend } = costs(MIB, 1_000_000, prices);
  isAbout(direct.s3, 5);
  isAbout(direct.api, 1);
  isAbout(direct.function, 0.2 + 1e6 * 0.02 * 0.25 * 0.0000133334);
  isAbout(backend.s3, 5);
  // A mebibyte is two times 512 KiB.
  isAbout(backend.api, 2);
});

test('a large file is its parts and two requests more, and a call for every few parts', () => {
  const { direct, backend } = costs(256 * MIB, 1_000_000, prices);
  isAbout(direct.s3, 34 * 5);
  isAbout(direct.api, 14);
  // 52 requests of 5 MiB, ten meters each.
  isAbout(backend.api, 52 * 10);
  assert.ok(backend.total > 3 * direct.total);
  const sum = ({ total, ...items }) => Object.values(items).reduce((all, item) => all + item, 0) - total;
  isAbout(sum(direct), 0);
});

test('the command prints both ways, and names what it can not read', () => {
  const run = (env) =>
    execFileSync('node', ['aws/cost.mjs'], { encoding: 'utf8', stdio: 'pipe', env: { ...process.env, ...env } });
  assert.match(run({ SIZE: '1048576' }), /direct\s+by a backend[\s\S]*total\s+6\.99\s+9\.53/);
  assert.throws(() => run({ SIZE: 'ten' }), /SIZE: expected a whole number/);
});
