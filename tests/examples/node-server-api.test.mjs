// The API of the example of a Node server: the requests that it signs, and the requests that it refuses.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { test } from 'node:test';
import { openUploads } from '../e2e/bucket.mjs';
import { base64, claimsOf, hex, MAX_FILE_BYTES, seal, storedDigest, withNodeServer } from './node-server.mjs';

const MIB = 2 ** 20;
const isGarage = Boolean(process.env.USE_S3);
/** Status of each error code, from `docs/errors.md`. */
const STATUS = Object.fromEntries(
  [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([a-z-]+)` \| (\d+)/gm)].map(([, code, status]) => [
    code,
    Number(status),
  ]),
);
const golden = (name) => JSON.parse(readFileSync(`tests/golden/${name}.json`, 'utf8'));
const OPENAPI = readFileSync('docs/openapi.yaml', 'utf8');
/** Checks that a reply has all fields that a schema of the protocol requires. */
function assertIs(schema, reply) {
  const [, required] = new RegExp(`^ {4}${schema}:\\n {6}type: object\\n {6}required: \\[(.*)\\]`, 'm').exec(OPENAPI);
  for (const field of required.split(', ')) assert.notEqual(reply[field], undefined, `${schema}.${field}`);
}

/** Opens the page. Returns a function that calls the API with the page's cookie. */
async function visitor(address) {
  const page = await fetch(address);
  const [cookie] = page.headers.get('set-cookie').split(';');
  return async (method, path, { token, body, ...headers } = {}) => {
    const isText = typeof body === 'string';
    const reply = await fetch(new URL(`uploads${path}`, address), {
      method,
      headers: {
        cookie,
        ...(token && { 'upload-token': token }),
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: isText ? body : body && JSON.stringify(body),
    });
    const text = await reply.text();
    return { status: reply.status, headers: reply.headers, body: text && JSON.parse(text) };
  };
}

function assertRefused({ status, headers, body }, code, field) {
  assert.deepEqual([body.code, status, body.status], [code, STATUS[code], STATUS[code]], JSON.stringify(body));
  assert.equal(body.field, field);
  assertIs('Problem', body);
  assert.equal(body.type, `urn:directput:error:${code}`);
  assert.match(headers.get('content-type'), /^application\/problem\+json/);
  assert.equal(headers.get('x-request-id'), body.requestId);
}

const signedHeaders = ({ url }) => new URL(url).searchParams.get('X-Amz-SignedHeaders').split(';');

const put = (part, bytes, changed) =>
  fetch(part.url, { method: 'PUT', body: bytes, headers: { ...part.headers, ...changed } });

const small = (bytes) => ({
  name: 'note.PDF',
  type: 'application/pdf',
  size: bytes.length,
  parts: [{ number: 1, length: bytes.length, checksum: base64(bytes) }],
});
const large = { name: 'film.mp4', type: 'video/mp4', size: 20 * MIB };
const contents = [8, 8, 4].map((size) => randomBytes(size * MIB));
const parts = contents.map((bytes, index) => ({ number: index + 1, length: bytes.length, checksum: base64(bytes) }));

function compositeOf(listed) {
  const digests = Buffer.concat(listed.map(({ checksum }) => Buffer.from(checksum, 'base64')));
  return `${base64(digests)}-${listed.length}`;
}

/**
 * Opens an upload in parts and sends all parts. Returns the API's reply, the token, the key, and the body to complete
 * it.
 */
async function sendAll(call) {
  const created = await call('POST', '', { body: { ...large, parts } });
  const { token, key } = created.body;
  const listed = [];
  for (const [index, part] of created.body.parts.entries()) {
    const reply = await put(part, contents[index]);
    assert.equal(reply.status, 200, await reply.text());
    const etag = reply.headers.get('etag').replaceAll('"', '');
    listed.push({ number: part.number, etag, checksum: parts[index].checksum });
  }
  return { created, token, key, body: { parts: listed, checksum: compositeOf(listed) } };
}

test('Node server, API', async (t) => {
  await withNodeServer(async ({ address, s3 }) => {
    const call = await visitor(address);

    await t.test('a single PUT is signed for these bytes, and once', async () => {
      const bytes = Buffer.from('the bytes of a note');
      const { status, body } = await call('POST', '', { body: small(bytes) });
      assert.equal(status, 201);
      assertIs('UploadCreated', body);
      assert.match(body.key, /^uploads\/[0-9a-f-]{36}\.pdf$/);
      const [part] = body.parts;
      assertIs('SignedPart', part);
      assert.deepEqual(signedHeaders(part).sort(), ['content-length', 'host', ...Object.keys(part.headers)].sort());
      assert.equal(part.headers['if-none-match'], '*');
      for (const [what, forged, headers] of [
        ['other bytes', Buffer.from('the bytes of a mote')],
        ['fewer bytes', bytes.subarray(1)],
        [
          'other bytes with their checksum',
          Buffer.from('x'.repeat(19)),
          { 'x-amz-checksum-sha256': base64('x'.repeat(19)) },
        ],
        ['another type', bytes, { 'content-type': 'text/html' }],
        ['another encoding', bytes, { 'content-encoding': 'gzip' }],
        ['another disposition', bytes, { 'content-disposition': 'inline' }],
        ['over an object', bytes, { 'if-none-match': 'x' }],
      ]) {
        const { status } = await put(part, forged, headers);
        assert.ok(status >= 400 && status < 500, `${what}: ${status}`);
      }
      assert.equal((await put(part, bytes)).status, 200);
      assert.equal(await storedDigest(s3, body.key), hex(bytes));
      // Garage ignores `If-None-Match`.
      assert.equal((await put(part, bytes)).status, isGarage ? 200 : 412);

      const { token } = body;
      const again = { number: 1, length: bytes.length, checksum: base64(bytes) };
      assert.equal((await call('POST', '/parts', { token, body: { parts: [again] } })).status, 200);
      const others = { parts: [{ ...again, checksum: base64('other bytes') }] };
      assertRefused(await call('POST', '/parts', { token, body: others }), 'invalid-value', 'parts[0].checksum');
      assertRefused(await call('GET', '/parts', { token }), 'not-multipart', 'upload-token');
      assert.equal((await call('DELETE', '', { token })).status, 204);
    });

    await t.test('a file that names a part twice is refused', async () => {
      const [part] = small(Buffer.from('a')).parts;
      const twice = { ...small(Buffer.from('a')), parts: [part, { ...part, checksum: base64('b') }] };
      assertRefused(await call('POST', '', { body: twice }), 'part-repeated', 'parts[1].number');
    });

    await t.test('an empty file is one part', async () => {
      const { body } = await call('POST', '', { body: small(Buffer.alloc(0)) });
      assert.deepEqual([body.kind, body.partCount, body.parts.length], ['single', 1, 1]);
      assert.equal((await put(body.parts[0], Buffer.alloc(0))).status, 200);
    });

    await t.test('a small file whose bytes are not named is an upload of one part', async () => {
      const { body } = await call('POST', '', { body: { ...large, size: 5 } });
      assert.deepEqual([body.kind, body.partCount, body.partSize >= 5 * MIB], ['multipart', 1, true]);
      assert.equal((await call('DELETE', '', body)).status, 204);
    });

    await t.test('parts are listed and joined, and a repeated completion is answered as the first', async () => {
      const { created, token, key, body } = await sendAll(call);
      assertIs('UploadCreated', created.body);
      const listed = await call('GET', '/parts', { token });
      assertIs('PartsListed', listed.body);
      assert.deepEqual(
        listed.body.parts,
        body.parts.map((part, index) => ({ ...part, size: parts[index].length })),
      );
      assert.deepEqual((await call('GET', '/parts?after=2', { token })).body.parts.length, 1);
      assertRefused(await call('GET', '/parts?after=x', { token }), 'wrong-type', 'after');

      for (const [code, field, change] of [
        ['parts-incomplete', 'parts', (it) => it.parts.pop()],
        ['parts-incomplete', 'parts[0].number', (it) => it.parts.shift()],
        ['parts-incomplete', 'parts[0].number', (it) => it.parts.reverse()],
        ['parts-incomplete', 'parts', (it) => it.parts.push({ ...it.parts[2], number: 4 })],
        ['invalid-value', 'checksum', (it) => Object.assign(it, { checksum: `${base64('x')}-3` })],
        ['missing-field', 'checksum', (it) => delete it.checksum],
        ['missing-field', 'parts[1].etag', (it) => delete it.parts[1].etag],
      ]) {
        const forged = structuredClone(body);
        change(forged);
        assertRefused(await call('POST', '/complete', { token, body: forged }), code, field);
      }
      const otherTag = structuredClone(body);
      otherTag.parts[0].etag = '0'.repeat(32);
      assertRefused(await call('POST', '/complete', { token, body: otherTag }), 'parts-refused');

      const first = await call('POST', '/complete', { token, body });
      assert.equal(first.status, 200, JSON.stringify(first.body));
      assertIs('UploadCompleted', first.body);
      assert.deepEqual([first.body.key, first.body.checksum, first.body.size], [key, body.checksum, large.size]);
      assert.equal(await storedDigest(s3, key), hex(Buffer.concat(contents)));
      assert.deepEqual((await call('POST', '/complete', { token, body })).body, first.body);
      // S3 answers any repeated completion with the existing object.
      const others = body.parts.map((part) => ({ ...part, checksum: base64('other bytes') }));
      const forged = { parts: others, checksum: compositeOf(others) };
      assertRefused(await call('POST', '/complete', { token, body: forged }), 'parts-refused');
      assert.equal((await call('DELETE', '', { token })).status, 204);
      assert.equal(await storedDigest(s3, key), hex(Buffer.concat(contents)), 'cancelling it leaves the object');
    });

    await t.test('requests of the protocol are understood', async () => {
      const created = await call('POST', '', { body: golden('create-upload') });
      assert.equal(created.status, 201, JSON.stringify(created.body));
      const { body } = await call('POST', '', { body: { ...large, size: 100 * MIB } });
      const signed = await call('POST', '/parts', { token: body.token, body: golden('sign-parts') });
      assert.equal(signed.status, 200, JSON.stringify(signed.body));
      assert.equal((await call('DELETE', '', { token: body.token })).status, 204);
    });

    await t.test('parts are signed by the plan alone', async () => {
      const { body: created } = await call('POST', '', { body: { ...large, parts: [{ ...parts[0], length: 5 }] } });
      const { token } = created;
      assert.deepEqual(created.parts, [], 'a part of another plan is left out');
      const sign = (...wanted) => call('POST', '/parts', { token, body: { parts: wanted } });
      const signed = await sign(...parts);
      assertIs('PartsSigned', signed.body);
      assert.deepEqual(signedHeaders(signed.body.parts[0]), ['content-length', 'host', 'x-amz-checksum-sha256']);
      assert.ok(signed.body.parts.every(({ expiresInSeconds }) => expiresInSeconds >= 60 && expiresInSeconds <= 300));
      for (const [what, bytes, headers] of [
        ['other bytes', Buffer.alloc(8 * MIB)],
        ['other bytes with their checksum', Buffer.alloc(5), { 'x-amz-checksum-sha256': base64(Buffer.alloc(5)) }],
      ]) {
        const { status } = await put(signed.body.parts[0], bytes, headers);
        assert.ok(status >= 400 && status < 500, `${what}: ${status}`);
      }
      assertRefused(await sign({ ...parts[0], number: 4 }), 'part-out-of-range', 'parts[0].number');
      assertRefused(await sign(parts[0], { ...parts[1], length: 5 }), 'part-wrong-length', 'parts[1].length');
      assertRefused(await sign(parts[0], parts[0]), 'part-repeated', 'parts[1].number');
      assertRefused(await sign(...Array(101).fill(parts[0])), 'too-many-parts', 'parts');
      assertRefused(await sign(), 'empty-field', 'parts');
      assertRefused(await sign({ number: 1, length: 8 * MIB }), 'missing-field', 'parts[0].checksum');
      assert.equal((await call('DELETE', '', { token })).status, 204);
      assertRefused(await call('GET', '/parts', { token }), 'upload-gone');
      assert.deepEqual(openUploads(s3), []);
    });

    await t.test('a token is good for its caller and this server alone', async () => {
      const { token } = (await call('POST', '', { body: large })).body;
      const claims = claimsOf(token);
      const refused = (given, code) =>
        call('GET', '/parts', given && { token: given }).then((reply) => assertRefused(reply, code, 'upload-token'));
      const other = await visitor(address);
      assertRefused(await other('GET', '/parts', { token }), 'not-your-upload', 'upload-token');
      assertRefused(await other('DELETE', '', { token }), 'not-your-upload', 'upload-token');
      assertRefused(await call('GET', '/parts', { token, cookie: 'caller=x' }), 'unauthorized');
      await refused(undefined, 'token-missing');
      assert.equal(
        (await call('GET', '/parts', { token: seal(claims) })).status,
        200,
        'the test seals as the server does',
      );
      await refused(seal({ ...claims, exp: 1 }), 'token-expired');
      for (const forged of [
        'x',
        token.slice(0, -1),
        seal(claims, { key: 'another key that is long enough.' }),
        seal(claims, { alg: 'none' }),
        seal({ ...claims, aud: 'another-bucket' }),
        seal({ ...claims, exp: undefined }),
      ])
        await refused(forged, 'token-invalid');
      assert.equal((await call('DELETE', '', { token })).status, 204);
    });

    await t.test('files and requests that break a rule are refused', async () => {
      const create = (changed, headers) => call('POST', '', { body: { ...large, ...changed }, ...headers });
      assertRefused(await create({ size: MAX_FILE_BYTES + 1 }), 'file-too-large', 'size');
      for (const type of ['text/html', 'imagex/png', 'image', 'application/pdfx'])
        assertRefused(await create({ type }), type === 'image' ? 'invalid-value' : 'type-not-allowed', 'type');
      assertRefused(await create({ type: 'image/png\nx: y' }), 'invalid-value', 'type');
      assertRefused(await create({ algorithm: 'crc64nvme' }), 'invalid-value', 'algorithm');
      assertRefused(await create({ size: -1 }), 'out-of-range', 'size');
      assertRefused(await create({ size: '1' }), 'wrong-type', 'size');
      assertRefused(await create({ name: '' }), 'empty-field', 'name');
      assertRefused(await create({ name: 'ä'.repeat(513) }), 'field-too-long', 'name');
      assertRefused(await create({ key: 'uploads/mine' }), 'unknown-field', 'key');
      assertRefused(await create({ name: 'x'.repeat(20 * MIB) }), 'body-too-large');
      assertRefused(await create({}, { 'content-type': 'text/plain' }), 'unsupported-media-type');
      assertRefused(await call('POST', '', { body: '{' }), 'invalid-json');
      assertRefused(await call('POST', '/other', { body: large }), 'not-found');
      assertRefused(await call('PUT', '', { body: large }), 'method-not-allowed');
      assert.deepEqual(openUploads(s3), []);
    });

    await t.test('the key has no more of the name than a harmless extension', async () => {
      for (const [name, ending] of [
        ['../../x', ''],
        ['a.PNG', '.png'],
        ['.png', ''],
        ['a.p ng', ''],
        ['a.abcdefghijk', ''],
        ['x.php/../y', ''],
      ]) {
        const { body } = await call('POST', '', { body: { ...small(Buffer.from('x')), name } });
        assert.match(body.key, new RegExp(`^uploads/[0-9a-f-]{36}${ending.replace('.', '\\.')}$`), name);
      }
    });

    await t.test('no path leads out of the page, and none ends the server', async () => {
      for (const path of [
        '/directput/../server.js',
        '/../server.js',
        '/directput/%2e%2e/%2e%2e/server.js',
        '//',
        '/%',
      ]) {
        const status = await new Promise((resolve, reject) => {
          const { hostname, port } = new URL(address);
          request({ hostname, port, path }, (reply) => resolve(reply.resume().statusCode))
            .on('error', reject)
            .end();
        });
        assert.ok(status === 404 || path === '//', `${path}: ${status}`);
      }
      assert.equal((await fetch(address)).status, 200);
    });
  });
});

test('Node server, with all types allowed', async () => {
  const use = async ({ address }) => {
    const call = await visitor(address);
    const { status } = await call('POST', '', { body: { ...small(Buffer.from('x')), type: 'x-any/thing' } });
    assert.equal(status, 201);
  };
  await withNodeServer(use, { ALLOWED_TYPES: '*/*' });
});
