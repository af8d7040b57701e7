// The example for Vue with `useUpload`.
import { test } from 'node:test';
import { PREVIEW, uploadsByInput, withExample } from './app.mjs';

test('Vue', async () => {
  await withExample('vue', PREVIEW, uploadsByInput);
});
