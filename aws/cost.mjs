// Cost of a million uploads, direct and through a backend: `make cost SIZE=10485760`.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const KIB = 1 << 10;
const MIB = 1 << 20;
const GIB = 1 << 30;

/** Maximum size of a file that is sent in one PUT, and length of a part of a larger file. Files with 10,000 parts have longer parts. */
const SINGLE_PUT_BYTES = 16 * MIB;
const PART_BYTES = 8 * MIB;
const MAX_PARTS = 10_000;

/** Parts signed by one call, from `bench/README.md`: 12 calls for 32 parts, 10 sign parts, one opens and one completes the upload. */
const PARTS_PER_CALL = 32 / 10;

/** Billed time of a call, in seconds, and memory of the function: estimates, not measured in AWS. */
const CALL_SECONDS = 0.02;
const FUNCTION_GIB = 0.25;

/** Length of a line of the function's log plus a line of the API's log, in bytes. */
const LOG_BYTES = 700;

/** Length of a request to the backend, in bytes. The backend is a Lambda function behind the same API, which receives a file in such requests and sends it to S3. */
const BACKEND_BYTES = 5 * MIB;
const BACKEND_GIB = 1;
/** Time of such a request, in seconds: decoding, and sending to S3 at 50 MiB/s. */
const BACKEND_SECONDS = 0.05 + BACKEND_BYTES / (50 * MIB);

/** Returns the costs of `uploads` uploads of `size` bytes, in US dollars, by service. */
export function costs(size, uploads, prices) {
  const s3 = (requests) => (requests * prices.s3PutPerThousand) / 1_000;
  const lambda = (calls, seconds, gib) =>
    calls * (prices.lambdaPerMillionRequests / 1e6 + seconds * gib * prices.lambdaArmPerGibSecond);
  const api = (calls, bytes) => (calls * Math.max(1, Math.ceil(bytes / prices.httpApiMeterBytes)) * prices.httpApiPerMillion) / 1e6;
  const logs = (calls) => (calls * LOG_BYTES * prices.logsPerGib) / GIB;
  const sum = (items) => ({ ...items, total: Object.values(items).reduce((total, item) => total + item, 0) });

  const isSingle = size <= SINGLE_PUT_BYTES;
  const parts = isSingle ? 1 : Math.min(MAX_PARTS, Math.ceil(size / PART_BYTES));
  const calls = isSingle ? 1 : 2 + Math.ceil(parts / PARTS_PER_CALL);
  // Opening and completing a multipart upload are two more requests.
  const puts = isSingle ? 1 : parts + 2;
  const requests = Math.max(1, Math.ceil(size / BACKEND_BYTES));
  // The backend sends a file of several requests as a multipart upload.
  const backendPuts = requests === 1 ? 1 : requests + 2;
  return {
    direct: sum({
      s3: uploads * s3(puts),
      function: uploads * lambda(calls, CALL_SECONDS, FUNCTION_GIB),
      api: uploads * api(calls, 4 * KIB),
      logs: uploads * logs(calls),
      secret: prices.secretPerMonth,
    }),
    backend: sum({
      s3: uploads * s3(backendPuts),
      function: uploads * lambda(requests, BACKEND_SECONDS, BACKEND_GIB),
      api: uploads * api(requests, Math.min(size, BACKEND_BYTES)),
      logs: uploads * logs(requests),
      secret: 0,
    }),
  };
}

function main() {
  const size = Number(process.env.SIZE ?? 100 * MIB);
  const uploads = Number(process.env.UPLOADS ?? 1_000_000);
  if (!Number.isSafeInteger(size) || size < 0) throw new Error('SIZE: expected a whole number of bytes');
  if (!Number.isSafeInteger(uploads) || uploads < 1) throw new Error('UPLOADS: expected a whole number from 1');
  const prices = JSON.parse(readFileSync(new URL('prices.json', import.meta.url), 'utf8'));
  const { direct, backend } = costs(size, uploads, prices);
  const money = (amount) => amount.toFixed(2).padStart(14);
  const lines = Object.keys(direct).map((item) => `${item.padEnd(10)}${money(direct[item])}${money(backend[item])}`);
  const title = `${uploads} uploads of ${size} bytes, US dollars, ${prices.region}`;
  const head = `${''.padEnd(10)}${'direct'.padStart(14)}${'by a backend'.padStart(14)}`;
  process.stdout.write(`${[title, '', head, ...lines, '', `Prices: ${prices.stated}.`].join('\n')}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main();
