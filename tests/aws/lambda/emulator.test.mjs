// The Lambda binary in cargo-lambda's emulator of the Lambda runtime. A test sends an event of API Gateway's HTTP API
// (payload format version 2.0), and gets a presigned URL.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, keepLog } from '../../e2e/server.mjs';

let emulator;
let url;
let output = '';

before(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}/2015-03-31/functions/directput-api/invocations`;
  const args = ['lambda', 'watch', '--ignore-changes', '--invoke-address', '127.0.0.1', '--invoke-port', port];
  emulator = spawn('cargo', [...args, '--package', 'directput-lambda'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      BUCKET: 'emulated-bucket',
      TOKEN_KEY: 'k'.repeat(32),
      MAX_FILE_BYTES: '1000000',
      JWT_ISSUER: 'https://home.example',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDEMULATED',
      AWS_SECRET_ACCESS_KEY: 'secret',
    },
  });
  for (const stream of [emulator.stdout, emulator.stderr]) {
    stream.on('data', (bytes) => {
      output += bytes;
    });
  }
});

after(() => {
  keepLog(output.split('\n').filter((line) => line.startsWith('{"timestamp"')));
  // Kills the process group: the emulator, and the function that it has started.
  process.kill(-emulator.pid, 'SIGTERM');
});

function event(method, path, body, claims) {
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', host: 'api.example.com' },
    requestContext: {
      accountId: '123456789012',
      ...(claims && { authorizer: { jwt: { claims, scopes: null } } }),
      apiId: 'api',
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'gateway-request',
      routeKey: `${method} ${path}`,
      stage: '$default',
      time: '24/Nov/2026:12:00:00 +0000',
      timeEpoch: 1795521600000,
    },
    body: JSON.stringify(body),
    isBase64Encoded: false,
  };
}

async function invoke(payload) {
  // The first call waits until the function is built and started.
  for (const until = Date.now() + 500_000; ; await sleep(500)) {
    try {
      const reply = await fetch(url, { method: 'POST', body: JSON.stringify(payload) });
      if (reply.ok) return await reply.json();
      output += `invocation answered ${reply.status}: ${await reply.text()}\n`;
    } catch (error) {
      output += `${error}\n`;
    }
    assert.ok(Date.now() < until, output.slice(-4000));
  }
}

test('an HTTP API event is answered with a signed URL, and one over the limit with a problem', async () => {
  const checksum = 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=';
  const parts = [{ number: 1, length: 3, checksum }];
  const request = { name: 'a.png', type: 'image/png', size: 3, parts };
  const reply = await invoke(event('POST', '/uploads', request));
  assert.equal(reply.statusCode, 201, JSON.stringify(reply));
  const {
    key,
    parts: [signed],
  } = JSON.parse(reply.body);
  assert.match(key, /^uploads\/[0-9a-f-]{36}\.png$/);
  const presigned = new URL(signed.url);
  assert.equal(presigned.host, 'emulated-bucket.s3.eu-central-1.amazonaws.com');
  assert.equal(presigned.pathname, `/${key}`);
  assert.equal(presigned.searchParams.get('X-Amz-Expires'), '60');
  assert.match(
    presigned.searchParams.get('X-Amz-SignedHeaders'),
    /content-length.*if-none-match.*x-amz-checksum-sha256/,
  );
  assert.equal(signed.headers['x-amz-checksum-sha256'], checksum);

  const refusal = await invoke(event('POST', '/uploads', { ...request, size: 1_000_001 }));
  assert.equal(refusal.statusCode, 413);
  assert.equal(JSON.parse(refusal.body).code, 'file-too-large');
});

test('the caller is the subject of an issuer, and the log has all ids and no names', async () => {
  const checksum = 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=';
  const request = { name: 'a.png', type: 'image/png', size: 3, parts: [{ number: 1, length: 3, checksum }] };
  const folder = async (claims) => {
    const { body } = await invoke(event('POST', '/uploads', request, claims));
    return JSON.parse(body).key.split('/')[1];
  };
  const hash = (caller) => createHash('sha256').update(caller).digest('hex').slice(0, 32);
  assert.equal(await folder({ iss: 'https://home.example', sub: 'alice' }), hash('alice'));
  assert.equal(await folder({ iss: 'https://other.example', sub: 'alice' }), hash('https://other.example\nalice'));

  const lines = output.split('\n').filter((line) => line.startsWith('{"timestamp"'));
  const logged = lines.map((line) => JSON.parse(line)).filter(({ span }) => span?.caller === hash('alice'));
  assert.deepEqual(
    logged.map(({ message }) => message),
    ['opened', 'answered'],
  );
  for (const { span } of logged) {
    assert.equal(span.gateway_request_id, 'gateway-request');
    assert.match(span.request_id, /^[\w-]{36}$/);
    assert.match(span.key, new RegExp(`^uploads/${hash('alice')}/[0-9a-f-]{36}\\.png$`));
  }
  assert.ok(!lines.join('').includes('alice'));
});
