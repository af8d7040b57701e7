// The example with `Uploader` and a page of its own.
import { test } from 'node:test';
import { PREVIEW, uploadsByInput, withExample } from './app.mjs';

test('vanilla', async () => {
  await withExample('vanilla', PREVIEW, uploadsByInput);
});
