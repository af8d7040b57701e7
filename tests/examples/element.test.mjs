// The example with `<direct-put>` in a form.
import { test } from 'node:test';
import { PREVIEW, uploadsByForm, withExample } from './app.mjs';

test('element', async () => {
  await withExample('element', PREVIEW, uploadsByForm);
});
