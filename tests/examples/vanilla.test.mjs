// The example with `Uploader` and without a framework.
import { test } from 'node:test';
import { PREVIEW, uploadsByInput, withExample } from './app.mjs';

test('vanilla', async () => {
  await withExample('vanilla', PREVIEW, uploadsByInput);
});
