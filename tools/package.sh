#!/usr/bin/env bash
# Builds the npm package into pkg/: Wasm by wasm-pack, wasm-opt over it, the TypeScript entry around it.
set -euo pipefail
cd "$(dirname "$0")/.."

# A page loads it; what is hot in it is hashing, which Cargo.toml exempts.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_STRIP=debuginfo
# A standard library that is built along ends without words where it would panic. The flags for that are not stable, so
# this one build asks the stable compiler to take them; tests and the function are built without.
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS='-C target-feature=+simd128 -Z unstable-options -C panic=immediate-abort -Z location-detail=none -Z fmt-debug=none -C llvm-args=-inline-threshold=25'
wasm-pack build --release --target web --out-dir target/wasm --out-name directput --no-pack --no-opt . -- \
  -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size
unset RUSTC_BOOTSTRAP RUSTFLAGS
# What rustc emits and every browser since 2023 knows; `--all-features` would emit what none has yet.
FEATURES=(--enable-bulk-memory --enable-bulk-memory-opt --enable-multivalue --enable-mutable-globals
  --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext --enable-simd)
rm -rf pkg
mkdir -p pkg
node_modules/.bin/wasm-opt "${FEATURES[@]}" --strip-debug --strip-producers --emit-text \
  target/wasm/directput_bg.wasm -o target/wasm/directput_bg.wat
node tools/names.mjs target/wasm/directput_bg.wat target/wasm/directput.js
node tools/glue.mjs target/wasm/directput.js
# Rust's stack ends in the first KiB of the memory, and nothing else is there. Functions stay apart: code that is the
# same in many places is what gzip makes small. Control flow that is taken apart and built anew saves 400 bytes more.
node_modules/.bin/wasm-opt -Os --flatten --rereloop -Os --low-memory-unused --one-caller-inline-max-function-size=20 "${FEATURES[@]}" \
  --emit-text target/wasm/directput_bg.wat -o target/wasm/small.wat
assemble() {
  node_modules/.bin/wasm-opt --quiet --generate-stack-ir --optimize-stack-ir "${FEATURES[@]}" target/wasm/small.wat -o "$1"
}
assemble target/wasm/small.wasm
node tools/order.mjs target/wasm/small.wat target/wasm/small.wasm
assemble pkg/directput_bg.wasm
node_modules/.bin/tsc -p tsconfig.json
# It writes no declaration for one.
cp npm/element/jsx.d.ts pkg/element/
# Two files and no shared one: who loads either should not have to load another before it can start.
BUNDLE=(--bundle --format=esm --target=es2022 --minify --sourcemap --log-level=warning)
for entry in index worker; do
  node_modules/.bin/esbuild "npm/$entry.ts" "${BUNDLE[@]}" --external:./worker.js --external:./inlined.js --outdir=pkg
done
# esbuild drops what tells other bundlers to leave alone the import of `npm/page/host-connection.ts` whose address only the page knows.
sed -i -E 's|import\(([A-Za-z_$]+)\)|import(/* webpackIgnore: true *//* turbopackIgnore: true *//* @vite-ignore */\1)|' pkg/index.js
# Both as JavaScript, for where they can't be files: compressed, since Base64 of what is not makes a larger file.
for file in worker.js directput_bg.wasm; do gzip -9n <"pkg/$file" >"target/wasm/$file.gz"; done
node_modules/.bin/esbuild npm/inlined.ts npm/bundled.ts "${BUNDLE[@]}" --loader:.gz=base64 --external:./index.js --external:./inlined.js --outdir=pkg
# Takes the spaces and the ends of lines out of style sheets, which esbuild leaves in strings; only they have lines without a backquote.
dense() {
  sed -i -E '/`|^\/\//!{s/^ +|([{};:,]) +| +(\{)/\1\2/g;s/\{ +/{/g;s/;\}/}/g}' "$1"
  sed -i -z -E 's/;\n\}/}/g;s/([{};,])\n([^\/])/\1\2/g' "$1"
}
# Marks the calls of an imported function in a file as free of side effects.
pure() {
  local called
  called=$(sed -nE "s/.*[{,]$1 as ([A-Za-z_$]+)[,}].*/\1/p" "$2")
  sed -i "s/=${called:?}(/=\/* @__PURE__ *\/$called(/" "$2"
}
# Holds a file of the package to a number of gzipped bytes.
budget() {
  local bytes
  bytes=$(gzip -9 <"pkg/$1.js" | wc -c)
  printf 'package: %s bytes for %s, of %s\n' "$bytes" "$1" "$2"
  if [ "$bytes" -gt "$2" ]; then
    echo "package: $1 is over its budget in tools/package.sh" >&2
    exit 1
  fi
}
# What stands around the entry imports it, so that a page with both has it once. Each has a budget in gzipped bytes.
for sub in element:12000 list:1800 react:1300 vue:300 uppy:1000 testing:2500; do
  entry=${sub%:*}
  # Next.js runs hooks in the browser only if their module says so.
  banner=()
  [ "$entry" != react ] || banner=(--banner:js="'use client';")
  node_modules/.bin/esbuild "npm/$entry/index.ts" --bundle --external:../index.js --external:../list/index.js --external:../element/index.js \
    --external:'./locales/*' --external:./unfinished.js --external:./details.js --external:./folders.js --external:./thumbnail.js \
    --packages=external --format=esm --target=es2022 --minify --sourcemap --log-level=warning "${banner[@]}" \
    "--outfile=pkg/$entry/index.js"
  [ "$entry" != element ] || dense pkg/element/index.js
  # esbuild drops what lets other bundlers leave out a component that is not used, and the element with it.
  [ "$entry" != react ] || pure forwardRef pkg/react/index.js
  budget "$entry/index" "${sub#*:}"
done
# Parts of the element that not every page needs are loaded by those that do, and so are its languages.
for part in unfinished:1000 details:1300 folders:450 thumbnail:500; do
  name=${part%:*}
  node_modules/.bin/esbuild "npm/element/$name.ts" --bundle --format=esm --target=es2022 --minify --log-level=warning \
    "--outfile=pkg/element/$name.js"
  dense "pkg/element/$name.js"
  budget "element/$name" "${part#*:}"
done
for path in npm/element/locales/*.ts; do
  name=$(basename "$path" .ts)
  node_modules/.bin/esbuild "$path" --format=esm --target=es2022 --minify --log-level=warning \
    "--outfile=pkg/element/locales/$name.js"
  budget "element/locales/$name" 3000
done
node tools/manifest.mjs >pkg/custom-elements.json
# Loaded only where the files can't be.
INLINED_BUDGET_BYTES=75000
INLINED_BYTES=$(gzip -9 <pkg/inlined.js | wc -c)
printf 'package: %s bytes for what is inlined, gzipped, of %s\n' "$INLINED_BYTES" "$INLINED_BUDGET_BYTES"
if [ "$INLINED_BYTES" -gt "$INLINED_BUDGET_BYTES" ]; then
  echo 'package: what is inlined is over its budget in tools/package.sh' >&2
  exit 1
fi
cp npm/package.json LICENSE-MIT LICENSE-APACHE README.md pkg/
# The module and what wasm-bindgen puts between it and JavaScript.
MODULE_BUDGET_BYTES=66400
node_modules/.bin/esbuild target/wasm/directput.js --bundle --format=esm --target=es2022 --minify --log-level=warning \
  --outfile=target/wasm/glue.js
MODULE_BYTES=$(($(gzip -9 <target/wasm/glue.js | wc -c) + $(gzip -9 <pkg/directput_bg.wasm | wc -c)))
printf 'package: %s bytes of module and glue, gzipped, of %s\n' "$MODULE_BYTES" "$MODULE_BUDGET_BYTES"
# What a page loads, each file gzipped by itself as servers do it. Only ever lowered: what makes it larger has to be
# worth more than what it costs.
BUDGET_BYTES=82000
BYTES=0
for file in pkg/index.js pkg/worker.js pkg/*.wasm; do
  BYTES=$((BYTES + $(gzip -9 <"$file" | wc -c)))
done
printf 'package: %s bytes of Wasm and JavaScript, gzipped, of %s\n' "$BYTES" "$BUDGET_BYTES"
if [ "$BYTES" -gt "$BUDGET_BYTES" ] || [ "$MODULE_BYTES" -gt "$MODULE_BUDGET_BYTES" ]; then
  echo 'package: over a budget of tools/package.sh' >&2
  exit 1
fi
