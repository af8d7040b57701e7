// The example for Svelte with `UploadList`.
import { test } from 'node:test';
import { PREVIEW, uploadsByInput, withExample } from './app.mjs';

test('Svelte', async () => {
  await withExample('svelte', PREVIEW, uploadsByInput);
});
