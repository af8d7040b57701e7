/** A hint about the user's link. It determines the lifetime of signed URLs until a speed is measured. */
export type NetworkHint = 'slow-2g' | '2g' | '3g' | '4g' | 'wifi' | 'ethernet' | 'unknown';

/**
 * How bytes are verified. `sha256` detects accidents and tampering. `crc64nvme` detects accidents at a lower cost.
 * `crc64nvme-after` sends parts before they are hashed, and compares their checksums with S3's afterwards. This needs
 * fewer calls, but a presigned URL accepts any bytes of its part's length. `none` verifies nothing. Most servers accept
 * `sha256` and `crc64nvme`.
 */
export type ChecksumAlgorithm = 'sha256' | 'crc64nvme' | 'crc64nvme-after' | 'none';

/** Options that an uploader and an upload have in common. An upload's own value takes precedence. */
export interface Tuning {
  /** How bytes are verified. Default: `sha256`. A resumed upload keeps the algorithm that it started with. */
  checksum?: ChecksumAlgorithm;
  /** Kind of link. Default: the kind that `navigator.connection` reports, or `unknown`. */
  network?: NetworkHint;
  /** Seconds without progress after which a PUT is retried, from 5 to 300. Default: 30. */
  stallSeconds?: number;
}

/** Name and media type of a file. */
export interface Metadata {
  /** The file's name, for the metadata of the object. Default: the name of the `File`. */
  name?: string;
  /** The file's media type. Default: the type of the `Blob`, or `application/octet-stream`. */
  type?: string;
}

/** Rules for files. A refused file is not sent and causes no call of the API. The server has its own rules. */
export interface FileRules {
  /**
   * The types of files that are accepted, as in the HTML attribute: a comma-separated list such as
   * `.pdf,image/png,image/*`. Other files fail with `type-not-allowed`. Default: all types.
   */
  accept?: string;
  /** Minimum file size in bytes; smaller files fail with `file-too-small`. Default: 0. */
  minBytes?: number;
  /** Maximum file size in bytes; larger files fail with `file-too-large`. Default: only the server's limit applies. */
  maxBytes?: number;
  /** Maximum number of files stored or under way; further files fail with `too-many-files`. Default: no limit. */
  maxFiles?: number;
  /**
   * Called before each new upload. If it returns false, the file is refused with `not-accepted`. A returned name or
   * type replaces that of the file. A returned Blob, such as a smaller picture, is uploaded instead of the file. Sizes
   * are checked afterwards. If the function throws, the upload fails with `not-accepted`, and the thrown value is the
   * error's `cause`.
   */
  beforeUpload?: (file: Blob, metadata: Required<Metadata>) => Admission | Promise<Admission>;
}

/** The return value of `beforeUpload`. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing lets the file through.
export type Admission = Metadata | Blob | false | void;

/** Options of an `Uploader`. They apply to each of its uploads. */
export interface UploaderOptions extends Tuning, FileRules {
  /** The address of the signing API, such as `/uploads` or `https://api.example.com/uploads`. */
  endpoint: string | URL;
  /**
   * Headers for every call of the API, such as `authorization`, or a function that returns them. The function is called
   * again when the API answers 401. These headers are never sent to S3.
   */
  headers?: Headers | (() => Headers | Promise<Headers>);
  /**
   * The address of the bucket, such as `https://my-bucket.s3.eu-central-1.amazonaws.com`. The browser then connects
   * while the first part is hashed. This saves the first file one round trip, or three with TLS.
   */
  preconnect?: string | URL;
  /**
   * Maximum number of concurrent PUTs to one host name of the bucket, over all files, from 1 to 64. Default: 6, the
   * number of connections that browsers open to one host. Many small files use several host names if the server signs
   * URLs for them.
   */
  partsInFlight?: number;
  /**
   * Whether calls of the API send cookies: `same-origin` only to the page's own origin, `include` also to an API of
   * another origin that identifies users by cookies. Default: `same-origin`.
   */
  credentials?: 'same-origin' | 'include';
  /**
   * A name or id of the signed-in user. It separates the records of unfinished uploads if several users share this
   * browser. It is stored in plain text with the records, and is never sent. Default: empty.
   */
  caller?: string;
  /** Whether to use a worker, if one can start. Default: true. */
  worker?: boolean;
  /** Whether the browser asks before the user leaves the page while an upload would be lost. Default: true. */
  warnBeforeLeaving?: boolean;
}

/** Headers as `fetch` takes them: an object, an array of pairs, or the platform's `Headers`. */
export type Headers = Record<string, string> | Iterable<readonly [name: string, value: string]>;

/** Options of one upload. They take precedence over those of its uploader. */
export interface UploadOptions extends Tuning, Metadata {
  /** Called at most ten times a second, and additionally when the phase or the reason of a wait changes. */
  onProgress?: (progress: Progress) => void;
  /** Called when a PUT or a call of the API failed and will be retried. */
  onRetry?: (retry: Retry) => void;
  /** Called when the state of a part changes, several times per part; for pages that show parts. */
  onPart?: (part: PartNews) => void;
  /** Aborting this signal cancels the upload and removes the bytes that were sent. */
  signal?: AbortSignal;
  /** Uploads with a higher priority go first. Default: 0. */
  priority?: number;
  /** The file's handle, from a drop or `showOpenFilePicker`, so that `resume` can open the file again. */
  handle?: FileSystemFileHandle;
}

/**
 * An upload: the promise of its result, with methods that control it. `for await` yields the latest progress until the
 * upload ends. If the upload fails, the loop throws the same error as the promise.
 */
export type Upload = Promise<UploadResult> & AsyncIterable<Progress> & UploadControls;

/** Methods that control an upload. */
export interface UploadControls {
  /**
   * Pauses the upload: no further part is sent until `resume`. Parts in flight are sent to their end, so nothing is
   * sent twice.
   */
  pause(): void;
  /** Resumes a paused upload. */
  resume(): void;
  /**
   * Cancels the upload and removes the bytes that were sent. The promise rejects with the code `aborted` and the name
   * `AbortError`.
   */
  cancel(): void;
  /** Sets the priority. Uploads with a higher priority go first. */
  prioritize(priority: number): void;
}

/** An upload of an earlier visit that can be resumed. */
export interface Resumable {
  /** The id, for `resume` and `forget`. */
  id: string;
  /** The name of the file. */
  name: string;
  /** The size in bytes. */
  size: number;
  /** Bytes that S3 had confirmed when the record was last written. */
  confirmedBytes: number;
  /** Start of the upload, in milliseconds since 1970. */
  startedAt: number;
  /** Time until which the upload can be resumed, in milliseconds since 1970. */
  expiresAt: number;
  /** Whether `resume` can open the file itself, with the user's permission. */
  hasFile: boolean;
}

/** The phases of an upload, in order. In phase `upload`, later parts are still hashed while earlier ones are sent. */
export type Phase = 'hash' | 'sign' | 'upload' | 'complete' | 'abort' | 'done';

/** Progress of an upload. */
export interface Progress {
  /** The current phase. */
  phase: Phase;
  /** The size of the file in bytes. */
  size: number;
  /** Bytes that have been hashed. */
  hashedBytes: number;
  /** Bytes sent, including those of parts in flight. */
  sentBytes: number;
  /** Bytes of parts that S3 has confirmed. */
  confirmedBytes: number;
  /** Number of parts; 0 until the server has set it. */
  parts: number;
  /** Number of parts that S3 has confirmed. */
  confirmedParts: number;
  /**
   * The smoothed speed at which bytes arrive at S3, in byte/s; 0 until it is known, which takes until the first part is
   * stored, or 3 s.
   */
  bytesPerSecond: number;
  /**
   * The time left at that speed, in seconds; null until it is known. Bytes that wait in buffers count as not yet sent.
   */
  secondsLeft: number | null;
  /**
   * Why the upload waits. `pausing`: it is paused, and parts in flight are still being sent. `paused`: it is paused.
   * `offline`: the browser is offline. `busy`: a server has asked for fewer requests. Null: the upload does not wait.
   */
  held: 'pausing' | 'paused' | 'offline' | 'busy' | null;
  /** Whether a later visit could resume the upload, because its record is on disk. */
  kept: boolean;
}

/** A change of a part's state. After an interrupted or failed PUT, the state is `hashed` again. */
export interface PartNews {
  /** The number of the part, from 1 on. */
  number: number;
  /** The new state of the part. */
  state: 'hashing' | 'hashed' | 'sending' | 'stored';
}

/** A PUT or a call of the API that failed and will be retried. */
export interface Retry {
  /** The number of the part; null for a call of the API. */
  part: number | null;
  /** The code of the error. */
  code: ErrorCode;
  /** The HTTP status; 0 without a response. */
  status: number;
  /** Number of failures so far. */
  failures: number;
  /** Time until the retry, in milliseconds. */
  waitMs: number;
}

/** An object that S3 has confirmed. */
export interface UploadResult {
  /** The object's key in the bucket. */
  key: string;
  /** The object's entity tag; null if S3 stored the object but its response got lost. */
  etag: string | null;
  /**
   * The object's checksum in Base64; null if nothing was verified. A SHA-256 is that of the whole object after a single
   * PUT, and composite (`…-N`) after an upload in N parts. A CRC64NVME is always that of the whole object.
   */
  checksum: string | null;
  /** The size in bytes. */
  size: number;
}

/**
 * What S3 holds after a failed upload. `parts`: parts that can be resumed or are still to be removed. `unknown`:
 * possibly parts, possibly the object itself.
 */
export type Remains = 'nothing' | 'parts' | 'unknown';

/** The stable codes of all errors. */
export type ErrorCode =
  | 'invalid-json'
  | 'missing-field'
  | 'empty-field'
  | 'field-too-long'
  | 'wrong-type'
  | 'unknown-field'
  | 'out-of-range'
  | 'invalid-value'
  | 'type-not-allowed'
  | 'file-too-large'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'not-found'
  | 'method-not-allowed'
  | 'unauthorized'
  | 'token-missing'
  | 'token-invalid'
  | 'token-expired'
  | 'not-your-upload'
  | 'part-out-of-range'
  | 'part-wrong-length'
  | 'part-repeated'
  | 'too-many-parts'
  | 'parts-incomplete'
  | 'not-multipart'
  | 'upload-gone'
  | 'parts-refused'
  | 'already-complete'
  | 'too-many-requests'
  | 'storage-unavailable'
  | 'internal'
  | 'network'
  | 'timeout'
  | 'aborted'
  | 'integrity'
  | 'file-changed'
  | 'etag-hidden'
  | 'storage-refused'
  | 'invalid-reply'
  | 'wrong-file'
  | 'file-needed'
  | 'in-use'
  | 'file-too-small'
  | 'too-many-files'
  | 'not-accepted'
  | 'invalid-option'
  | 'unexpected-answer'
  | 'headers-timeout'
  | 'read-timeout'
  | 'worker-lost'
  | 'load-failed'
  | 'closed'
  | 'unsupported-environment';
