#!/usr/bin/env bash
# Looks for secrets in the working tree. First checks that a planted secret is found.
set -euo pipefail
cd "$(dirname "$0")/.."

PLANTED=$(mktemp -d)
trap 'rm -rf "$PLANTED"' EXIT
printf 'const id = "AKIA%s";\n' Z7QX4LM2N5PR8TWB >"$PLANTED/config.js"
if checkov --config-file security/secrets.yaml --directory "$PLANTED" >/dev/null; then
  echo 'secrets: checkov did not find a planted access key' >&2
  exit 1
fi
checkov --config-file security/secrets.yaml --directory .
echo 'secrets: none'
