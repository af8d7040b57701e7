// The settings, from environment variables. The SDK itself reads AWS_REGION, AWS_ENDPOINT_URL_S3 and the credentials.
const { BUCKET, TOKEN_KEY = '', PORT = '3000', HOST = '127.0.0.1' } = process.env;
const { MAX_FILE_BYTES = String(5 * 2 ** 30), ALLOWED_TYPES = 'image/*,video/*,application/pdf' } = process.env;

if (!BUCKET) throw new Error('BUCKET is not set');
// HMAC-SHA-256 needs a key of at least 32 bytes (RFC 7518, section 3.2).
if (TOKEN_KEY.length < 32) throw new Error('TOKEN_KEY has to have 32 characters at least');

export const config = {
  bucket: BUCKET,
  tokenKey: TOKEN_KEY,
  port: Number(PORT),
  host: HOST,
  maxFileBytes: Number(MAX_FILE_BYTES),
  allowedTypes: ALLOWED_TYPES.split(','),
};
