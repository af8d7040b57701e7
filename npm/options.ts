// Checks options where the mistake was made, in words that name the option.
import { localError } from './errors.js';
import type { NetworkHint, UploaderOptions } from './types.js';

const NETWORKS: readonly NetworkHint[] = ['slow-2g', '2g', '3g', '4g', 'wifi', 'ethernet', 'unknown'];

/** The options as the Wasm module takes them: plain data, the endpoint absolute. */
export function checkUploaderOptions(options: UploaderOptions): UploaderOptions {
  if (typeof options !== 'object' || options === null) throw wrong('options', 'an object');
  const { endpoint, headers = {}, partsInFlight, network } = options;
  if (!(endpoint instanceof URL) && (typeof endpoint !== 'string' || endpoint === '')) {
    throw wrong('endpoint', 'a URL or a path');
  }
  const texts = Object.values(headers).every((value) => typeof value === 'string');
  if (typeof headers !== 'object' || !texts) throw wrong('headers', 'an object of texts');
  if (partsInFlight !== undefined && !(Number.isInteger(partsInFlight) && partsInFlight >= 1 && partsInFlight <= 64)) {
    throw wrong('partsInFlight', 'a whole number from 1 to 64');
  }
  if (network !== undefined && !NETWORKS.includes(network)) throw wrong('network', `one of ${NETWORKS.join(', ')}`);
  return {
    endpoint: absolute(endpoint),
    headers,
    network: network ?? guessNetwork(),
    ...(partsInFlight !== undefined && { partsInFlight }),
  };
}

function wrong(option: string, expected: string): Error {
  return localError(
    'invalid-option',
    `An option has a value that directput doesn't take (${option}: expected ${expected}).`,
  );
}

/** In a worker a path would be looked up below the worker's own address. */
function absolute(endpoint: string | URL): string {
  try {
    return new URL(endpoint, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  } catch (cause) {
    throw localError('invalid-option', `endpoint: expected a URL or a path`, cause);
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
