// Checks the API's logs of all other tests: they contain only values of the lists below.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const LOGS = `${process.env.CARGO_TARGET_DIR ?? 'target'}/tmp/logs`;

/** Logs that must exist, one for each kind of test. */
const EXPECTED = ['fuzz.log', 'local.log', 'emulator.test.mjs.log', 'page.test.mjs.log', 'robust.test.mjs.log'];

/** Allowed values by field: fixed texts of the code, numbers, ids of servers, and names of the protocol. */
const FIELDS = {
  timestamp: /^[\dT:.Z-]+$/,
  level: /^(INFO|WARN)$/,
  // The last message comes from Lambda's runtime in the emulator.
  message:
    /^(opened|answered|refused|completed|aborted|the (storage|token keys|function) [a-z' ]+|AWS_LAMBDA_MAX_CONCURRENCY is set to '\d+', [a-z, ;-]+)$/,
  request_id: /^[\w-]{1,64}$/,
  // API Gateway's ids are Base64.
  gateway_request_id: /^[\w+/=-]{1,64}$/,
  caller: /^[0-9a-f]{32}$/,
  key: /^uploads\/([0-9a-f]{32}\/)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.[a-z0-9]{1,10})?$/,
  method: /^([A-Z]+|other)$/,
  route: /^(none|\/uploads(\/batch|\/parts|\/complete)?)$/,
  status: /^\d{1,3}$/,
  milliseconds: /^\d+$/,
  code: /^[a-z0-9-]+$/,
  field: /^[a-z-]+(\[\d+\])?(\.[a-z]+)?$/i,
  size: /^\d+$/,
  parts: /^\d+$/,
  multipart: /^(true|false)$/,
  operation: /^(create|list|complete|abort|sign)$/,
  storage_code: /^[A-Za-z]*$/,
  storage_request_id: /^[\w-]*$/,
};

/** Returns what is wrong with a line, or undefined. */
function trouble(line) {
  let entry;
  try {
    entry = JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  const { span, ...event } = entry;
  const { name: _, ...spanned } = span ?? {};
  const fields = [...Object.entries(event), ...Object.entries(spanned)];
  const odd = fields.find(([name, value]) => value !== null && !FIELDS[name]?.test(String(value)));
  return odd && `${odd[0]} is ${odd[1]}`;
}

test('the logs contain only listed values: no URLs, signatures, tokens or names', () => {
  const files = existsSync(LOGS) ? readdirSync(LOGS) : [];
  assert.deepEqual(
    EXPECTED.filter((name) => !files.includes(name)),
    [],
    'the other tests have to be run before',
  );
  let count = 0;
  for (const file of files) {
    const lines = readFileSync(join(LOGS, file), 'utf8').split('\n').filter(Boolean);
    const troubles = lines.map(trouble);
    count += lines.length;
    const first = troubles.findIndex(Boolean);
    assert.equal(
      first,
      -1,
      `${file}: ${troubles.filter(Boolean).length} lines, first: ${troubles[first]}\n${lines[first]}`,
    );
  }
  console.log(`${count} lines in ${files.length} logs`);
});

test('the check detects forbidden values', () => {
  const good = { timestamp: '2026-11-25T10:00:00.0Z', level: 'INFO', message: 'answered', status: 200 };
  assert.equal(trouble(JSON.stringify(good)), undefined);
  for (const [name, value] of [
    ['message', 'answered https://bucket.s3.amazonaws.com/uploads/x?X-Amz-Signature=0'],
    ['field', `eyJhbGciOiJIUzI1NiJ9.${'a'.repeat(20)}.c2ln`],
    ['route', '/uploads/parts?after=1'],
    ['code', 'holiday.png'],
    ['storage_code', 'uploads/0123.png'],
    ['url', 'x'],
    ['name', 'holiday.png'],
  ]) {
    assert.match(trouble(JSON.stringify({ ...good, [name]: value })), new RegExp(`^${name} is `));
  }
  assert.equal(trouble('PUT https://bucket'), 'not JSON');
});
