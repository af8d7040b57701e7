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

/** S3 can take minutes for a completion. The client asks again, before a gateway gives up. */
const CALL_MS = 25_000;

// By default the SDK adds a CRC32, and URLs would demand a header that browsers don't send.
const s3 = new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
const at = ({ key, uploadId }) => ({ Bucket: config.bucket, Key: key, UploadId: uploadId });
/** Browsers save the object; they never run a user's HTML under the bucket's name. */
const DISPOSITION = 'attachment';
/** S3 stores this header of a PUT even if it is not signed, and readers would decode the object. */
const ENCODING = 'identity';

/** Opens a multipart upload; returns its id. */
export async function create(key, type) {
  const algorithm = { ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE' };
  const input = { ...at({ key }), ContentType: type, ContentDisposition: DISPOSITION, ...algorithm };
  const { UploadId } = await send(new CreateMultipartUploadCommand(input));
  return UploadId;
}

/** Signs the PUT of a part, or of a whole object that must not exist yet: for these bytes and no others. */
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
  // By default the SDK does not sign the type, and moves the checksum to the query, where a PUT does not have to repeat it.
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

/** Joins the parts to the object with this checksum; S3 checks each part. */
export async function complete(plan, parts, checksum) {
  const Parts = parts.map((part) => ({ PartNumber: part.number, ETag: part.etag, ChecksumSHA256: part.checksum }));
  const command = new CompleteMultipartUploadCommand({ ...at(plan), MultipartUpload: { Parts }, IfNoneMatch: '*' });
  const object = await send(command, true).catch(async (error) => {
    // S3 answers a repeated completion as the first. Servers like S3 have forgotten the upload, but have the object.
    const head = new HeadObjectCommand({ ...at({ key: plan.key }), ChecksumMode: 'ENABLED' });
    const there = error.code === 'upload-gone' && (await send(head).catch(() => undefined));
    return there || Promise.reject(error);
  });
  if (object.ChecksumSHA256 !== checksum) throw new Refusal('parts-refused');
  return { key: plan.key, etag: bare(object.ETag), checksum, size: plan.size };
}

/** Removes an open upload and its parts. One that is gone is no failure. */
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
    // S3's messages can hold keys and URLs.
    console.warn(JSON.stringify({ operation: command.constructor.name, storageCode: error.name }));
    throw new Refusal(codeOf(error, isCompletion));
  }
}

/** The parts are others than the client believes. */
const PARTS = [
  'BadDigest',
  'EntityTooLarge',
  'EntityTooSmall',
  'InvalidDigest',
  'InvalidPart',
  'InvalidPartOrder',
  'InvalidRequest',
];
/** Refusals with a status of a mistake that are over soon. */
const SOON = ['ExpiredToken', 'IncompleteBody', 'RequestTimeout', 'RequestTimeTooSkewed', 'TokenRefreshRequired'];

/** Returns the code for an error of S3. S3's code decides, not its status: a bucket that is missing is no upload that is gone. */
function codeOf({ name, $metadata: { httpStatusCode: status = 0 } = {} }, isCompletion) {
  if (name === 'NoSuchUpload') return 'upload-gone';
  if (isCompletion && name === 'PreconditionFailed') return 'already-complete';
  if (isCompletion && PARTS.includes(name)) return 'parts-refused';
  const isMistake = status >= 300 && status < 500 && ![408, 409, 425, 429].includes(status);
  return isMistake && !SOON.includes(name) ? 'internal' : 'storage-unavailable';
}
