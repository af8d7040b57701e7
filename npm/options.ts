// Checks options where the mistake was made, in words that name the option.
import { localError } from './errors.js';
import type { ChecksumAlgorithm, NetworkHint, UploaderOptions } from './types.js';

const NETWORKS: readonly NetworkHint[] = ['slow-2g', '2g', '3g', '4g', 'wifi', 'ethernet', 'unknown'];

const CHECKSUMS: readonly ChecksumAlgorithm[] = ['sha256', 'crc64nvme', 'none'];

/** The options as the Wasm module takes them: plain data, the endpoint absolute. */
export function checkUploaderOptions(options: UploaderOptions): UploaderOptions {
  if (typeof options !== 'object' || options === null) throw wrong('options', 'an object');
  const { endpoint, headers = {}, partsInFlight, checksum, network, stallSeconds } = options;
  if (!(endpoint instanceof URL) && (typeof endpoint !== 'string' || endpoint === '')) {
    throw wrong('endpoint', 'a URL or a path');
  }
  const areTexts = (): boolean => Object.values(headers).every((value) => typeof value === 'string');
  if (typeof headers !== 'function' && (typeof headers !== 'object' || !areTexts())) {
    throw wrong('headers', 'an object of texts, or a function that returns one');
  }
  checkNumber('partsInFlight', partsInFlight, 1, 64);
  checkNumber('stallSeconds', stallSeconds, 5, 300);
  checkName('checksum', checksum, CHECKSUMS);
  checkName('network', network, NETWORKS);
  return {
    endpoint: absolute('endpoint', endpoint),
    headers,
    network: network ?? guessNetwork(),
    ...(partsInFlight !== undefined && { partsInFlight }),
    ...(checksum !== undefined && { checksum }),
    ...(stallSeconds !== undefined && { stallSeconds }),
  };
}

function checkNumber(option: string, value: number | undefined, least: number, most: number): void {
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

/** In a worker a path would be looked up below the worker's own address. */
export function absolute(option: string, address: string | URL): string {
  try {
    return new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  } catch (cause) {
    throw localError('invalid-option', `${option}: expected a URL or a path`, cause);
  }
}

interface Connection {
  type?: string;
  effectiveType?: string;
}

/** What the browser tells of the link (Network Information API), where it does. */
function guessNetwork(): NetworkHint {
  const connection = (globalThis.navigator as { connection?: Connection } | undefined)?.connection;
  const known = [connection?.type, connection?.effectiveType];
  return NETWORKS.find((network) => known.includes(network)) ?? 'unknown';
}
