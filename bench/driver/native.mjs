// Measures without a browser: sizes of the package and the function, speed of signing, time that the engine takes.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';

const TARGET = process.env.CARGO_TARGET_DIR ?? 'target';

/** The package's files that a page loads. */
const BUNDLE = ['pkg/index.js', 'pkg/worker.js', 'pkg/directput_bg.wasm'];

/** The Wasm module, and wasm-bindgen's JavaScript for it. `tools/package.sh` makes both. */
const MODULE = ['pkg/directput_bg.wasm', 'target/wasm/glue.js'];

/** Returns the total size of files in bytes, each gzipped separately. */
function gzipBytes(files) {
  return files.reduce((sum, path) => sum + gzipSync(readFileSync(path), { level: 9 }).length, 0);
}

/**
 * Returns the size of a zip of the function's binary for this machine's processor, in bytes, including 130 B of
 * headers.
 */
function lambdaZipBytes() {
  return deflateRawSync(readFileSync(join(TARGET, 'release/directput-api')), { level: 9 }).length + 130;
}

/** Returns the median time that Criterion measured for a benchmark, in nanoseconds. */
function medianNanoseconds(...path) {
  const estimates = readFileSync(join(TARGET, 'criterion', ...path, 'new/estimates.json'), 'utf8');
  return JSON.parse(estimates).median.point_estimate;
}

/** Returns the number of URLs signed per second on one core. */
function signUrlsPerSecond() {
  return Math.round((1_000 * 1e9) / medianNanoseconds('sign', '1000 parts'));
}

/** Returns the engine's time per part in nanoseconds, for uploads with different numbers of parts. */
function engineNanosecondsPerPart() {
  const of = (parts) => [parts, Math.round(medianNanoseconds('engine', String(parts)) / parts)];
  return Object.fromEntries([10, 100, 1_000, 10_000].map(of));
}

export function machine() {
  const read = (path) => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return 'unknown';
    }
  };
  const browser = process.env.CHROMIUM ?? '/usr/bin/chromium';
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: read('/proc/sys/kernel/osrelease'),
    tcp: read('/proc/sys/net/ipv4/tcp_congestion_control'),
    browser: execFileSync(browser, ['--version'], { encoding: 'utf8' }).trim(),
    node: process.version,
  };
}

export function native() {
  return {
    bundle_gzip_bytes: gzipBytes(BUNDLE),
    module_gzip_bytes: gzipBytes(MODULE),
    lambda_zip_bytes: lambdaZipBytes(),
    sign_urls_per_s: signUrlsPerSecond(),
    engine_ns_per_part: engineNanosecondsPerPart(),
  };
}
