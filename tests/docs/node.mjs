// The built package on this version of Node: each entry that a server may import can be, and uploads nothing there.
import assert from 'node:assert/strict';

const { Uploader } = await import('../../pkg/index.js');
await import('../../pkg/bundled.js');
await import('../../pkg/list/index.js');
await import('../../pkg/testing/index.js');
const uploader = new Uploader({ endpoint: '/uploads' });
assert.deepEqual(await uploader.listResumable(), []);
await assert.rejects(() => uploader.upload(new Blob(['hello'])), { code: 'unsupported-environment' });
console.info(`node ${process.version}: imported, and refused to upload`);
