import { createUploads } from 'directput/server';

// The first request reads the settings, because `next build` loads this file too, perhaps without them.
export const POST = createUploads(() => {
  const { S3_BUCKET: bucket = '', S3_REGION: region = '', S3_ENDPOINT: endpoint } = process.env;
  const { S3_KEY_ID: accessKeyId = '', S3_KEY_SECRET: secretAccessKey = '', TOKEN_KEY: tokenKey = '' } = process.env;
  const credentials = { accessKeyId, secretAccessKey };
  // Everybody who reaches the page may upload. docs/nextjs.md shows how to accept signed-in users only.
  return { bucket, region, endpoint, credentials, tokenKey, authorize: 'anyone' };
});
export { POST as DELETE, POST as GET };
