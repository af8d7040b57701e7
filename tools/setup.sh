#!/usr/bin/env bash
# Installs missing tools and packages for the targets of the Makefile: tools/setup.sh NAME…
#
# Each NAME is the name of a function `setup_…` below without `setup_`, with `-` instead of `_`. Versions of tools that
# are in no lock file and no requirements.txt are set here. The tools are installed in $TOOLS, which `make clean` keeps.
# Debian packages need root or sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

TOOLS=${TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/directput/tools}
export PATH="$TOOLS/bin:$PATH" npm_config_audit=false npm_config_fund=false

# Must be the same version as in Cargo.lock.
WASM_BINDGEN=0.2.130
WASM_PACK=0.15.1
CARGO_CYCLONEDX=0.5.9
CARGO_DENY=0.20.2
CARGO_MUTANTS=27.1.0
GARAGE=2.5.0
GECKODRIVER=0.37.1
PYTHON_TOOLS=(aws-sam-cli==1.170.0 cargo-lambda==1.9.2 cfn-lint==1.58.0 cfripper==1.22.1 checkov==3.3.30)
ZIG=0.15.1
MOTO=5.2.5
MOTO_PARTS=cloudformation,cloudfront,cloudwatch,dynamodb,logs,s3,secretsmanager,server,sqs

# --- Rust -----------------------------------------------------------------------------------------

setup_wasm_target() { rust_target wasm32-unknown-unknown; }

setup_wasm_tools() {
  setup_wasm_target
  # tools/package.sh builds the standard library for size, and needs its source.
  is_installed rust-src component || rustup component add rust-src
  is_version "$WASM_BINDGEN" wasm-bindgen || crate wasm-bindgen-cli "$WASM_BINDGEN"
  is_version "$WASM_PACK" wasm-pack || crate wasm-pack "$WASM_PACK" --locked
}

# A debug build is enough, because the tests store little. It takes 3 minutes; a release build takes 17.
setup_garage() {
  is_version "$GARAGE " garage \
    || crate garage "$GARAGE" --locked --debug --no-default-features --features bundled-libs,sqlite
}

setup_cargo_cyclonedx() { is_version "$CARGO_CYCLONEDX" cargo cyclonedx || crate cargo-cyclonedx "$CARGO_CYCLONEDX" --locked --debug; }
setup_cargo_deny() { is_version "$CARGO_DENY" cargo deny || crate cargo-deny "$CARGO_DENY" --locked --debug; }
setup_cargo_mutants() { is_version "$CARGO_MUTANTS" cargo mutants || crate cargo-mutants "$CARGO_MUTANTS" --locked --debug; }

# --- Python ---------------------------------------------------------------------------------------

setup_uv() {
  python3 -c 'import ensurepip' 2>/dev/null || debian python3-venv
  if [ ! -x "$TOOLS/python/bin/uv" ]; then
    python3 -m venv "$TOOLS/python"
    "$TOOLS/python/bin/pip" install --quiet uv
  fi
  export UV_TOOL_DIR="$TOOLS/uv" UV_TOOL_BIN_DIR="$TOOLS/bin" UV_PYTHON_DOWNLOADS=never
}

setup_python_tools() {
  setup_uv
  local tool
  for tool in "${PYTHON_TOOLS[@]}"; do
    if [ ! -e "$TOOLS/uv/$tool.installed" ]; then
      "$TOOLS/python/bin/uv" tool install --quiet "$tool"
      touch "$TOOLS/uv/$tool.installed"
    fi
  done
}

# moto emulates AWS's services for tests. It has its own Python: $TOOLS/moto/bin/python.
setup_moto() {
  setup_uv
  if [ ! -e "$TOOLS/moto/$MOTO.installed" ]; then
    "$TOOLS/python/bin/uv" venv --quiet --clear "$TOOLS/moto"
    "$TOOLS/python/bin/uv" pip install --quiet --python "$TOOLS/moto/bin/python" "moto[$MOTO_PARTS]==$MOTO"
    touch "$TOOLS/moto/$MOTO.installed"
  fi
}

# The packages of examples/fastapi, in a Python of their own: $TOOLS/fastapi/bin/python.
setup_fastapi() {
  setup_uv
  local wanted=examples/fastapi/requirements.txt
  if ! cmp -s "$wanted" "$TOOLS/fastapi/.requirements"; then
    "$TOOLS/python/bin/uv" venv --quiet --clear "$TOOLS/fastapi"
    "$TOOLS/python/bin/uv" pip install --quiet --compile-bytecode --python "$TOOLS/fastapi/bin/python" \
      --requirement "$wanted"
    cp "$wanted" "$TOOLS/fastapi/.requirements"
  fi
}

# cargo-lambda links for arm64 with Zig, which it finds by the command name `zig`.
setup_arm_target() {
  setup_python_tools
  rust_target aarch64-unknown-linux-gnu
  if ! is_version "$ZIG" zig version; then
    local python="$TOOLS/uv/cargo-lambda/bin/python"
    "$TOOLS/python/bin/uv" pip install --quiet --python "$python" "ziglang==$ZIG"
    printf '#!/bin/sh\nexec "%s" -m ziglang "$@"\n' "$python" >"$TOOLS/bin/zig"
    chmod +x "$TOOLS/bin/zig"
  fi
}

# --- npm ------------------------------------------------------------------------------------------

setup_node_modules() { node_modules .; }
setup_bench_modules() { node_modules bench; }
setup_server_modules() { node_modules tests/server; }
setup_consumer_modules() { node_modules tests/consumers; }
setup_docs_modules() {
  has openssl || debian openssl
  node_modules tests/docs
}

# --- browsers -------------------------------------------------------------------------------------

setup_chromium() { has chromium chromedriver curl || debian chromium chromium-driver curl; }

# geckodriver controls Firefox. Debian has no package of geckodriver.
setup_browsers() {
  setup_chromium
  has firefox-esr WebKitWebDriver xvfb-run || debian firefox-esr webkit2gtk-driver xvfb xauth
  is_version "$GECKODRIVER" geckodriver || crate geckodriver "$GECKODRIVER" --locked --debug
}

# --- helpers --------------------------------------------------------------------------------------

# Succeeds if all these commands exist: has COMMAND…
has() {
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || return 1
  done
}

# Succeeds if the version that a command prints contains a text: is_version TEXT COMMAND…
is_version() {
  local text=$1 printed
  shift
  [ "${*: -1}" = version ] || set -- "$@" --version
  printed=$("$@" 2>/dev/null) && [[ $printed == *"$text"* ]]
}

# Succeeds if rustup has installed a component or target: is_installed NAME component|target
is_installed() { rustup "$2" list --installed | grep -Fx "$1" >/dev/null; }

rust_target() { is_installed "$1" target || rustup target add "$1"; }

# Builds a tool: crate NAME VERSION [OPTION…]
crate() { cargo install "$1" --version "${@:2}" --root "$TOOLS"; }

debian() {
  local as=
  [ "$(id -u)" = 0 ] || as=sudo
  $as apt-get update -qq
  $as apt-get install -y -qq "$@"
}

# Installs the npm packages of a folder if its lock file has changed: node_modules FOLDER
node_modules() {
  if ! cmp -s "$1/package-lock.json" "$1/node_modules/.lock"; then
    npm ci --prefix "$1"
    cp "$1/package-lock.json" "$1/node_modules/.lock"
  fi
}

for name in "$@"; do
  "setup_${name//-/_}"
done
