#!/usr/bin/env bash
# Builds the npm package into pkg/: wasm-pack builds the module, wasm-opt shrinks it, and esbuild bundles the TypeScript
# code.
set -euo pipefail
cd "$(dirname "$0")/.."

# Pages load the module, so it is optimised for size, except for hashing (see Cargo.toml), where speed matters.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_STRIP=debuginfo
# The standard library is built with the module, so that panics abort without a message. This needs unstable flags,
# which RUSTC_BOOTSTRAP enables in the stable compiler, for this build only.
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS='-C target-feature=+simd128 -Z unstable-options -C panic=immediate-abort -Z location-detail=none -Z fmt-debug=none -C llvm-args=-inline-threshold=25'
wasm-pack build --release --target web --out-dir target/wasm --out-name directput --no-pack --no-opt . -- \
  -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size
unset RUSTC_BOOTSTRAP RUSTFLAGS
# Features that rustc uses and that all browsers since 2023 support. `--all-features` would use features that no browser
# has.
FEATURES=(--enable-bulk-memory --enable-bulk-memory-opt --enable-multivalue --enable-mutable-globals
  --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext --enable-simd)
rm -rf pkg
mkdir -p pkg
node_modules/.bin/wasm-opt "${FEATURES[@]}" --strip-debug --strip-producers --emit-text \
  target/wasm/directput_bg.wasm -o target/wasm/directput_bg.wat
node tools/names.mjs target/wasm/directput_bg.wat target/wasm/directput.js
node tools/glue.mjs target/wasm/directput.js
# --low-memory-unused: no data is in the first KiB of the memory, only the end of Rust's stack. Functions are not inlined:
# gzip compresses repeated code well. --flatten and --rereloop, which rebuild the control flow, save 400 bytes.
node_modules/.bin/wasm-opt -Os --flatten --rereloop -Os --low-memory-unused --one-caller-inline-max-function-size=20 "${FEATURES[@]}" \
  --emit-text target/wasm/directput_bg.wat -o target/wasm/small.wat
assemble() {
  node_modules/.bin/wasm-opt --quiet --generate-stack-ir --optimize-stack-ir "${FEATURES[@]}" target/wasm/small.wat -o "$1"
}
assemble target/wasm/small.wasm
node tools/order.mjs target/wasm/small.wat target/wasm/small.wasm
assemble pkg/directput_bg.wasm
node_modules/.bin/tsc -p tsconfig.json
# tsc does not copy declaration files.
cp npm/element/jsx.d.ts pkg/element/
# The two entries are bundled separately. With a shared chunk, each would have to load a second file before it starts.
BUNDLE=(--bundle --format=esm --target=es2022 --minify --sourcemap --log-level=warning)
for entry in index worker; do
  node_modules/.bin/esbuild "npm/$entry.ts" "${BUNDLE[@]}" --external:./worker.js --external:./inlined.js --outdir=pkg
done
# esbuild drops the comments that tell other bundlers not to resolve the dynamic import in
# `npm/page/host-connection.ts`.
sed -i -E 's|import\(([A-Za-z_$]+)\)|import(/* webpackIgnore: true *//* turbopackIgnore: true *//* @vite-ignore */\1)|' pkg/index.js
# Worker and module as JavaScript, for environments without separate files. Both are compressed, then encoded in Base64.
for file in worker.js directput_bg.wasm; do gzip -9n <"pkg/$file" >"target/wasm/$file.gz"; done
node_modules/.bin/esbuild npm/inlined.ts npm/bundled.ts "${BUNDLE[@]}" --loader:.gz=base64 --external:./index.js --external:./inlined.js --outdir=pkg
# Removes spaces, line ends and the zeros before decimal points in style sheets, which esbuild leaves in strings. Only style
# sheets have lines without a backquote.
dense() {
  sed -i -E '/`|^\/\//!{s/^ +|([{};:,]) +| +(\{)/\1\2/g;s/\{ +/{/g;s/;\}/}/g;s/ ([>~\/]) /\1/g;s/([ :(,])0\./\1./g}' "$1"
  sed -i -z -E 's/;\n\}/}/g;s/([{};,])\n([^\/])/\1\2/g' "$1"
}
# Marks the calls of an imported function as free of side effects: pure FUNCTION FILE
pure() {
  local called
  called=$(sed -nE "s/.*[{,]$1 as ([A-Za-z_$]+)[,}].*/\1/p" "$2")
  sed -i "s/=${called:?}(/=\/* @__PURE__ *\/$called(/" "$2"
}
# Fails if a file of the package has more gzipped bytes than its budget: budget NAME BYTES
budget() {
  local bytes
  bytes=$(gzip -9 <"pkg/$1.js" | wc -c)
  printf 'package: %s bytes for %s, of %s\n' "$bytes" "$1" "$2"
  if [ "$bytes" -gt "$2" ]; then
    echo "package: $1 is over its budget in tools/package.sh" >&2
    exit 1
  fi
}
# The other entries import the main entry, so that a page with several entries loads the main entry once. Each entry has
# a budget in gzipped bytes.
for sub in element:14000 list:1800 react:1300 vue:300 uppy:1000 testing:2500; do
  entry=${sub%:*}
  # Next.js runs hooks in the browser only if their module has this directive.
  banner=()
  [ "$entry" != react ] || banner=(--banner:js="'use client';")
  node_modules/.bin/esbuild "npm/$entry/index.ts" --bundle --external:../index.js --external:../list/index.js --external:../element/index.js \
    --external:'./locales/*' --external:./unfinished.js --external:./details.js --external:./folders.js --external:./thumbnail.js \
    --packages=external --format=esm --target=es2022 --minify --sourcemap --log-level=warning "${banner[@]}" \
    "--outfile=pkg/$entry/index.js"
  [ "$entry" != element ] || dense pkg/element/index.js
  # esbuild drops the annotations that let other bundlers remove an unused component together with the element.
  [ "$entry" != react ] || pure forwardRef pkg/react/index.js
  budget "$entry/index" "${sub#*:}"
done
# Optional parts of the element, and its languages, are separate files that pages load on demand.
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
# Budget of the inlined files, in gzipped bytes. Only environments without separate files load them.
INLINED_BUDGET_BYTES=74600
INLINED_BYTES=$(gzip -9 <pkg/inlined.js | wc -c)
printf 'package: %s bytes of inlined files, gzipped, of %s\n' "$INLINED_BYTES" "$INLINED_BUDGET_BYTES"
if [ "$INLINED_BYTES" -gt "$INLINED_BUDGET_BYTES" ]; then
  echo 'package: the inlined files are over their budget in tools/package.sh' >&2
  exit 1
fi
cp npm/package.json LICENSE-MIT LICENSE-APACHE README.md pkg/
# Budget of the module and wasm-bindgen's glue between it and JavaScript, in gzipped bytes.
MODULE_BUDGET_BYTES=66300
node_modules/.bin/esbuild target/wasm/directput.js --bundle --format=esm --target=es2022 --minify --log-level=warning \
  --outfile=target/wasm/glue.js
MODULE_BYTES=$(($(gzip -9 <target/wasm/glue.js | wc -c) + $(gzip -9 <pkg/directput_bg.wasm | wc -c)))
printf 'package: %s bytes of module and glue, gzipped, of %s\n' "$MODULE_BYTES" "$MODULE_BUDGET_BYTES"
# Budget of all files that a page loads, in bytes. Each file is gzipped separately, as servers do. A feature that needs
# more bytes has to be worth them.
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
