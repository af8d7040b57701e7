// A Worker with a signing API. Cloudflare serves the page from `public/`.
import { createUploads, type Uploads } from 'directput/server';
import { Hono } from 'hono';

type Settings = 'S3_BUCKET' | 'S3_REGION' | 'S3_ENDPOINT' | 'S3_KEY_ID' | 'S3_KEY_SECRET' | 'TOKEN_KEY';

// A Worker gets its settings with a request. They never change, so the first request creates the API.
let uploads: Uploads | undefined;

const app = new Hono<{ Bindings: Record<Settings, string> }>();

app.all('/uploads/:call?', ({ env, req }) => {
  uploads ??= createUploads({
    bucket: env.S3_BUCKET,
    region: env.S3_REGION,
    endpoint: env.S3_ENDPOINT,
    credentials: { accessKeyId: env.S3_KEY_ID, secretAccessKey: env.S3_KEY_SECRET },
    tokenKey: env.TOKEN_KEY,
    // Everybody who reaches the page may upload. Replace this by a function that returns the caller of a request.
    authorize: 'anyone',
  });
  return uploads(req.raw);
});

export default app;
