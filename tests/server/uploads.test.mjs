// `createUploads`: callers, rules, addresses, CORS, events, and what happens if S3 or the application fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUploads } from '../../pkg/server/index.js';
import { CHECKSUM, CREATED, client, fakeS3, LARGE, OPTIONS, SMALL } from './fake-s3.mjs';

const refused = ({ status, headers, body }, expected, code) => {
  assert.deepEqual([status, body.code], [expected, code], JSON.stringify(body));
  assert.equal(headers.get('content-type'), 'application/problem+json');
  assert.equal(headers.get('x-request-id'), body.requestId);
};

test('a small file is opened without a call to S3', async (t) => {
  const { calls } = fakeS3(t);
  const { status, headers, body } = await client()('POST', '/uploads', { body: SMALL });
  assert.equal(status, 201, JSON.stringify(body));
  assert.equal(headers.get('cache-control'), 'no-store');
  const [{ url }] = body.parts;
  assert.match(url, /^https:\/\/bucket\.s3\.eu-central-1\.amazonaws\.com\/uploads\/[0-9a-f-]{36}\.txt\?/);
  assert.equal(body.parts[0].headers['x-amz-checksum-sha256'], CHECKSUM);
  assert.deepEqual(calls, []);
});

test('a large file is opened by a signed call to S3', async (t) => {
  const { calls, answers } = fakeS3(t);
  answers.push([200, CREATED]);
  const { status, body } = await client()('POST', '/uploads', { body: LARGE });
  assert.deepEqual([status, body.kind, body.partCount], [201, 'multipart', 3]);
  const [{ method, url, headers }] = calls;
  assert.deepEqual([method, new URL(url).search], ['POST', '?uploads']);
  assert.match(headers.authorization, /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-central-1\/s3\/aws4_request/);
  assert.deepEqual([headers['x-amz-checksum-algorithm'], headers['content-type']], ['SHA256', 'video/mp4']);
});

test('two uploads have two keys', async () => {
  const call = client();
  const keys = await Promise.all(
    [SMALL, SMALL].map(async (body) => (await call('POST', '/uploads', { body })).body.key),
  );
  assert.notEqual(...keys);
});

test('authorize names the caller, and only this caller continues the upload', async () => {
  const call = client({ authorize: (request) => ({ caller: request.headers.get('x-user') ?? undefined }) });
  const as = (user) => ({ headers: user ? { 'x-user': user } : {} });
  const { body } = await call('POST', '/uploads', { ...as('alice'), body: SMALL });
  assert.match(body.key, /^uploads\/[0-9a-f]{32}\//);
  const sign = (user) =>
    call('POST', '/uploads/parts', { ...as(user), token: body.token, body: { parts: SMALL.parts } });
  assert.equal((await sign('alice')).status, 200);
  refused(await sign('bob'), 403, 'not-your-upload');
  refused(await sign(), 403, 'not-your-upload');
});

test('authorize refuses by null, or by a response of its own', async () => {
  refused(await client({ authorize: async () => null })('POST', '/uploads', { body: SMALL }), 401, 'unauthorized');
  for (const nothing of [undefined, false, '', 0, Number.NaN]) {
    const call = client({ authorize: () => nothing });
    refused(await call('POST', '/uploads', { body: SMALL }), 401, 'unauthorized');
  }
  for (const wrong of [true, 'alice', 7, { caller: 7 }, { caller: '' }]) {
    const entries = [];
    const call = client({ authorize: () => wrong, onAnswered: (entry) => entries.push(entry) });
    refused(await call('POST', '/uploads', { body: SMALL }), 500, 'internal');
    assert.match(entries[0].error.message, /result of authorize is wrong: expected/);
  }
  const own = client({ authorize: () => Response.json({ mine: true }, { status: 418 }) });
  const { status, body } = await own('POST', '/uploads', { body: SMALL });
  assert.deepEqual([status, body], [418, { mine: true }]);
});

test('a failure of authorize is the application’s error, and the client gets no details', async (t) => {
  const entries = [];
  const authorize = () => {
    throw new Error('the session store is down');
  };
  const call = client({ authorize, onAnswered: (entry) => entries.push(entry) });
  const reply = await call('POST', '/uploads', { body: SMALL });
  refused(reply, 500, 'internal');
  assert.ok(!JSON.stringify(reply.body).includes('session'));
  assert.equal(entries[0].error.message, 'the session store is down');
  const logged = t.mock.method(console, 'error', () => {});
  await client({ authorize })('POST', '/uploads', { body: SMALL });
  assert.equal(logged.mock.calls[0].arguments[1].message, 'the session store is down');
});

test('rules of authorize are narrower than the server’s', async () => {
  const of = (rules) => client({ allowedTypes: ['text/*', 'image/*'], authorize: () => rules });
  const open = (rules, more) => of(rules)('POST', '/uploads', { body: { ...SMALL, ...more } });
  assert.equal((await open({ maxFileBytes: 5, allowedTypes: ['text/plain'] })).status, 201);
  refused(await open({ maxFileBytes: 4 }), 413, 'file-too-large');
  refused(await open({ allowedTypes: ['image/*'] }), 415, 'type-not-allowed');
  refused(await open({ allowedTypes: ['video/*'] }, { type: 'video/mp4' }), 415, 'type-not-allowed');
  assert.match((await open({ folder: 'tenant-7/a' })).body.key, /^uploads\/tenant-7\/a\/[0-9a-f-]{36}\.txt$/);
});

test('a wrong rule is the application’s error', async () => {
  for (const rules of [{ folder: '../x' }, { allowedTypes: ['x'] }, { maxFileBytes: -1 }, { tenant: 7 }]) {
    const entries = [];
    const call = client({ authorize: () => rules, onAnswered: (entry) => entries.push(entry) });
    refused(await call('POST', '/uploads', { body: SMALL }), 500, 'internal');
    assert.match(entries[0].error.message, /^authorize returned a wrong rule: /, JSON.stringify(rules));
  }
});

test('the API answers below its path, wherever that is', async () => {
  const found = async (options, path) => (await client(options)('POST', path, { body: SMALL })).status;
  for (const path of ['/uploads', '/api/uploads', '/a/b/uploads?tenant=7'])
    assert.equal(await found({}, path), 201, path);
  for (const path of ['/', '/upload', '/uploads/x', '/uploads/parts/x', '/myuploads'])
    assert.equal(await found({}, path), 404, path);
  const moved = { path: '/api/files' };
  assert.equal(await found(moved, '/api/files'), 201);
  for (const path of ['/uploads', '/api/files2', '/api', '/api/files/uploads'])
    assert.equal(await found(moved, path), 404, path);
});

test('the options may be a function, which the first request calls', async () => {
  let calls = 0;
  const uploads = createUploads(() => {
    calls += 1;
    return calls === 1 ? { ...OPTIONS, tokenKey: '' } : OPTIONS;
  });
  assert.equal(calls, 0);
  const open = () =>
    uploads(
      new Request('http://api.example/uploads', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(SMALL),
      }),
    );
  await assert.rejects(open, /tokenKey is missing/);
  assert.deepEqual([(await open()).status, (await open()).status, calls], [201, 201, 2]);
});

test('a request that cannot be found without the option path is warned of once', async (t) => {
  const warned = t.mock.method(console, 'warn', () => {});
  const call = client();
  for (let run = 0; run < 2; run += 1) assert.equal((await call('POST', '/api/files', { body: SMALL })).status, 404);
  assert.equal(warned.mock.calls.length, 1);
  assert.match(warned.mock.calls[0].arguments[0], /\/api\/files does not end with \/uploads.* set the option path/);
});

test('a path without a call, and a call by another method', async () => {
  const call = client();
  refused(await call('GET', '/uploads/nothing'), 404, 'not-found');
  const reply = await call('PUT', '/uploads/parts');
  refused(reply, 405, 'method-not-allowed');
  assert.equal(reply.headers.get('allow'), 'POST,GET,HEAD');
});

test('pages of other origins need permission', async () => {
  const call = client({ allowOrigins: ['https://app.example'] });
  const from = (origin) => ({ headers: { origin } });
  const preflight = await call('OPTIONS', '/uploads', from('https://app.example'));
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), 'https://app.example');
  assert.match(preflight.headers.get('access-control-allow-headers'), /upload-token/);
  const answered = await call('POST', '/uploads', { ...from('https://app.example'), body: {} });
  assert.equal(answered.headers.get('access-control-allow-origin'), 'https://app.example');
  assert.match(answered.headers.get('access-control-expose-headers'), /x-request-id/);
  assert.match(answered.headers.get('vary'), /origin/i);
  for (const origin of ['https://evil.example', 'null']) {
    const other = await call('OPTIONS', '/uploads', from(origin));
    assert.deepEqual([other.status, other.headers.get('access-control-allow-origin')], [405, null]);
  }
});

test('a body without an end is refused after 16 MiB', async () => {
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      sent += 1;
      controller.enqueue(new Uint8Array(64 << 10).fill(32));
    },
  });
  const headers = { 'content-type': 'application/json' };
  const request = new Request('http://api.example/uploads', { method: 'POST', headers, body, duplex: 'half' });
  const reply = await createUploads(OPTIONS)(request);
  assert.deepEqual([reply.status, (await reply.json()).code], [413, 'body-too-large']);
  assert.ok(sent < 300, `${sent} chunks of 64 KiB were read`);
});

/** Opens a large file with three parts. Returns its token and the request that completes it. */
async function opened(call, answers) {
  answers.push([200, CREATED]);
  const { body } = await call('POST', '/uploads', { body: { ...LARGE, algorithm: 'none' } });
  const parts = [1, 2, 3].map((number) => ({ number, etag: 'e' }));
  return { token: body.token, body: { parts } };
}

const COMPLETED = '<CompleteMultipartUploadResult><ETag>"e-3"</ETag></CompleteMultipartUploadResult>';
const NO_CHECKSUM = { allowedChecksums: ['none', 'sha256'] };

test('onCompleted is awaited before the client hears of it', async (t) => {
  const { answers } = fakeS3(t);
  const seen = [];
  const onCompleted = async (upload) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    seen.push(upload);
  };
  const call = client({ ...NO_CHECKSUM, onCompleted, authorize: () => ({ caller: 'alice' }) });
  const completion = await opened(call, answers);
  answers.push([200, COMPLETED]);
  const { status, body } = await call('POST', '/uploads/complete', completion);
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(seen, [{ key: body.key, size: LARGE.size, checksum: undefined, etag: 'e-3', caller: 'alice' }]);
});

test('if onCompleted fails, the client repeats the completion', async (t) => {
  const { answers } = fakeS3(t);
  let runs = 0;
  const onCompleted = () => {
    runs += 1;
    if (runs === 1) throw new Error('the database is down');
  };
  const call = client({ ...NO_CHECKSUM, onCompleted, onAnswered: () => {} });
  const completion = await opened(call, answers);
  answers.push([200, COMPLETED], [200, COMPLETED]);
  refused(await call('POST', '/uploads/complete', completion), 500, 'internal');
  assert.equal((await call('POST', '/uploads/complete', completion)).status, 200);
  assert.equal(runs, 2);
});

test('onCompleted does not run for a refused completion', async (t) => {
  const { answers } = fakeS3(t);
  const onCompleted = () => assert.fail('not completed');
  const call = client({ ...NO_CHECKSUM, onCompleted });
  const completion = await opened(call, answers);
  answers.push([400, '<Error><Code>InvalidPart</Code></Error>']);
  refused(await call('POST', '/uploads/complete', completion), 409, 'parts-refused');
});

test('with onCompleted, a small file is a multipart upload too, because a single PUT ends without the API', async (t) => {
  const { answers } = fakeS3(t);
  answers.push([200, CREATED]);
  const { body } = await client({ onCompleted: () => {} })('POST', '/uploads', { body: SMALL });
  assert.deepEqual([body.kind, body.partCount, body.maxUploadsPerRequest], ['multipart', 1, 0]);
});

test('the codes of S3’s failures tell the client whether to try again', async (t) => {
  const { answers } = fakeS3(t);
  for (const [answer, status, code] of [
    [[0], 503, 'storage-unavailable'],
    [[503, '<Error><Code>SlowDown</Code></Error>'], 503, 'storage-unavailable'],
    [[403, '<Error><Code>AccessDenied</Code></Error>'], 500, 'internal'],
    [[200, 'cut'], 503, 'storage-unavailable'],
  ]) {
    answers.push(answer);
    refused(await client()('POST', '/uploads', { body: LARGE }), status, code);
  }
});

test('credentials may be a function that returns temporary keys', async (t) => {
  const { calls, answers } = fakeS3(t);
  answers.push([200, CREATED]);
  const credentials = async () => ({ accessKeyId: 'TEMP', secretAccessKey: 'hush', sessionToken: 'a+b' });
  await client({ credentials })('POST', '/uploads', { body: LARGE });
  assert.equal(calls[0].headers['x-amz-security-token'], 'a+b');
  const { body } = await client({ credentials })('POST', '/uploads', { body: SMALL });
  assert.match(body.parts[0].url, /X-Amz-Security-Token=a%2Bb/);
  const failing = client({ credentials: async () => Promise.reject(new Error('no role')), onAnswered: () => {} });
  refused(await failing('POST', '/uploads', { body: SMALL }), 500, 'internal');
});

test('onAnswered gets codes and numbers, and nothing of the client’s', async () => {
  const entries = [];
  const call = client({ onAnswered: (entry) => entries.push(entry) });
  const { headers } = await call('POST', '/uploads', { body: { ...SMALL, name: 'secret.txt', size: -1 } });
  const [{ milliseconds, ...entry }] = entries;
  assert.ok(milliseconds >= 0);
  const expected = { requestId: headers.get('x-request-id'), method: 'POST', status: 400, code: 'out-of-range' };
  assert.deepEqual(entry, { ...expected, error: undefined });
});

test('requests leave no memory behind', async () => {
  const call = client();
  const bytes = () => process.memoryUsage().arrayBuffers;
  for (let run = 0; run < 200; run += 1) await call('POST', '/uploads', { body: SMALL });
  const before = bytes();
  for (let run = 0; run < 3_000; run += 1) await call('POST', '/uploads', { body: SMALL });
  assert.ok(bytes() - before < 8 << 20, `${bytes() - before} bytes more`);
});
