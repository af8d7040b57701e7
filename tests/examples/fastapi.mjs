// Runs the example of a server in FastAPI with an S3 server: the server at `USE_S3` if this environment variable is
// set, otherwise the local server.
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../e2e/server.mjs';
import { running, withServer } from '../toolchains/harness.mjs';

/** Folder of the tools that `tools/setup.sh` installs, as in the Makefile. */
const TOOLS = process.env.TOOLS ?? join(process.env.XDG_CACHE_HOME ?? `${process.env.HOME}/.cache`, 'directput/tools');
export const TOKEN_KEY = 'a key of this test, 32 bytes long';
export const MAX_FILE_BYTES = 1 << 30;

/**
 * Starts the example, and calls `use` with its endpoint, the S3 server and its log. `origin`: the page's origin. `app`:
 * module and name of the app. `settings`: environment variables.
 */
export async function withFastApi(use, { origin, port, app = 'server:app', settings = {} }) {
  port ??= await freePort();
  const { USE_S3, BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  const start = (s3) => {
    const env = {
      BUCKET: s3.bucket,
      TOKEN_KEY,
      MAX_FILE_BYTES,
      ALLOWED_ORIGINS: origin,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: s3.s3,
      AWS_ACCESS_KEY_ID: s3.access_key,
      AWS_SECRET_ACCESS_KEY: s3.secret_key,
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONPATH: resolve('tests/examples'),
      ...settings,
    };
    const command = [join(TOOLS, 'fastapi/bin/uvicorn'), app, '--port', '{port}'];
    return running(
      resolve('examples/fastapi'),
      command,
      async (address, log) => {
        const endpoint = `${address}uploads`;
        await isAnswered(endpoint);
        await use({ endpoint, s3, log });
      },
      { port, env },
    );
  };
  if (USE_S3) {
    const keys = { access_key: AWS_ACCESS_KEY_ID, secret_key: AWS_SECRET_ACCESS_KEY };
    return start({ s3: USE_S3, s3_listen: USE_S3, bucket: BUCKET, ...keys });
  }
  return withServer({ args: ['--allow-origin', origin, '--control'] }, start);
}

/** Waits until the server answers, at most a minute. */
async function isAnswered(endpoint) {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100))
    if (await fetch(endpoint).catch(() => undefined)) return;
  throw new Error(`no answer of ${endpoint}`);
}
