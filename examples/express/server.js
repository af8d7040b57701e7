// An Express app with a signing API and a page.
import { fileURLToPath } from 'node:url';
import { createUploads, toNodeHandler } from 'directput/server';
import express from 'express';

const { S3_BUCKET, S3_REGION, S3_ENDPOINT, S3_KEY_ID, S3_KEY_SECRET, TOKEN_KEY, PORT = '3000' } = process.env;

const uploads = createUploads({
  bucket: S3_BUCKET,
  region: S3_REGION,
  endpoint: S3_ENDPOINT,
  credentials: { accessKeyId: S3_KEY_ID, secretAccessKey: S3_KEY_SECRET },
  tokenKey: TOKEN_KEY,
  // Everybody who reaches the page may upload. Replace this by a function that returns the caller of a request.
  authorize: 'anyone',
  // The place to record the object in your database.
  onCompleted: ({ key, size }) => console.info(`stored ${key}: ${size} bytes`),
});

const folder = (path) => express.static(fileURLToPath(new URL(path, import.meta.url)));
const app = express();
app.use('/uploads', toNodeHandler(uploads));
app.use('/directput', folder('node_modules/directput'));
app.use(folder('public'));
app.listen(Number(PORT), '127.0.0.1', () => console.info(`http://127.0.0.1:${PORT}`));
