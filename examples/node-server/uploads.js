// The five calls of the protocol. Each call gets the id of the caller and the contents of the request.
import { createHash, randomUUID } from 'node:crypto';
import { config } from './config.js';
import {
  lengthOf,
  MULTIPART_SECONDS,
  partCountOf,
  partSizeOf,
  SINGLE_PUT_BYTES,
  singlePutSeconds,
  urlSeconds,
} from './plan.js';
import { Refusal } from './problem.js';
import {
  BITS_PER_SECOND,
  CompleteUpload,
  CreateUpload,
  check,
  ListParts,
  MAX_PARTS_PER_REQUEST,
  SignParts,
} from './requests.js';
import * as storage from './storage.js';
import { open, seal } from './token.js';

/** Opens an upload, and signs the parts that the request lists. */
export async function create({ caller, body }) {
  const { name, type, size, parts, network } = check(CreateUpload, body);
  if (size > config.maxFileBytes) throw new Refusal('file-too-large', 'size', `at most ${config.maxFileBytes} bytes`);
  if (!isAllowed(type)) throw new Refusal('type-not-allowed', 'type');
  // A single PUT needs the checksum of the whole file. A request without this checksum gets a multipart upload.
  const whole = parts.find(({ number, length }) => number === 1 && length === size);
  const isSingle = size <= SINGLE_PUT_BYTES && whole !== undefined;
  const key = `uploads/${randomUUID()}${/.\.[a-z0-9]{1,10}$/i.exec(name)?.[0].slice(1).toLowerCase() ?? ''}`;
  const plan = isSingle
    ? { key, size, partSize: size, type, checksum: whole.checksum }
    : { key, size, partSize: partSizeOf(size), uploadId: await storage.create(key, type) };
  // The client may have divided the file into other parts. Those parts are not signed.
  const fitting = parts.filter(
    (part) => part.number <= partCountOf(plan) && part.length === lengthOf(plan, part.number),
  );
  const seconds = isSingle ? singlePutSeconds(size) : MULTIPART_SECONDS;
  return {
    token: await seal(plan, caller, seconds),
    key,
    kind: isSingle ? 'single' : 'multipart',
    partSize: plan.partSize,
    partCount: partCountOf(plan),
    maxPartsPerRequest: MAX_PARTS_PER_REQUEST,
    expiresInSeconds: seconds,
    parts: await signAll(plan, fitting.slice(0, MAX_PARTS_PER_REQUEST), BITS_PER_SECOND[network]),
  };
}

/** Signs the PUTs of the parts that the client sends next. */
export async function sign({ caller, token, body }) {
  const plan = await open(token, caller);
  const { parts, bitsPerSecond } = check(SignParts, body);
  const seen = new Set();
  for (const [index, { number, length, checksum }] of parts.entries()) {
    if (number > partCountOf(plan)) throw new Refusal('part-out-of-range', `parts[${index}].number`);
    if (length !== lengthOf(plan, number)) throw new Refusal('part-wrong-length', `parts[${index}].length`);
    if (seen.has(number)) throw new Refusal('part-repeated', `parts[${index}].number`);
    if (plan.checksum && checksum !== plan.checksum) throw new Refusal('invalid-value', `parts[${index}].checksum`);
    seen.add(number);
  }
  return { parts: await signAll(plan, parts, bitsPerSecond ?? BITS_PER_SECOND.unknown) };
}

/** Returns one page of the list of parts that S3 holds. */
export async function list({ caller, token, query }) {
  const plan = await openMultipart(token, caller);
  return storage.list(plan, check(ListParts, query).after);
}

/** Joins the parts to the object. */
export async function complete({ caller, token, body }) {
  const plan = await openMultipart(token, caller);
  const { parts, checksum } = check(CompleteUpload, body);
  const wrong = parts.findIndex(({ number }, index) => number !== index + 1);
  if (wrong !== -1) throw new Refusal('parts-incomplete', `parts[${wrong}].number`);
  if (parts.length !== partCountOf(plan)) throw new Refusal('parts-incomplete', 'parts');
  const composite = createHash('sha256');
  for (const part of parts) composite.update(part.checksum, 'base64');
  const expected = `${composite.digest('base64')}-${parts.length}`;
  if (checksum !== expected) throw new Refusal('invalid-value', 'checksum');
  return storage.complete(plan, parts, expected);
}

/** Removes an upload that is not complete. A single PUT leaves nothing to remove. */
export async function abort({ caller, token }) {
  const plan = await open(token, caller);
  if (plan.uploadId) await storage.abort(plan);
}

async function openMultipart(token, caller) {
  const plan = await open(token, caller);
  if (!plan.uploadId) throw new Refusal('not-multipart', 'upload-token');
  return plan;
}

/** Signs parts. They are sent in this order, so the lifetime of a URL includes the time for the parts before it. */
function signAll(plan, parts, bitsPerSecond) {
  let bytes = 0;
  const signed = parts.map((part) => {
    bytes += part.length;
    return storage.sign(plan, part, urlSeconds(bytes, bitsPerSecond));
  });
  return Promise.all(signed);
}

/**
 * Returns whether a media type is allowed: by its name, by a wildcard such as `image/*`, or by the wildcard for all
 * types.
 */
function isAllowed(type) {
  const essence = type.split(';')[0].trim().toLowerCase();
  const ranges = [essence, `${essence.split('/')[0]}/*`, '*/*'];
  return ranges.some((range) => config.allowedTypes.includes(range));
}
