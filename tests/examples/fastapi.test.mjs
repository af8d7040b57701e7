// The example of a server in FastAPI: `directput check`, a page of another origin, and what the check does not try.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { MIB, openUploads } from '../e2e/bucket.mjs';
import { freePort } from '../e2e/server.mjs';
import { assertInWorker, file, run, running, visit } from '../toolchains/harness.mjs';
import { install, PREVIEW } from './app.mjs';
import { MAX_FILE_BYTES, TOKEN_KEY, withFastApi } from './fastapi.mjs';
import { base64, claimsOf, hex, seal as sealWith, storedDigest } from './node-server.mjs';

const CLI = process.env.DIRECTPUT_CLI ?? `${process.env.CARGO_TARGET_DIR ?? 'target'}/debug/directput`;
const ORIGIN = 'https://app.example';
const BUCKET = 'a-bucket-in-aws';
const golden = (name) => JSON.parse(readFileSync(`tests/golden/${name}.json`, 'utf8'));
const errors = readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([a-z-]+)` \| (\d+)/gm);
/** Status of each error code, from `docs/errors.md`. */
const STATUS = Object.fromEntries([...errors].map(([, code, status]) => [code, Number(status)]));

/** Verdicts of the checks that are not `ok`: there is one lane, and the option `--wait-for-expiry` is not set. */
const EXPECTED = { lanes: 'skipped', 'url-expiry': 'skipped' };

/** Runs `directput check`. Returns its report. */
function check(endpoint, ...options) {
  const args = ['check', '--json', '--endpoint', endpoint, '--origin', ORIGIN, ...options];
  const { stdout, stderr } = spawnSync(CLI, args, { encoding: 'utf8', timeout: 120_000 });
  assert.ok(stdout, stderr);
  return JSON.parse(stdout);
}

/** Returns a function that calls the API, as a caller with this name if it has one. */
const caller =
  (endpoint, name) =>
  async (method, path, { token, body, headers } = {}) => {
    const reply = await fetch(`${endpoint}${path}`, {
      method,
      headers: {
        ...(name && { authorization: `Bearer ${name}` }),
        ...(token && { 'upload-token': token }),
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
    const text = await reply.text();
    return { status: reply.status, headers: reply.headers, body: text && JSON.parse(text) };
  };

function assertRefused({ status, headers, body }, code, field) {
  assert.deepEqual([body.code, body.field, status], [code, field, STATUS[code]], JSON.stringify(body));
  assert.equal(headers.get('x-request-id'), body.requestId);
}

const partOf = (bytes, number = 1) => ({ number, length: bytes.length, checksum: base64(bytes) });
const small = (bytes) => ({ name: 'note.PDF', type: 'application/pdf', size: bytes.length, parts: [partOf(bytes)] });
const large = { name: 'film.mp4', type: 'video/mp4', size: 20 * MIB };
const put = ({ url, headers }, bytes) => fetch(url, { method: 'PUT', headers, body: bytes });
const seal = (claims, options) => sealWith(claims, { key: TOKEN_KEY, ...options });

test('FastAPI, directput check', async () => {
  await withFastApi(
    async ({ endpoint, s3, log }) => {
      const report = check(endpoint, '--authorization', 'Bearer ada');
      const others = report.checks.filter(({ verdict }) => verdict !== 'ok');
      assert.deepEqual(
        Object.fromEntries(others.map(({ name, verdict }) => [name, verdict])),
        EXPECTED,
        JSON.stringify(others),
      );
      assert.ok(report.checks.length > 80, `${report.checks.length} checks`);
      assert.deepEqual(openUploads(s3), []);
      assert.doesNotMatch(log.join(''), /X-Amz|eyJ|directput-check|Traceback|uploads\/[0-9a-f]/);
    },
    { origin: ORIGIN, app: 'fastapi_callers:app' },
  );
});

test('FastAPI, a page of another origin', async () => {
  const folder = install('vanilla');
  const [page, port] = [await freePort(), await freePort()];
  writeFileSync(join(folder, '.env.local'), `VITE_ENDPOINT=http://127.0.0.1:${port}/uploads\n`);
  run(folder, 'npm', 'run', 'build');
  const uploads = async (tab, s3) => {
    for (const [name, size] of Object.entries({ 'empty.bin': 0, 'small.bin': 1000, 'large.bin': 20 * MIB })) {
      const own = file(name, size);
      await tab.setInputFiles('input[type=file]', own);
      const row = tab.locator('li', { hasText: name });
      await row.getByText('Stored as').waitFor();
      const [key] = /uploads\/\S+/.exec(await row.textContent());
      assert.equal(await storedDigest(s3, key), hex(own.buffer), name);
    }
    assertInWorker(tab);
    assert.deepEqual(openUploads(s3), []);
  };
  await withFastApi(
    ({ s3 }) => running(folder, PREVIEW, (address) => visit(address, {}, (tab) => uploads(tab, s3)), { port: page }),
    { origin: `http://127.0.0.1:${page}`, port, settings: { ALLOWED_TYPES: '*/*' } },
  );
});

test('FastAPI, API', async (t) => {
  const options = { origin: ORIGIN, app: 'fastapi_callers:app' };
  await withFastApi(async ({ endpoint, s3 }) => {
    const call = caller(endpoint, 'ada');
    const open = async (body) => {
      const opened = await call('POST', '', { body });
      assert.equal(opened.status, 201, JSON.stringify(opened.body));
      return opened.body;
    };

    await t.test('requests of the protocol are understood', async () => {
      await open(golden('create-upload'));
      const batch = await call('POST', '/batch', { body: golden('create-uploads') });
      assert.equal(batch.body.uploads[0].kind, 'single');
      const { token } = await open({ ...large, size: 100 * MIB });
      const signed = await call('POST', '/parts', { token, body: golden('sign-parts') });
      assert.equal(signed.status, 200, JSON.stringify(signed.body));
      assert.equal((await call('DELETE', '', { token })).status, 204);
    });

    await t.test('a single PUT is signed for its bytes alone, and keeps the name', async () => {
      const bytes = Buffer.from('the bytes of a note');
      const { token, key, parts } = await open({ ...small(bytes), name: 'Käse & Brot.PDF' });
      assert.match(key, /^uploads\/[0-9a-f-]{36}\.pdf$/);
      assert.equal(parts[0].headers['x-amz-meta-name'], 'K%C3%A4se%20%26%20Brot.PDF');
      const again = await call('POST', '/parts', { token, body: { parts: [partOf(bytes)] } });
      assert.deepEqual(again.body.parts[0].headers, parts[0].headers);
      assert.equal((await put(again.body.parts[0], bytes)).status, 200);
      assert.equal(await storedDigest(s3, key), hex(bytes));
      const others = { parts: [partOf(Buffer.from('the bytes of a mote'))] };
      assertRefused(await call('POST', '/parts', { token, body: others }), 'invalid-value', 'parts[0].checksum');
      assertRefused(await call('GET', '/parts', { token }), 'not-multipart', 'upload-token');
      const twice = await open({ ...small(bytes), parts: [partOf(bytes), ...others.parts] });
      const checksums = twice.parts.map(({ headers }) => headers['x-amz-checksum-sha256']);
      assert.deepEqual(checksums, [base64(bytes)], 'part 1 is named twice, and signed for one set of bytes');
    });

    await t.test('a token is good for its caller and this bucket alone', async () => {
      const { token } = await open(large);
      const claims = claimsOf(token);
      const refused = async (by, given, code) =>
        assertRefused(await by('GET', '/parts', { token: given }), code, 'upload-token');
      await refused(call, undefined, 'token-missing');
      await refused(caller(endpoint, 'bob'), token, 'not-your-upload');
      assertRefused(await caller(endpoint)('GET', '/parts', { token }), 'unauthorized');
      assert.equal((await call('GET', '/parts', { token: seal(claims) })).status, 200, 'seals as the server does');
      await refused(call, seal({ ...claims, exp: 1 }), 'token-expired');
      for (const forged of [
        'x',
        'é',
        seal(claims, { key: 'another key that is long enough.' }),
        seal(claims, { alg: 'none' }),
        ...['aud', 'exp', 'sub'].map((name) => seal({ ...claims, [name]: undefined })),
        seal({ ...claims, aud: 'another-bucket' }),
      ])
        await refused(call, forged, 'token-invalid');
      assert.equal((await call('DELETE', '', { token })).status, 204);
    });

    await t.test('files and requests that break a rule are refused', async () => {
      const create = (changed, headers) => call('POST', '', { body: { ...large, ...changed }, headers });
      for (const [changed, code, field] of [
        [{ size: MAX_FILE_BYTES + 1 }, 'file-too-large', 'size'],
        [{ type: 'text/html' }, 'type-not-allowed', 'type'],
        [{ type: 'imagex/png' }, 'type-not-allowed', 'type'],
        [{ type: 'image/*' }, 'invalid-value', 'type'],
        [{ algorithm: 'crc64nvme' }, 'invalid-value', 'algorithm'],
        [{ size: 1.5 }, 'wrong-type', 'size'],
        [{ name: 'ä'.repeat(513) }, 'field-too-long', 'name'],
        [{ ['x'.repeat(99)]: 1 }, 'unknown-field', 'x'.repeat(64)],
        [{ parts: [{ number: 1, length: 5 }] }, 'missing-field', 'parts[0].checksum'],
      ])
        assertRefused(await create(changed), code, field);
      assertRefused(await create({ name: 'x'.repeat(MIB) }), 'body-too-large');
      assertRefused(await create({}, { 'content-type': 'text/plain' }), 'unsupported-media-type');
      assertRefused(await call('POST', '/', { body: large }), 'not-found');
      assertRefused(await call('PUT', '', { body: large }), 'method-not-allowed');
      assertRefused(await caller(endpoint)('POST', '', { body: {} }), 'unauthorized');
      const { token } = await open(large);
      const repeated = { parts: Array(101).fill(partOf(Buffer.alloc(1))) };
      assertRefused(await call('POST', '/parts', { token, body: repeated }), 'too-many-parts', 'parts');
      assertRefused(await call('GET', '/parts?after=0', { token }), 'out-of-range', 'after');
      assertRefused(await call('GET', '/parts?before=1', { token }), 'unknown-field', 'before');
      assertRefused(
        await call('POST', '/complete', { token, body: golden('complete-upload') }),
        'parts-incomplete',
        'parts',
      );
      assert.equal((await call('DELETE', '', { token })).status, 204);
      assert.deepEqual(openUploads(s3), []);
    });

    await t.test('each file of a batch has its own outcome, and a later one has a longer URL', async () => {
      const bytes = [randomBytes(MIB), randomBytes(MIB), randomBytes(MIB)];
      const files = bytes.map((own) => ({ ...small(own), network: '2g' }));
      const wrong = [{ ...files[0], parts: [] }, { ...files[0], size: MIB + 1 }, 5];
      const { body } = await call('POST', '/batch', { body: { uploads: [...files, ...wrong] } });
      const seconds = body.uploads.slice(0, 3).map(({ parts }) => parts[0].expiresInSeconds);
      assert.deepEqual(seconds, [251, 300, 300]);
      assert.deepEqual(
        body.uploads.slice(3).map(({ code, field }) => [code, field]),
        [
          ['empty-field', 'parts'],
          ['out-of-range', 'size'],
          ['wrong-type', undefined],
        ],
      );
      assert.equal((await put(body.uploads[1].parts[0], bytes[1])).status, 200);
      assert.equal(await storedDigest(s3, body.uploads[1].key), hex(bytes[1]));
    });
  }, options);
});

test('FastAPI, keys that the storage refuses', async () => {
  const use = async ({ endpoint, log }) => {
    assertRefused(await caller(endpoint)('POST', '', { body: large }), 'internal');
    assert.doesNotMatch(log.join(''), /Traceback/);
  };
  await withFastApi(use, { origin: ORIGIN, settings: { AWS_SECRET_ACCESS_KEY: 'another' } });
});

const error = (code) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>uploads/secret</Message></Error>`;
test("FastAPI, URLs of AWS are for the bucket's region", async () => {
  const use = async ({ endpoint }) => {
    const { body } = await caller(endpoint)('POST', '', { body: small(Buffer.from('x')) });
    const [{ url }] = body.parts;
    // `s3.amazonaws.com` redirects while a bucket is new, and browsers don't follow the redirect of a preflight.
    assert.equal(new URL(url).host, `${BUCKET}.s3.eu-central-1.amazonaws.com`);
  };
  // A single PUT is signed without a call to S3.
  const settings = { BUCKET, AWS_ENDPOINT_URL_S3: undefined, AWS_DEFAULT_REGION: 'eu-central-1' };
  await withFastApi(use, { origin: ORIGIN, settings });
});

/** Answers of S3 to a completion: status (or a function that answers), body, and the code of the API's answer. */
const ANSWERS = {
  'an upload that is gone': [404, error('NoSuchUpload'), 'upload-gone'],
  'a bucket that is gone': [404, error('NoSuchBucket'), 'internal'],
  'another region': [301, error('PermanentRedirect'), 'internal'],
  'another part': [400, error('InvalidPart'), 'parts-refused'],
  'another checksum of the object': [
    200,
    '<R><ETag>"x"</ETag><ChecksumSHA256>x-1</ChecksumSHA256></R>',
    'parts-refused',
  ],
  'no checksum of the object': [200, '<R><ETag>"x"</ETag></R>', 'parts-refused'],
  'an object that exists': [412, error('PreconditionFailed'), 'already-complete'],
  'a slow body': [400, error('RequestTimeout'), 'storage-unavailable'],
  'a conflict': [409, error('ConditionalRequestConflict'), 'storage-unavailable'],
  'a busy storage': [503, error('SlowDown'), 'storage-unavailable'],
  'an error inside a 200': [200, error('InternalError'), 'storage-unavailable'],
  'a body that is cut off': [200, '<R><ETag>', 'storage-unavailable'],
  'a closed connection': [(response) => response.destroy(), '', 'storage-unavailable'],
  // S3 sends spaces while it joins the parts.
  'no end of the body': [
    (response) => {
      const timer = setInterval(() => response.write(' '), 100);
      response.on('close', () => clearInterval(timer));
    },
    '',
    'storage-unavailable',
  ],
};

test('FastAPI, answers of the storage', async (t) => {
  let answer;
  const storage = createServer((request, response) => {
    request.resume();
    if (request.method === 'HEAD') return response.writeHead(404).end();
    const [status, body] = answer;
    return typeof status === 'function' ? status(response) : response.writeHead(status).end(body);
  });
  await once(storage.listen(0, '127.0.0.1'), 'listening');
  const settings = { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${storage.address().port}`, TEST_CALL_SECONDS: '2' };
  const use = async ({ endpoint, s3, log }) => {
    const part = partOf(Buffer.from('x'));
    const plan = {
      key: 'uploads/secret',
      size: 1,
      part_size: 8 * MIB,
      type: 'a/b',
      name: 'secret',
      upload_id: 'secret',
    };
    const token = seal({ ...plan, sub: 'ada', aud: s3.bucket, exp: 9e9 });
    const digest = base64(Buffer.from(part.checksum, 'base64'));
    const body = { parts: [{ number: 1, etag: 'x', checksum: part.checksum }], checksum: `${digest}-1` };
    for (const [name, [status, text, code]] of Object.entries(ANSWERS)) {
      await t.test(name, async () => {
        answer = [status, text];
        assertRefused(await caller(endpoint, 'ada')('POST', '/complete', { token, body }), code);
      });
    }
    assert.doesNotMatch(log.join(''), /secret|Traceback/);
  };
  try {
    await withFastApi(use, { origin: ORIGIN, app: 'fastapi_callers:app', settings });
  } finally {
    storage.close();
    storage.closeAllConnections();
  }
});

test('FastAPI, statuses and codes are those of docs/errors.md', () => {
  const [protocol, ...others] = ['protocol', 'server', 'storage'].map((name) =>
    readFileSync(`examples/fastapi/${name}.py`, 'utf8'),
  );
  const [, table] = /STATUS = \{([^}]*)\}/.exec(protocol);
  const named = Object.fromEntries(
    [...table.matchAll(/"([a-z-]+)": (\d+)/g)].map(([, code, at]) => [code, Number(at)]),
  );
  const codes = [protocol, ...others].flatMap((text) =>
    [...text.matchAll(/Refusal\("([a-z-]+)"/g)].map(([, code]) => code),
  );
  assert.ok(codes.length > 20);
  for (const code of [...codes, ...Object.keys(named)]) assert.equal(named[code] ?? 400, STATUS[code], code);
});
