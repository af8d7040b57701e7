// Checks the built package on this version of Node: entries for servers can be imported, and an upload rejects.
import assert from 'node:assert/strict';

const { Uploader } = await import('../../pkg/index.js');
await import('../../pkg/bundled.js');
await import('../../pkg/list/index.js');
await import('../../pkg/testing/index.js');
const uploader = new Uploader({ endpoint: '/uploads' });
assert.deepEqual(await uploader.listResumable(), []);
await assert.rejects(() => uploader.upload(new Blob(['hello'])), { code: 'unsupported-environment' });
console.info(`node ${process.version}: imported, and refused to upload`);
