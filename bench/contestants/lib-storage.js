// The AWS SDK with lib-storage, verified by SHA-256. It signs in the page, so it needs no API, but the page has the
// secret key.
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { AT_ONCE, newKey, PART_BYTES, pool, SINGLE_PUT_BYTES } from './shared.js';

export async function prepare({ s3, bucket }) {
  const client = new S3Client({
    endpoint: s3,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'unchecked', secretAccessKey: 'unchecked' },
  });
  const send = (Body, queueSize) =>
    new Upload({
      client,
      queueSize,
      partSize: PART_BYTES,
      params: { Bucket: bucket, Key: newKey(), Body, ChecksumAlgorithm: 'SHA256' },
    }).done();
  return async (files) => {
    const isLarge = files.some((file) => file.size > SINGLE_PUT_BYTES);
    await pool(files, isLarge ? 1 : AT_ONCE, (file) => send(file, isLarge ? AT_ONCE : 1));
  };
}
