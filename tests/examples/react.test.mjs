// The example for React with `useUpload`.
import { test } from 'node:test';
import { PREVIEW, uploadsByInput, withExample } from './app.mjs';

test('React', async () => {
  await withExample('react', PREVIEW, uploadsByInput);
});
