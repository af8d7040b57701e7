// Helpers for tests of any browser: files, faults and the contents of the bucket.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { startServer } from './server.mjs';

export const MIB = 1 << 20;
const PART_BYTES = 8 * MIB;
export const folder = mkdtempSync(join(tmpdir(), 'directput-e2e-'));

after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file of random bytes. A large file repeats a random mebibyte with a counter, so that all parts differ. */
export async function makeFile(name, size) {
  const path = join(folder, name);
  const file = await open(path, 'w');
  const block = randomBytes(Math.min(size, MIB));
  for (let at = 0; at < size; at += MIB) {
    if (size > MIB) block.writeUInt32LE(at / MIB, 0);
    await file.write(block, 0, Math.min(MIB, size - at));
  }
  await file.close();
  return path;
}

/** Returns the checksums of a file, computed by Python. */
export function oracle(path) {
  return JSON.parse(execFileSync('python3', ['tests/e2e/oracle.py', path, String(PART_BYTES)], { encoding: 'utf8' }));
}

export async function sha256(path) {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes);
  return hash.digest('hex');
}

/** Returns the path of an object, which the server keeps as a plain file. */
const objectPath = (key, at) => join(at.data, at.bucket, key);
/** Returns the names of all objects below `uploads/`. */
export const objects = (at) => {
  const uploads = join(at.data, at.bucket, 'uploads');
  return existsSync(uploads) ? readdirSync(uploads) : [];
};
/** Sends a signed request with curl to the S3 server of a local server, and returns the answer. */
export function curlAs(at, path, ...options) {
  const user = ['--aws-sigv4', 'aws:amz:us-east-1:s3', '--user', `${at.access_key}:${at.secret_key}`];
  const unsigned = ['--header', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'];
  const request = [...user, ...unsigned, ...options, `${at.s3_listen}/${path}`];
  return execFileSync('curl', ['--silent', '--show-error', '--fail', ...request], { encoding: 'utf8' });
}

/** Returns the open multipart uploads, from ListMultipartUploads. */
export function openUploads(at) {
  const xml = curlAs(at, `${at.bucket}?uploads=`);
  assert.match(xml, /<ListMultipartUploadsResult/);
  return [...xml.matchAll(/<UploadId>([^<]*)/g)].map(([, id]) => id);
}

/**
 * Checks that the object is equal to the file, that the page shows the checksums that other tools compute, and that no
 * open upload is left.
 */
export async function assertStored(path, result, at) {
  const size = statSync(path).size;
  const expected = oracle(path);
  assert.match(result.key, /^uploads\/[0-9a-f-]{36}\.bin$/);
  assert.equal(await sha256(objectPath(result.key, at)), expected.hex);
  assert.equal(result.checksum, size > 16 * MIB ? expected.composite : expected.base64);
  const record = JSON.parse(readFileSync(join(at.data, '.directput/records', `${result.key}.json`), 'utf8'));
  assert.equal(record.sha256, result.checksum, 'S3 has stored the same checksum');
  assert.deepEqual(openUploads(at), []);
}

/** Replaces the faults of the server. */
export async function setFaults(at, ...faults) {
  const reply = await fetch(`${at.page}/-/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  assert.equal(reply.status, 204, await reply.text());
}

/** Returns the number of requests to which the faults have applied. */
export async function hits(at) {
  const faults = await (await fetch(`${at.page}/-/faults`)).json();
  return faults.reduce((sum, fault) => sum + fault.hits, 0);
}

/** Starts a server with its own folder, whose faults can be changed. */
export const startFaulty = (name, options = {}) =>
  startServer({ data: join(folder, name), ...options, args: ['--control', ...(options.args ?? [])] });

/** Slow link on which the uploads of these tests take seconds, so that a test can act during them. */
export const SLOW = { on: 'put', bytesPerSecond: 30 * MIB };
