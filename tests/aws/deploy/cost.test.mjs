// Results of `make cost`, compared with figures that were calculated by hand.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { costs } from '../../../aws/cost.mjs';

const MIB = 1 << 20;
const prices = JSON.parse(readFileSync('aws/prices.json', 'utf8'));
const isAbout = (actual, expected) => assert.ok(Math.abs(actual - expected) < 0.005, `${actual}, expected ${expected}`);

test('a small file costs one PUT and one call, and through a backend its bytes are metered', () => {
  const { direct, backend } = costs(MIB, 1_000_000, prices);
  isAbout(direct.s3, 5);
  isAbout(direct.api, 1);
  isAbout(direct.function, 0.2 + 1e6 * 0.02 * 0.25 * 0.0000133334);
  isAbout(backend.s3, 5);
  // API Gateway counts each 512 KiB of a request as one request, so a request of 1 MiB counts as two.
  isAbout(backend.api, 2);
});

test('a large file costs its parts plus two requests, and a call for every few parts', () => {
  const { direct, backend } = costs(256 * MIB, 1_000_000, prices);
  isAbout(direct.s3, 34 * 5);
  isAbout(direct.api, 12);
  // 52 requests of 5 MiB, and each counts as ten requests.
  isAbout(backend.api, 52 * 10);
  assert.ok(backend.total > 3 * direct.total);
  const sum = ({ total, ...items }) => Object.values(items).reduce((all, item) => all + item, 0) - total;
  isAbout(sum(direct), 0);
});

test('the command prints both costs, and names an invalid variable', () => {
  const run = (env) =>
    execFileSync('node', ['aws/cost.mjs'], { encoding: 'utf8', stdio: 'pipe', env: { ...process.env, ...env } });
  assert.match(run({ SIZE: '1048576' }), /direct\s+by a backend[\s\S]*total\s+6\.99\s+9\.53/);
  assert.throws(() => run({ SIZE: 'ten' }), /SIZE: expected a whole number/);
});
