// The bucket: presigned PUTs, and the calls that open, list, complete and abort a multipart upload.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { config } from './config.js';
import { Refusal } from './problem.js';

/**
 * Timeout of a call to S3, in milliseconds. S3 can take minutes for a completion. The timeout is shorter than that of a
 * gateway, so the client gets an answer of this server and retries.
 */
const CALL_MS = 25_000;

// By default, the SDK adds a CRC32. URLs would then require a header that browsers don't send.
const s3 = new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
const at = ({ key, uploadId }) => ({ Bucket: config.bucket, Key: key, UploadId: uploadId });
/** Browsers then save the object, and never run a user's HTML under the bucket's host name. */
const DISPOSITION = 'attachment';
/**
 * Value of `Content-Encoding`. S3 stores this header of a PUT even if it is not signed. Without a signed value, a
 * client could send `gzip`, and readers would decode the object.
 */
const ENCODING = 'identity';

/** Opens a multipart upload. Returns its upload id. */
export async function create(key, type) {
  const algorithm = { ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE' };
  const input = { ...at({ key }), ContentType: type, ContentDisposition: DISPOSITION, ...algorithm };
  const { UploadId } = await send(new CreateMultipartUploadCommand(input));
  return UploadId;
}

/**
 * Signs the PUT of a part, or of a whole object. S3 then accepts only bytes of this length with this checksum. The PUT
 * of a whole object fails if the object exists.
 */
export async function sign(plan, { number, length, checksum }, expiresInSeconds) {
  const bytes = { ...at(plan), ContentLength: length, ChecksumSHA256: checksum };
  const about = { ContentType: plan.type, ContentDisposition: DISPOSITION, ContentEncoding: ENCODING };
  const command = plan.uploadId
    ? new UploadPartCommand({ ...bytes, PartNumber: number })
    : new PutObjectCommand({ ...bytes, ...about, IfNoneMatch: '*' });
  const headers = { 'x-amz-checksum-sha256': checksum };
  if (!plan.uploadId) {
    headers['content-disposition'] = DISPOSITION;
    headers['content-encoding'] = ENCODING;
    headers['content-type'] = plan.type;
    headers['if-none-match'] = '*';
  }
  // By default, the SDK does not sign the type, and moves the checksum to the query, so that a PUT need not have this
  // header.
  const names = new Set(Object.keys(headers));
  const options = { expiresIn: expiresInSeconds, signableHeaders: names, unhoistableHeaders: names };
  return { number, url: await getSignedUrl(s3, command, options), headers, expiresInSeconds };
}

/** Lists a page of the parts that S3 holds. */
export async function list(plan, after) {
  const page = await send(new ListPartsCommand({ ...at(plan), PartNumberMarker: after && String(after) }));
  const parts = (page.Parts ?? []).map(({ PartNumber: number, Size: size, ETag, ChecksumSHA256: checksum }) => {
    return { number, size, etag: bare(ETag), checksum };
  });
  return { parts, next: page.IsTruncated ? parts.at(-1).number : undefined };
}

/** Joins the parts to the object. S3 checks the checksum of each part. Refuses an object with another checksum. */
export async function complete(plan, parts, checksum) {
  const Parts = parts.map((part) => ({ PartNumber: part.number, ETag: part.etag, ChecksumSHA256: part.checksum }));
  const command = new CompleteMultipartUploadCommand({ ...at(plan), MultipartUpload: { Parts }, IfNoneMatch: '*' });
  const object = await send(command, true).catch(async (error) => {
    // S3 answers a repeated completion like the first completion. Other servers no longer know the upload, but have the
    // object.
    const head = new HeadObjectCommand({ ...at({ key: plan.key }), ChecksumMode: 'ENABLED' });
    const there = error.code === 'upload-gone' && (await send(head).catch(() => undefined));
    return there || Promise.reject(error);
  });
  if (object.ChecksumSHA256 !== checksum) throw new Refusal('parts-refused');
  return { key: plan.key, etag: bare(object.ETag), checksum, size: plan.size };
}

/** Removes an open upload and its parts. Succeeds if the upload is already gone. */
export async function abort(plan) {
  await send(new AbortMultipartUploadCommand(at(plan))).catch((error) => {
    if (error.code !== 'upload-gone') throw error;
  });
}

const bare = (etag) => etag.replaceAll('"', '');

async function send(command, isCompletion = false) {
  try {
    return await s3.send(command, { abortSignal: AbortSignal.timeout(CALL_MS) });
  } catch (error) {
    // Logs only the code, because S3's messages can hold keys and URLs.
    console.warn(JSON.stringify({ operation: command.constructor.name, storageCode: error.name }));
    throw new Refusal(codeOf(error, isCompletion));
  }
}

/** S3's codes for a completion whose parts differ from the stored parts. */
const PARTS = [
  'BadDigest',
  'EntityTooLarge',
  'EntityTooSmall',
  'InvalidDigest',
  'InvalidPart',
  'InvalidPartOrder',
  'InvalidRequest',
];
/** S3's codes with a 4xx status after which a retry may succeed. */
const SOON = ['ExpiredToken', 'IncompleteBody', 'RequestTimeout', 'RequestTimeTooSkewed', 'TokenRefreshRequired'];

/**
 * Returns the code for an error of S3. It depends on S3's code, because the status is not enough: 404 can mean a
 * missing upload or a missing bucket.
 */
function codeOf({ name, $metadata: { httpStatusCode: status = 0 } = {} }, isCompletion) {
  if (name === 'NoSuchUpload') return 'upload-gone';
  if (isCompletion && name === 'PreconditionFailed') return 'already-complete';
  if (isCompletion && PARTS.includes(name)) return 'parts-refused';
  const isMistake = status >= 300 && status < 500 && ![408, 409, 425, 429].includes(status);
  return isMistake && !SOON.includes(name) ? 'internal' : 'storage-unavailable';
}
