// The handler of docs/notifications.md with events of EventBridge.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transform } from 'esbuild';
import { blocks } from '../../docs/markdown.mjs';

const SECRET = 's'.repeat(64);
const { text } = blocks('docs/notifications.md').find(({ language }) => language === 'ts');
const { code } = await transform(text, { loader: 'ts' });
const { uploaded } = await import(`data:text/javascript,${encodeURIComponent(code)}`);

/** Posts an event, and returns the status of the answer and the claimed uploads. */
async function post(event, key = SECRET) {
  const headers = { 'content-type': 'application/json', ...(key && { 'x-directput-key': key }) };
  const request = new Request('https://api.example', { method: 'POST', headers, body: JSON.stringify(event) });
  const claimed = [];
  const { status } = await uploaded(request, SECRET, async (upload) => claimed.push(upload));
  return { status, claimed };
}

/** Returns an event as in the S3 User Guide, "EventBridge event message structure". */
const created = (key) => ({
  version: '0',
  'detail-type': 'Object Created',
  source: 'aws.s3',
  detail: {
    version: '0',
    bucket: { name: 'uploads' },
    object: { key, size: 5, etag: 'e', sequencer: '0' },
    reason: 'PutObject',
  },
});

/** Returns an event as in the GuardDuty User Guide, "Monitoring S3 object scans with Amazon EventBridge". */
const scanned = (objectKey, scanResultStatus) => ({
  version: '0',
  'detail-type': 'GuardDuty Malware Protection Object Scan Result',
  source: 'aws.guardduty',
  detail: {
    scanStatus: 'COMPLETED',
    resourceType: 'S3_OBJECT',
    s3ObjectDetails: { bucketName: 'uploads', objectKey, eTag: 'e', versionId: 'v', s3Throttled: false },
    scanResultDetails: { scanResultStatus, threats: null },
  },
});

test('an upload is claimed when its object is created', async () => {
  assert.deepEqual(await post(created('uploads/a.png')), { status: 204, claimed: [{ key: 'uploads/a.png' }] });
});

test('an event of a scan reports whether the object is clean', async () => {
  for (const [status, isClean] of [
    ['NO_THREATS_FOUND', true],
    ['THREATS_FOUND', false],
    ['UNSUPPORTED', false],
    ['ACCESS_DENIED', false],
  ]) {
    assert.deepEqual((await post(scanned('uploads/a', status))).claimed, [{ key: 'uploads/a', isClean }]);
  }
});

test('a request without the secret claims nothing, and other events are only acknowledged', async () => {
  for (const key of [null, '', 'x', SECRET.slice(1), `${SECRET}s`]) {
    assert.deepEqual(await post(created('uploads/a'), key), { status: 401, claimed: [] });
  }
  assert.deepEqual(await post({ 'detail-type': 'Object Deleted', detail: {} }), { status: 204, claimed: [] });
});
