// Options of `createUploads`, and what its functions get.
import type { ChecksumAlgorithm } from '../types.js';

/** Access key of an AWS account or of another S3 server. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** The session token of temporary keys. */
  sessionToken?: string | undefined;
}

/** The caller of a request, and narrower rules for the uploads that the request opens. */
export interface Grant {
  /** A stable id of the user. Only the same caller can continue an upload. Default: anonymous. */
  caller?: string | undefined;
  /** Maximum size of a file, in bytes. */
  maxFileBytes?: number | undefined;
  /** Accepted media types, such as `['image/*']`. */
  allowedTypes?: readonly string[] | undefined;
  /** Folder of the object's key below `uploads/`, such as `tenant-7`: `a-z A-Z 0-9 - _`, with `/` between names. */
  folder?: string | undefined;
}

/** Result of `authorize`. */
export type Allowed = Grant | Response | null | undefined | false;

/** A stored object. */
export interface CompletedUpload {
  /** Key of the object. */
  key: string;
  /** Size in bytes. */
  size: number;
  /** S3's checksum of the object, or undefined if the upload has no checksums. */
  checksum: string | undefined;
  /** Entity tag of the object, without quotes. */
  etag: string;
  /** The caller that `authorize` returned, or undefined. */
  caller: string | undefined;
}

/** One answered request. It has no path, header or name of the client. */
export interface LogEntry {
  /** Id of the request. The client's error has the same id. */
  requestId: string;
  /** HTTP method. */
  method: string;
  /** HTTP status of the answer. */
  status: number;
  /** Code of the error, or undefined if the request succeeded. */
  code: string | undefined;
  /** Duration in milliseconds. */
  milliseconds: number;
  /** Error that a function of the application threw, such as `authorize`, or undefined. The client gets `internal`. */
  error: unknown;
}

/** Host names under which browsers send to a bucket of AWS. The API's reply names how many there are. */
export type Lane = 'regional' | 'dualstack' | 'path' | 'dualstack-path' | 'accelerate';

/** Options of `createUploads`. */
export interface UploadsOptions {
  // Bucket
  /** Name of the bucket. */
  bucket: string;
  /** Region of the bucket, such as `eu-central-1`. For servers without regions, whatever they accept (`auto`, `garage`). */
  region: string;
  /** Keys that may write to `uploads/*` of the bucket, or a function that returns current ones, called for each request. */
  credentials: Credentials | (() => Credentials | Promise<Credentials>);
  /** URL of an S3 server other than AWS. The bucket's name is part of the path. */
  endpoint?: string | URL | undefined;
  /** URLs at which browsers reach that server. Default: `endpoint`. */
  publicUrls?: readonly string[] | undefined;
  /** Host names of a bucket of AWS. Default: `['regional']`. */
  lanes?: readonly Lane[] | undefined;
  /** Id of the AWS account that must own the bucket. Default: any account. */
  bucketOwner?: string | undefined;

  // Callers
  /**
   * Decides about each request: returns the caller and narrower rules, or a `Response` that refuses the request, or
   * null or another false value for a refusal with `unauthorized`. `'anyone'` accepts all requests that reach the
   * address.
   */
  authorize: 'anyone' | ((request: Request) => Allowed | Promise<Allowed>);
  /** Secret of at least 32 characters that seals upload tokens. All servers of the API need the same. */
  tokenKey: string;
  /** The secret before the last change. Its tokens stay valid. */
  previousTokenKey?: string | undefined;

  // Addresses
  /** Path of the API, such as `/api/uploads`. Default: the part of the request's path up to `/uploads`. */
  path?: string | undefined;
  /** Origins of pages on other hosts that may call the API. Default: none. */
  allowOrigins?: readonly string[] | undefined;

  // Files
  /** Maximum size of a file, in bytes. Default: 50 GiB. */
  maxFileBytes?: number | undefined;
  /** Accepted media types, such as `['image/*', 'application/pdf']`. Default: all. */
  allowedTypes?: readonly string[] | undefined;
  /** Accepted checksum algorithms. Default: `['sha256', 'crc64nvme']`. */
  allowedChecksums?: readonly ChecksumAlgorithm[] | undefined;
  /** How browsers name downloaded objects. Default: `none`, by the key. */
  downloadNames?: 'none' | 'attachment' | 'inline' | undefined;

  // Signing
  /** Shortest lifetime of a presigned URL, in seconds, from 30. Default: 60. */
  minUrlSeconds?: number | undefined;
  /** Longest lifetime of a presigned URL, in seconds, up to 600. Default: 300. */
  maxUrlSeconds?: number | undefined;
  /** Lifetime of an upload, in seconds. Default: 604,800, a week. */
  tokenSeconds?: number | undefined;

  // Events
  /**
   * Awaited after an object is stored, before the client hears of it. If it rejects, the client repeats the completion,
   * so it may run more than once for one object. With it, each file is a multipart upload, because a single PUT
   * completes without a call of the API. An empty file is always a single PUT.
   */
  onCompleted?: ((upload: CompletedUpload) => void | Promise<void>) | undefined;
  /** Called after each request. Default: only errors of the application's functions are logged, by `console.error`. */
  onAnswered?: ((entry: LogEntry) => void) | undefined;
}

/** Answers the requests of uploaders. */
export type Uploads = (request: Request) => Promise<Response>;
