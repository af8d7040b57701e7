#!/usr/bin/env bash
# Builds the npm package into pkg/: Wasm by wasm-pack, wasm-opt over it, the TypeScript entry around it.
set -euo pipefail
cd "$(dirname "$0")/.."

wasm-pack build --release --target web --out-dir target/wasm --out-name directput --no-pack --no-opt .
# What rustc emits and every browser since 2023 knows; `--all-features` would emit what none has yet.
FEATURES=(--enable-bulk-memory --enable-bulk-memory-opt --enable-multivalue --enable-mutable-globals
  --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext --enable-simd)
rm -rf pkg
mkdir -p pkg
node_modules/.bin/wasm-opt -Os "${FEATURES[@]}" --strip-debug --strip-producers \
  target/wasm/directput_bg.wasm -o pkg/directput_bg.wasm
node_modules/.bin/tsc -p tsconfig.json
node_modules/.bin/esbuild npm/index.ts npm/worker.ts --bundle --splitting --format=esm --target=es2022 \
  --minify --sourcemap --log-level=warning --outdir=pkg
cp npm/package.json LICENSE-MIT LICENSE-APACHE README.md pkg/
printf 'package: %s bytes of Wasm and JavaScript, gzipped\n' \
  "$(cat pkg/*.js pkg/*.wasm | gzip -9 | wc -c)"
