import { createUploads, type Uploads } from 'directput/server';

const { S3_BUCKET: bucket = '', S3_REGION: region = '', S3_ENDPOINT: endpoint, TOKEN_KEY: tokenKey = '' } = process.env;
const credentials = { accessKeyId: process.env.S3_KEY_ID ?? '', secretAccessKey: process.env.S3_KEY_SECRET ?? '' };
let uploads: Uploads | undefined;
// Created by the first request, because `next build` loads this file, perhaps without the settings.
export const POST: Uploads = (request) => {
  // Everybody who reaches the page may upload. docs/nextjs.md shows how to accept signed-in users only.
  uploads ??= createUploads({ bucket, region, endpoint, credentials, tokenKey, authorize: 'anyone' });
  return uploads(request);
};
export { POST as DELETE, POST as GET };
