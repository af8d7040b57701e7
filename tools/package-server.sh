#!/usr/bin/env bash
# Builds `directput/server` of the npm package into pkg/server/: the signing API as a Wasm module, and its JavaScript.
# Needs pkg/ (tools/package.sh).
set -euo pipefail
cd "$(dirname "$0")/.."

TARGET=${CARGO_TARGET_DIR:-target}
OUT="$TARGET/wasm-server"
# Servers load the module once, so its size matters only where platforms limit it.
CARGO_PROFILE_RELEASE_OPT_LEVEL=s CARGO_PROFILE_RELEASE_STRIP=debuginfo cargo build --release --quiet --target wasm32-unknown-unknown -p directput-server-wasm
wasm-bindgen --target web --no-typescript --out-dir "$OUT" --out-name glue \
  "$TARGET/wasm32-unknown-unknown/release/directput_server_wasm.wasm"
FEATURES=(--enable-bulk-memory --enable-bulk-memory-opt --enable-multivalue --enable-mutable-globals
  --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext --enable-simd)
node_modules/.bin/wasm-opt -Os "${FEATURES[@]}" --strip-debug --strip-producers "$OUT/glue_bg.wasm" -o "$OUT/glue_bg.wasm"
mkdir -p pkg/server
cp "$OUT/glue_bg.wasm" pkg/server/
BUNDLE=(--bundle --format=esm --target=es2022 --minify --log-level=warning "--alias:server-glue=$(realpath "$OUT")/glue.js")
node_modules/.bin/esbuild npm/server/index.ts "${BUNDLE[@]}" --loader:.wasm=binary \
  "--alias:server-glue.wasm=$(realpath "$OUT")/glue_bg.wasm" --outfile=pkg/server/index.js
node_modules/.bin/esbuild npm/server/workerd.ts "${BUNDLE[@]}" --external:./glue_bg.wasm --outfile=pkg/server/workerd.js
for refusal in browser edge; do
  node_modules/.bin/esbuild "npm/server/$refusal.ts" --bundle --format=esm "--outfile=pkg/server/$refusal.js" --log-level=warning
done
# Cloudflare Workers take 3 MB, gzipped, in their free plan.
BUDGET_BYTES=400000
BYTES=$(($(gzip -9 <pkg/server/glue_bg.wasm | wc -c) + $(gzip -9 <pkg/server/workerd.js | wc -c)))
printf 'package: %s bytes of directput/server, gzipped, of %s\n' "$BYTES" "$BUDGET_BYTES"
if [ "$BYTES" -gt "$BUDGET_BYTES" ]; then
  echo 'package: directput/server is over its budget in tools/package-server.sh' >&2
  exit 1
fi
