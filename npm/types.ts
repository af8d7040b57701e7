/** What is known of the user's link, for the lifetime of signed URLs until a speed is measured. */
export type NetworkHint = 'slow-2g' | '2g' | '3g' | '4g' | 'wifi' | 'ethernet' | 'unknown';

/**
 * What the bytes are verified by: `sha256` also against malice, `crc64nvme` against accidents and for less work,
 * `none` not at all. Most servers take the first two.
 */
export type ChecksumAlgorithm = 'sha256' | 'crc64nvme' | 'none';

/** What an uploader may be told, and an upload otherwise. */
export interface Tuning {
  /** What the bytes are verified by. Default: `sha256`. A resumed upload keeps what it began with. */
  checksum?: ChecksumAlgorithm;
  /** Kind of link. Default: that of `navigator.connection`, where there is one. */
  network?: NetworkHint;
  /** Seconds of silence after which a PUT is made again, from 5 to 300. Default: 30. */
  stallSeconds?: number;
}

/** What a file is called, and what it is. */
export interface Metadata {
  /** The file's name, for the metadata of the object. Default: its own. */
  name?: string;
  /** Its media type. Default: its own, or `application/octet-stream`. */
  type?: string;
}

/** Which files are taken. A file that is not is never sent, and no call is made for it; the server has rules of its own. */
export interface FileRules {
  /** As the HTML attribute: `.pdf`, `image/png`, `image/*`, with commas between. Others fail with `type-not-allowed`. */
  accept?: string;
  /** Smaller files, in bytes, fail with `file-too-small`. Default: 0. */
  minBytes?: number;
  /** Larger files, in bytes, fail with `file-too-large`. Default: what the server takes. */
  maxBytes?: number;
  /** How many files may be stored or under way; more fail with `too-many-files`. Default: any number. */
  maxFiles?: number;
  /**
   * Asked before each new upload: false refuses it with `not-accepted`, another name or type replaces the file's own, and
   * another Blob, such as a smaller picture, is uploaded in place of the file. Sizes are looked at afterwards. What it
   * throws is the upload's `cause`, with `not-accepted`.
   */
  beforeUpload?: (file: Blob, metadata: Required<Metadata>) => Admission | Promise<Admission>;
}

/** What `beforeUpload` returns for a file. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing lets the file through.
export type Admission = Metadata | Blob | false | void;

/** What holds for every upload of an `Uploader`. */
export interface UploaderOptions extends Tuning, FileRules {
  /** The address of the signing API, such as `/uploads` or `https://api.example.com/uploads`. */
  endpoint: string | URL;
  /**
   * Headers for every call of the API, such as `authorization`, or a function that returns them; it is called
   * again when the API answers 401. They are never sent to S3.
   */
  headers?: Headers | (() => Headers | Promise<Headers>);
  /**
   * The address of the bucket, such as `https://my-bucket.s3.eu-central-1.amazonaws.com`, if the page knows it: a
   * connection is then opened while the first part is hashed, which saves the first file a round trip, or three with TLS.
   */
  preconnect?: string | URL;
  /**
   * How many parts are sent at once to one name of the bucket, of all files together, from 1 to 64. Default: 6, what browsers
   * open to one host. Many small files use several names if the server signs for them.
   */
  partsInFlight?: number;
  /**
   * Whether the API's calls carry cookies: `same-origin` for an API of the page's origin, `include` for one of another
   * origin that knows its callers by cookies. Default: `same-origin`.
   */
  credentials?: 'same-origin' | 'include';
  /**
   * A name or an id of the signed-in user. It keeps what is written down of unfinished uploads apart in this browser, is
   * written down with it as it is, and is sent nowhere. Default: empty.
   */
  caller?: string;
  /** Whether to work in a worker where one can start. Default: true. */
  worker?: boolean;
  /** Whether the browser asks before the page is left while an upload would be lost. Default: true. */
  warnBeforeLeaving?: boolean;
}

/** Headers as `fetch` takes them: an object, an array of pairs, or the platform's `Headers`. */
export type Headers = Record<string, string> | Iterable<readonly [name: string, value: string]>;

/** What holds for one upload, in place of what its uploader was told. */
export interface UploadOptions extends Tuning, Metadata {
  /** Called at most ten times a second, and whenever the phase changes. */
  onProgress?: (progress: Progress) => void;
  /** Called when something failed and will be done again. */
  onRetry?: (retry: Retry) => void;
  /** Called for every step of every part, three times a part and more; for pages that draw parts. */
  onPart?: (part: PartNews) => void;
  /** Cancels the upload and removes what was sent. */
  signal?: AbortSignal;
  /** Uploads with a higher priority go first. Default: 0. */
  priority?: number;
  /** Where the file came from, so that `resume` can open it again: from a drop or `showOpenFilePicker`. */
  handle?: FileSystemFileHandle;
}

/**
 * An upload: the promise of its result, and what can be done about it meanwhile. `for await` gives its progress, the
 * latest there is each time, until it has ended; if it fails, the loop throws what the promise rejects with.
 */
export type Upload = Promise<UploadResult> & AsyncIterable<Progress> & UploadControls;

/** What can be done about an upload under way. */
export interface UploadControls {
  /** Sends no further part until `resume`. Parts on their way still arrive, so nothing is sent twice. */
  pause(): void;
  /** Lets a paused upload go on. */
  resume(): void;
  /** Ends the upload and removes what was sent. It rejects with `aborted`, as an `AbortError`. */
  cancel(): void;
  /** Lets it go before all uploads with a lower priority. */
  prioritize(priority: number): void;
}

/** An upload of an earlier visit that can be resumed. */
export interface Resumable {
  /** For `resume` and `forget`. */
  id: string;
  /** The name of the file. */
  name: string;
  /** Its size in bytes. */
  size: number;
  /** Bytes that S3 had confirmed when it was last looked at. */
  confirmedBytes: number;
  /** When the upload began, in milliseconds since 1970. */
  startedAt: number;
  /** Until when it can be resumed, in milliseconds since 1970. */
  expiresAt: number;
  /** Whether `resume` can open the file by itself, if the user allows it. */
  hasFile: boolean;
}

/** What is going on, in the order in which it happens; later parts are still hashed while earlier ones are sent. */
export type Phase = 'hash' | 'sign' | 'upload' | 'complete' | 'abort' | 'done';

/** How far an upload is. */
export interface Progress {
  /** What is going on. */
  phase: Phase;
  /** The size of the file in bytes. */
  size: number;
  /** Bytes that have been hashed. */
  hashedBytes: number;
  /** Bytes that have left, those of parts on their way included. */
  sentBytes: number;
  /** Bytes of parts that S3 has confirmed. */
  confirmedBytes: number;
  /** How many parts there are; 0 until the server has said so. */
  parts: number;
  /** How many of them S3 has confirmed. */
  confirmedParts: number;
  /** The speed at which bytes arrive, smoothed, in byte/s; 0 until there is one, which takes a stored part or 3 s. */
  bytesPerSecond: number;
  /** The time left in seconds, by that speed; null until there is one. Bytes that wait in buffers are counted as left. */
  secondsLeft: number | null;
  /**
   * Why nothing moves, if it is meant not to: the user, no network, or a server that asked for a rest. `pausing` while
   * parts that were on their way still arrive.
   */
  held: 'pausing' | 'paused' | 'offline' | 'busy' | null;
  /** Whether a later visit could resume it: what that needs is written down. */
  kept: boolean;
}

/** What is done with a part by now. What was cut off or has failed is `hashed` again. */
export interface PartNews {
  /** Its number, from 1 on. */
  number: number;
  /** What is done with it. */
  state: 'hashing' | 'hashed' | 'sending' | 'stored';
}

/** Something failed and will be done again. */
export interface Retry {
  /** The number of the part; null for a call of the API. */
  part: number | null;
  /** Why. */
  code: ErrorCode;
  /** The HTTP status; 0 when there was no answer. */
  status: number;
  /** How often it has failed by now. */
  failures: number;
  /** How long it waits first, in milliseconds. */
  waitMs: number;
}

/** An object that S3 has confirmed. */
export interface UploadResult {
  /** Its key in the bucket. */
  key: string;
  /** Its entity tag; null if S3 kept the object but its answer got lost. */
  etag: string | null;
  /**
   * Its checksum in Base64: SHA-256 of the whole after a single PUT, composite (`…-N`) after N parts; or the CRC64NVME
   * of the whole; null where nothing was verified.
   */
  checksum: string | null;
  /** Its size in bytes. */
  size: number;
}

/**
 * What S3 holds of an upload that has failed: nothing; parts, which can be resumed or are still to be removed; or
 * possibly the object itself.
 */
export type Remains = 'nothing' | 'parts' | 'unknown';

/** Every way to fail, by its stable name. */
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
