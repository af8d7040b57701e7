// Schemas of the requests, as in `docs/openapi.yaml` of directput.
import { z } from 'zod';
import { MAX_OBJECT_BYTES, MAX_PARTS } from './plan.js';
import { Refusal } from './problem.js';

export const MAX_PARTS_PER_REQUEST = 100;
/** Assumed speed of each kind of link, in bit/s, until the client has measured the speed. */
export const BITS_PER_SECOND = {
  unknown: 1e6,
  'slow-2g': 5e4,
  '2g': 1e5,
  '3g': 1e6,
  '4g': 1e7,
  wifi: 3e7,
  ethernet: 5e7,
};

/** The length of a name counts in bytes of UTF-8. Only this check has the error code `custom`. */
const isShort = (name) => Buffer.byteLength(name) <= 1024;
const number = z.int().min(1).max(MAX_PARTS);
const sha256 = z.string().regex(/^[A-Za-z0-9+/]{43}=$/);
const part = z.strictObject({ number, length: z.int().min(0), checksum: sha256 });

/**
 * The number of the bucket's host name for which a URL is signed. This server has one host name and ignores the number.
 */
const lane = z.int().min(0).max(0xffffffff).default(0);

export const CreateUpload = z.strictObject({
  name: z.string().min(1).refine(isShort),
  type: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[\w!#$%&'+.^`|~-]+\/[\w!#$%&'+.^`|~-]+(;[\x20-\x7e]*)?$/),
  size: z.int().min(0).max(MAX_OBJECT_BYTES),
  algorithm: z.literal('sha256').default('sha256'),
  parts: z.array(part).max(MAX_PARTS).default([]),
  network: z.enum(Object.keys(BITS_PER_SECOND)).default('unknown'),
  lane,
});

export const SignParts = z.strictObject({
  parts: z.array(part).min(1).max(MAX_PARTS_PER_REQUEST),
  bitsPerSecond: z.int().min(0).nullish(),
  lane,
});

export const ListParts = z.strictObject({ after: z.coerce.number().int().min(1).max(MAX_PARTS).optional() });

const etag = z.string().min(1).max(130);
export const CompleteUpload = z.strictObject({
  parts: z.array(z.strictObject({ number, etag, checksum: sha256 })).max(MAX_PARTS),
  checksum: z.string().min(1),
});

/** Returns the value that a schema parses from `value`. Throws a `Refusal` that names the first wrong field. */
export function check(schema, value) {
  const { success, data, error } = schema.safeParse(value, { reportInput: true });
  if (success) return data;
  const [issue] = error.issues;
  const path = [...issue.path, ...(issue.keys?.slice(0, 1) ?? [])];
  throw new Refusal(codeOf(issue), z.core.toDotPath(path).slice(0, 64) || undefined, issue.message);
}

function codeOf({ code, origin, input }) {
  const isNumber = origin === 'number' || origin === 'int';
  if (code === 'unrecognized_keys') return 'unknown-field';
  if (code === 'invalid_type') return input === undefined ? 'missing-field' : 'wrong-type';
  if (code === 'custom') return 'field-too-long';
  if (code === 'too_small') return isNumber ? 'out-of-range' : 'empty-field';
  if (code === 'too_big') return isNumber ? 'out-of-range' : origin === 'array' ? 'too-many-parts' : 'field-too-long';
  return 'invalid-value';
}
