// The example for Next.js. Its form is sent to a server action.
import { test } from 'node:test';
import { uploadsByForm, withExample } from './app.mjs';

const START = ['npm', 'run', 'start', '--', '--hostname', '127.0.0.1', '--port', '{port}'];

test('Next.js', async () => {
  await withExample('nextjs', START, uploadsByForm);
});
