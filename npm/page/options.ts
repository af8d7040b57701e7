// Checks options when they are passed, with messages that name the option.
import { localError } from '../errors.js';
import type {
  ChecksumAlgorithm,
  FileRules,
  Headers,
  NetworkHint,
  Tuning,
  UploaderOptions,
  UploadOptions,
} from '../types.js';

const TUNING: readonly (keyof Tuning)[] = ['checksum', 'network', 'stallSeconds'];

const UPLOADER_OPTIONS: readonly (keyof UploaderOptions)[] = [
  ...TUNING,
  ...(['endpoint', 'headers', 'preconnect', 'partsInFlight'] as const),
  ...(['credentials', 'caller', 'worker', 'warnBeforeLeaving'] as const),
  ...(['accept', 'minBytes', 'maxBytes', 'maxFiles', 'beforeUpload'] as const),
];

/** The names of `UploadOptions`. */
export const UPLOAD_OPTIONS: readonly (keyof UploadOptions)[] = [
  ...TUNING,
  ...(['name', 'type', 'onProgress', 'onRetry', 'onPart', 'signal', 'priority', 'handle'] as const),
];

const NETWORKS: readonly NetworkHint[] = ['slow-2g', '2g', '3g', '4g', 'wifi', 'ethernet', 'unknown'];

const CHECKSUMS: readonly ChecksumAlgorithm[] = ['sha256', 'crc64nvme', 'crc64nvme-after', 'none'];

/**
 * Checks the options of an uploader. Returns the options for the Wasm module, with an absolute endpoint and the network
 * hint. Throws `UploadError` with `invalid-option`.
 */
export function checkUploaderOptions(options: UploaderOptions): UploaderOptions & { hasServiceWorker: boolean } {
  if (typeof options !== 'object' || options === null) throw wrong('options', 'an object');
  checkNames(options, UPLOADER_OPTIONS);
  const { endpoint, headers = {}, partsInFlight, credentials, caller } = options;
  if (!(endpoint instanceof URL) && (typeof endpoint !== 'string' || endpoint === '')) {
    throw wrong('endpoint', 'a URL or a path');
  }
  checkNumber('partsInFlight', partsInFlight, 1, 64);
  checkName('credentials', credentials, ['same-origin', 'include']);
  if (caller !== undefined && typeof caller !== 'string') throw wrong('caller', 'a text');
  checkRules(options);
  return {
    network: guessNetwork(),
    ...checkTuning(options),
    endpoint: absolute('endpoint', endpoint),
    headers: typeof headers === 'function' ? headers : plainHeaders(headers),
    // A service worker hides upload progress from the page and from the page's worker.
    // A sandboxed frame has the origin `null`, and reading `serviceWorker` there throws.
    hasServiceWorker: globalThis.origin !== 'null' && Boolean(globalThis.navigator?.serviceWorker?.controller),
    ...(partsInFlight !== undefined && { partsInFlight }),
    ...(credentials && { credentials }),
    ...(caller && { caller }),
  };
}

/**
 * Checks the options that an uploader and an upload have in common. Returns those that are set. Throws `UploadError`
 * with `invalid-option`.
 */
export function checkTuning({ checksum, network, stallSeconds }: Tuning): Tuning {
  checkNumber('stallSeconds', stallSeconds, 5, 300);
  checkName('checksum', checksum, CHECKSUMS);
  checkName('network', network, NETWORKS);
  return {
    ...(network !== undefined && { network }),
    ...(checksum !== undefined && { checksum }),
    ...(stallSeconds !== undefined && { stallSeconds }),
  };
}

/**
 * Throws `UploadError` for an unknown option. A misspelt option would otherwise have no effect, which is hard to find.
 */
export function checkNames(options: object, names: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const [nearest] = [...names].sort((one, other) => edits(unknown, one) - edits(unknown, other));
  throw localError('invalid-option', `There is no option ${unknown}; ${nearest} is the nearest.`);
}

/** Returns the edit distance of two names (Levenshtein), ignoring case. */
function edits(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one.toLowerCase()].entries()) {
    const next = [at + 1];
    for (const [place, own] of [...other.toLowerCase()].entries()) {
      next.push(
        Math.min(1 + (next[place] ?? 0), 1 + (row[place + 1] ?? 0), (row[place] ?? 0) + Number(letter !== own)),
      );
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** Returns headers as a plain object, from any form that `fetch` takes. Throws `UploadError` with `invalid-option`. */
export function plainHeaders(headers: Headers): Record<string, string> {
  try {
    const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
    if (entries.every((entry) => entry.length === 2 && entry.every((text) => typeof text === 'string'))) {
      return Object.fromEntries(entries);
    }
  } catch {
    // `headers` is not an object.
  }
  throw wrong('headers', 'an object of texts, pairs of texts, Headers, or a function that returns one of them');
}

function checkRules(rules: FileRules): void {
  for (const name of ['minBytes', 'maxBytes', 'maxFiles'] as const) checkNumber(name, rules[name], 0);
  const { accept, beforeUpload } = rules;
  if (accept !== undefined && typeof accept !== 'string') throw wrong('accept', 'a text such as image/*,.pdf');
  if (beforeUpload !== undefined && typeof beforeUpload !== 'function') throw wrong('beforeUpload', 'a function');
}

function checkNumber(option: string, value: number | undefined, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most)) {
    throw wrong(option, `a whole number from ${least} to ${most}`);
  }
}

function checkName(option: string, value: string | undefined, names: readonly string[]): void {
  if (value !== undefined && !names.includes(value)) throw wrong(option, `one of ${names.join(', ')}`);
}

function wrong(option: string, expected: string): Error {
  return localError(
    'invalid-option',
    `An option has a value that directput doesn't take (${option}: expected ${expected}).`,
  );
}

/** Returns an absolute URL. A worker would resolve a path against its own URL. */
export function absolute(option: string, address: string | URL): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  // Server-side rendering has no base URL, and uploads nothing.
  if (!base) return `${address}`;
  try {
    return new URL(address, base).href;
  } catch (cause) {
    throw localError('invalid-option', `${option}: expected a URL or a path`, cause);
  }
}

interface Connection {
  type?: string;
  effectiveType?: string;
}

/** Returns the browser's hint about the link (Network Information API), or `unknown`. */
function guessNetwork(): NetworkHint {
  const connection = (globalThis.navigator as { connection?: Connection } | undefined)?.connection;
  const known = [connection?.type, connection?.effectiveType];
  return NETWORKS.find((network) => known.includes(network)) ?? 'unknown';
}
