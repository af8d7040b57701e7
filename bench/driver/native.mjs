// The figures that need no browser: the package's bytes, the function's, and how fast it signs.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';

const TARGET = process.env.CARGO_TARGET_DIR ?? 'target';

const gzipBytes = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** What a page loads of the package, each file gzipped by itself. */
function bundleGzipBytes() {
  const files = ['index.js', 'worker.js', 'directput_bg.wasm'];
  return files.reduce((sum, name) => sum + gzipBytes(readFileSync(join('pkg', name))), 0);
}

/** The Wasm module, and what wasm-bindgen puts between it and JavaScript. */
function moduleGzipBytes() {
  const options = ['--bundle', '--format=esm', '--target=es2022', '--minify'];
  const glue = execFileSync('node_modules/.bin/esbuild', ['target/wasm/directput.js', ...options]);
  return gzipBytes(glue) + gzipBytes(readFileSync('pkg/directput_bg.wasm'));
}

/** What a zip of the function's binary weighs, for the processor of this machine; its headers are 130 bytes. */
function lambdaZipBytes() {
  return deflateRawSync(readFileSync(join(TARGET, 'release/directput-api')), { level: 9 }).length + 130;
}

/** Nanoseconds that Criterion measured for a benchmark, at the median. */
function medianNanoseconds(...path) {
  const estimates = readFileSync(join(TARGET, 'criterion', ...path, 'new/estimates.json'), 'utf8');
  return JSON.parse(estimates).median.point_estimate;
}

/** Presigned URLs a second on one core. */
function signUrlsPerSecond() {
  return Math.round((1_000 * 1e9) / medianNanoseconds('sign', '1000 parts'));
}

/** What the engine spends on each part of uploads of so many, in nanoseconds. */
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
    bundle_gzip_bytes: bundleGzipBytes(),
    module_gzip_bytes: moduleGzipBytes(),
    lambda_zip_bytes: lambdaZipBytes(),
    sign_urls_per_s: signUrlsPerSecond(),
    engine_ns_per_part: engineNanosecondsPerPart(),
  };
}
