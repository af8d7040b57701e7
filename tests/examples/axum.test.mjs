// The example for axum: an app that is API and page.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { assertAccessible } from './app.mjs';
import { settingsOf, uploadsByElement, withApp, withBucket } from './own-api.mjs';

test('axum', async () => {
  execFileSync('cargo', ['build', '--quiet', '--package', 'directput-example-axum'], { stdio: 'inherit' });
  const app = resolve(process.env.CARGO_TARGET_DIR ?? 'target', 'debug/directput-example-axum');
  await withBucket(async (server, port) => {
    const { S3_BUCKET, S3_REGION, S3_KEY_ID, S3_KEY_SECRET, ...others } = settingsOf(server);
    const env = {
      ...others,
      BUCKET: S3_BUCKET,
      AWS_REGION: S3_REGION,
      AWS_ACCESS_KEY_ID: S3_KEY_ID,
      AWS_SECRET_ACCESS_KEY: S3_KEY_SECRET,
    };
    const use = async (tab) => {
      await uploadsByElement(tab, server);
      await assertAccessible(tab);
    };
    await withApp('.', [app], port, use, { env });
  });
});
