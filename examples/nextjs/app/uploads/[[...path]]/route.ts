import { createUploads } from 'directput/server';

// The first request reads the settings, because `next build` loads this file too, perhaps without them.
export const POST = createUploads(() => {
  const { S3_BUCKET: bucket = '', S3_REGION: region = '', S3_ENDPOINT: endpoint, TOKEN_KEY: tokenKey = '' } = process.env;
  const credentials = { accessKeyId: process.env.S3_KEY_ID ?? '', secretAccessKey: process.env.S3_KEY_SECRET ?? '' };
  // Everybody who reaches the page may upload. docs/nextjs.md shows how to accept signed-in users only.
  return { bucket, region, endpoint, credentials, tokenKey, authorize: 'anyone' };
});
export { POST as DELETE, POST as GET };
