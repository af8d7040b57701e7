#!/usr/bin/env bash
# Lists the shipped dependencies as CycloneDX: the crates of the Wasm module and of the function, and the bundled npm
# modules.
set -euo pipefail
cd "$(dirname "$0")/.."
OUT=$1
mkdir -p "$OUT"

# cargo-cyclonedx writes a file beside the Cargo.toml of each workspace member. Keeps only the file of the wanted
# member.
sbom() {
  local manifest=$1 target=$2 name=$3 made=directput-sbom
  cargo cyclonedx --quiet --manifest-path "$manifest" --format json --target "$target" --no-build-deps \
    --override-filename "$made"
  mv "$(dirname "$manifest")/$made.json" "$OUT/$name.json"
  rm -f ./"$made.json" {lambda,local}/"$made.json"
}
sbom Cargo.toml wasm32-unknown-unknown wasm
sbom lambda/Cargo.toml aarch64-unknown-linux-gnu function
npm sbom --sbom-format cyclonedx --package-lock-only >"$OUT/npm.json"
for file in "$OUT"/*.json; do
  printf '%s: %s components\n' "$file" "$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).components.length' "$file")"
done
