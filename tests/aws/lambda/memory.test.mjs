// Peak memory of the function for a completion of 10,000 parts and for hostile bodies. This process replaces the Lambda
// runtime API (Lambda Developer Guide, "Using the Lambda runtime API") and S3.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

const BINARY = process.env.DIRECTPUT_API ?? `${process.env.CARGO_TARGET_DIR ?? 'target'}/debug/directput-api`;
const MIB = 1 << 20;
const PARTS = 10_000;
/** Maximum peak memory, in bytes: a quarter of the function's 256 MB in the template. */
const MAX_BYTES = 64 * MIB;

const digest = createHash('sha256').update('x').digest();
const composite = `${createHash('sha256')
  .update(Buffer.concat(Array(PARTS).fill(digest)))
  .digest('base64')}-${PARTS}`;

let s3;
let runtime;
let child;
/** Event for the function's next request. The function may still be starting. */
let event = deferred();
/** Function that resolves the promise of the function's answer. */
let take;

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function textOf(stream) {
  const chunks = [];
  for await (const bytes of stream) chunks.push(bytes);
  return Buffer.concat(chunks).toString();
}

before(async () => {
  s3 = await listen(async (request, response) => {
    await textOf(request);
    const isCreate = request.url.includes('?uploads');
    const completed = `<ETag>"e"</ETag><ChecksumSHA256>${composite}</ChecksumSHA256>`;
    response.end(
      isCreate
        ? '<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>'
        : `<CompleteMultipartUploadResult>${completed}</CompleteMultipartUploadResult>`,
    );
  });
  runtime = await listen(async (request, response) => {
    if (!request.url.endsWith('/invocation/next')) {
      take(JSON.parse(await textOf(request)));
      return response.writeHead(202).end('{}');
    }
    const asked = await event.promise;
    event = deferred();
    response.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': 'request',
      'lambda-runtime-deadline-ms': String(Date.now() + 30_000),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-central-1:123456789012:function:test',
    });
    response.end(JSON.stringify(asked));
  });
  child = spawn(BINARY, {
    stdio: 'ignore',
    env: {
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${runtime.address().port}`,
      AWS_LAMBDA_FUNCTION_NAME: 'test',
      AWS_LAMBDA_FUNCTION_VERSION: '1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_LOG_GROUP_NAME: 'test',
      AWS_LAMBDA_LOG_STREAM_NAME: 'test',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDEMULATED',
      AWS_SECRET_ACCESS_KEY: 'secret',
      BUCKET: 'emulated-bucket',
      MAX_FILE_BYTES: String(2 ** 40),
      S3_ENDPOINT: `http://127.0.0.1:${s3.address().port}`,
      TOKEN_KEY: 'k'.repeat(32),
    },
  });
});

after(() => {
  child.kill('SIGKILL');
  for (const server of [s3, runtime]) {
    server.closeAllConnections();
    server.close();
  }
});

async function invoke(path, body, token = '') {
  const answered = new Promise((resolve) => {
    take = resolve;
  });
  event.resolve({
    version: '2.0',
    routeKey: `POST ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', host: 'api.example.com', 'upload-token': token },
    requestContext: {
      accountId: '1',
      apiId: 'api',
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'request',
      routeKey: `POST ${path}`,
      stage: '$default',
      time: '24/Nov/2026:12:00:00 +0000',
      timeEpoch: 1795521600000,
    },
    body,
    isBase64Encoded: false,
  });
  const { statusCode, body: text } = await answered;
  return { status: statusCode, reply: JSON.parse(text) };
}

/** Returns the peak memory of the function, in bytes (Linux, proc(5), `VmHWM`). */
const peak = () => Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) * 1024;
const mebibytes = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

test('a completion of 10,000 parts and invalid bodies take at most a quarter of the memory', async () => {
  const file = { name: 'film', type: 'a/b', size: PARTS * 8 * MIB };
  const { status, reply } = await invoke('/uploads', JSON.stringify(file));
  assert.equal(status, 201, JSON.stringify(reply));
  const atStart = peak();

  const checksum = digest.toString('base64');
  const parts = Array.from({ length: PARTS }, (_, at) => ({ number: at + 1, etag: 'e'.repeat(32), checksum }));
  const completed = await invoke('/uploads/complete', JSON.stringify({ parts, checksum: composite }), reply.token);
  assert.deepEqual([completed.status, completed.reply.checksum], [200, composite], JSON.stringify(completed));
  const afterParts = peak();

  for (const item of ['0,', '{},', '[],', `${JSON.stringify(parts[0])},`]) {
    const body = `{"parts":[${item.repeat(Math.floor((3 * MIB - 20) / item.length))}0]}`;
    const { status } = await invoke('/uploads/complete', body, reply.token);
    assert.equal(status, 400, item);
  }
  const afterNonsense = peak();
  console.log(
    `memory: ${mebibytes(atStart)} to open, ${mebibytes(afterParts)} to complete ${PARTS} parts, ` +
      `${mebibytes(afterNonsense)} after 3 MiB of nonsense`,
  );
  assert.ok(afterNonsense < MAX_BYTES, mebibytes(afterNonsense));
});
