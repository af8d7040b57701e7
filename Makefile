# Commands of directput. Each does all of its own set-up; see `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Tools that are in no lock file, pinned, in a folder of the project's own that `make clean` leaves alone.
TOOLS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/directput/tools
WASM_BINDGEN := 0.2.130
WASM_PACK := 0.15.1
CFN_LINT := 1.58.0
SAM_CLI := 1.170.0
CARGO_LAMBDA := 1.9.2
ZIG := 0.15.1
CHECKOV := 3.3.30
CFRIPPER := 1.22.1
MOTO := 5.2.5
MOTO_PARTS := cloudformation,cloudfront,cloudwatch,dynamodb,logs,s3,secretsmanager,server,sqs
CARGO_DENY := 0.20.2
CARGO_CYCLONEDX := 0.5.9
CARGO_MUTANTS := 27.1.0
GECKODRIVER := 0.37.1
GARAGE := 2.5.0

STAGE ?= dev
ARGS ?=
CHECKS ?=
CHANGES ?= reviewed
ARTIFACTS ?=
SEEDS ?= 50000
INPUTS ?= 1000000
SEED ?= 2
SIZE ?= 104857600
UPLOADS ?= 1000000
FIRST ?= 1
TRACE ?= 0
KINDS ?=
FILES ?=
TARGET := $(or $(CARGO_TARGET_DIR),target)
export PATH := $(TOOLS)/bin:$(PATH)
# Where rustup may not download the pinned toolchain, the installed one has to do.
ifeq ($(shell rustc --version 2>/dev/null),)
export RUSTUP_TOOLCHAIN := stable
endif
export npm_config_audit := false
export npm_config_fund := false

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

.PHONY: demo
demo: package ## Build and serve the demo: the page is at http://127.0.0.1:8080 (ARGS=… go to directput-local)
	cargo run --quiet -p directput-local -- --control $(ARGS)

.PHONY: package
package: wasm-tools node-modules ## Build the npm package in pkg/
	tools/package.sh

.PHONY: test
test: test-native lint validate test-openapi package test-wasm test-page test-chaos test-engines test-consumers test-docs test-lambda conformance test-logs check-supply test-deploy test-quota function ## Install what is missing and run everything that CI runs

.PHONY: test-native
test-native:
	rm -rf '$(TARGET)/tmp/logs'
	# A thousand clients need a thousand files.
	ulimit -n "$$(ulimit -Hn)" && cargo test --workspace --all-targets
	cargo test --workspace --doc

.PHONY: simulate
simulate: ## Play the engine through SEEDS=50000 histories from seed FIRST=1 on (TRACE=1 tells each step)
	SEEDS=$(SEEDS) FIRST=$(FIRST) TRACE=$(TRACE) cargo test --test simulation --config profile.dev.opt-level=2 \
	  -- --exact every_seed_keeps_every_promise --nocapture

.PHONY: fuzz
fuzz: ## Send the API INPUTS=1000000 requests of all kinds, from SEED=2
	RUST_LOG=off FUZZ_INPUTS=$(INPUTS) FUZZ_SEED=$(SEED) cargo test -p directput-lambda --test fuzz --config profile.dev.opt-level=2 \
	  -- --nocapture

.PHONY: mutants
mutants: cargo-mutants ## Change the code in every way, and see that a test fails (FILES='src/plan.rs src/engine/**' for a part)
	FILES='$(FILES)' node tools/mutants.mjs $(ARGS)

# A part that takes a minute or two.
.PHONY: test-mutants
test-mutants: cargo-mutants
	FILES='src/plan.rs' timeout 900 node tools/mutants.mjs

.PHONY: lint
lint: wasm-target node-modules
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p directput --target wasm32-unknown-unknown -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	node_modules/.bin/biome ci --error-on-warnings .

.PHONY: test-wasm
# A call that is refused again and again takes up to half a minute.
test-wasm: wasm-tools browser
	cargo build -p directput-local
	WASM_BINDGEN_TEST_TIMEOUT=120 timeout 600 node tests/e2e/with-server.mjs wasm-pack test --headless --chrome --chromedriver "$$(command -v chromedriver)" . --test browser

.PHONY: test-page
test-page: package browser
	cargo build -p directput-local
	timeout 2700 node --test --test-concurrency=1 --test-timeout=600000 --test-reporter=spec tests/e2e/*.test.mjs

CHAOS := node --test --test-timeout=900000 --test-reporter=spec

# 12 runs with 20 uploads, whose seeds were chosen because they draw every event and most kinds of faults.
.PHONY: test-chaos
test-chaos: package browser
	cargo build -p directput-local
	SEEDS=12 FIRST=503 timeout 600 $(CHAOS) tests/chaos/chaos.test.mjs

# SEEDS has another default for `simulate`, so it counts here only if it is given.
.PHONY: chaos
chaos: package browser ## Upload through a proxy that misbehaves: SEEDS=200 runs from seed FIRST=1 on (KINDS=portal,cut for these faults alone)
	cargo build -p directput-local
	SEEDS=$(if $(filter file,$(origin SEEDS)),200,$(SEEDS)) FIRST=$(FIRST) KINDS='$(KINDS)' $(CHAOS) tests/chaos/chaos.test.mjs

.PHONY: test-slow
test-slow: package browser ## Upload over slow links, and over connections that die, with default settings; hold the time left against the truth (9 minutes)
	cargo build -p directput-local
	timeout 900 $(CHAOS) tests/chaos/slow.test.mjs
	timeout 200 $(CHAOS) tests/chaos/timeleft.test.mjs

# The same with links that are six times faster and a page that gives up six times earlier.
.PHONY: test-slow-short
test-slow-short: package browser
	cargo build -p directput-local
	SCALE=6 timeout 300 $(CHAOS) tests/chaos/slow.test.mjs

# Chromium, Firefox and WebKit, each behind its own WebDriver.
.PHONY: test-engines
test-engines: package browser engines
	cargo build -p directput-local
	timeout 600 node --test --test-timeout=300000 --test-reporter=spec tests/engines/*.test.mjs

# What the tests before it have made the API log.
.PHONY: test-logs
test-logs:
	timeout 60 node --test --test-reporter=spec tests/logs/*.test.mjs

.PHONY: conformance
conformance: package browser garage ## Play the forgery matrix and the page against Garage, another S3 server
	cargo build -p directput-local
	cargo test -p directput-local --test forgery --no-run
	timeout 600 node tests/conformance/with-garage.mjs \
	  cargo test -p directput-local --test forgery -- --test-threads=1 --nocapture
	timeout 600 node tests/conformance/with-garage.mjs \
	  node --test --test-timeout=180000 --test-reporter=spec tests/conformance/page.test.mjs

.PHONY: test-consumers
test-consumers: package browser consumer-modules
	cargo build -p directput-local
	timeout 900 node --test --test-concurrency=1 --test-timeout=300000 --test-reporter=spec tests/consumers/*.test.mjs
	timeout 900 $(MAKE) --no-print-directory toolchains APPS='$(QUICK_APPS)'

# Apps that are installed and built in a minute or two.
QUICK_APPS := vite runners jsx
APPS ?= *

# Each app installs the packages of its tool below the target folder, once.
.PHONY: test-toolchains
test-toolchains: package browser ## Upload by apps of Vite, Next.js, webpack, Angular, Nuxt and others (half an hour; APPS="vite next" for a part)
	cargo build -p directput-local
	timeout 5400 $(MAKE) --no-print-directory toolchains APPS='$(APPS)'

.PHONY: toolchains
toolchains:
	node --test --test-concurrency=1 --test-timeout=1800000 --test-reporter=spec $(APPS:%=tests/toolchains/%.test.mjs)

.PHONY: test-docs
test-docs: package browser consumer-modules docs-modules
	cargo build -p directput-local
	timeout 300 node --test --test-concurrency=1 --test-timeout=180000 --test-reporter=spec tests/docs/*.test.mjs
	tests/docs/node_modules/.bin/typedoc --options tests/docs/typedoc.json

.PHONY: pictures
pictures: node-modules ## Make the diagrams of the docs from their text
	node tools/pictures.mjs

.PHONY: large
large: package browser ## Upload 5 GiB through the page and watch the browser's memory (minutes, 15 GiB of disk)
	cargo build --release -p directput-local
	DIRECTPUT_LOCAL='$(TARGET)/release/directput-local' \
	  timeout 1800 node --test --test-timeout=1700000 --test-reporter=spec tests/e2e/large.mjs

.PHONY: bench
bench: package browser bench-modules ## Measure against the peers (ARGS="--cases 256MiB --rounds 3" for a part; all of it takes an hour and a quarter)
	# Benches can't abort on panic, and cargo can't build one library both ways at once.
	export CARGO_PROFILE_RELEASE_PANIC=unwind; \
	cargo bench -p directput --bench engine; \
	cargo bench -p directput-lambda --bench sign
	cargo build --release -p directput-local -p directput-lambda
	mkdir -p '$(TARGET)/bench' && cp bench/index.html '$(TARGET)/bench/'
	node_modules/.bin/esbuild bench/contestants/main.js bench/contestants/reference-worker.js --bundle --splitting \
	  --format=esm --target=es2022 --minify --log-level=warning --outdir='$(TARGET)/bench'
	DIRECTPUT_LOCAL='$(TARGET)/release/directput-local' node bench/driver/main.mjs $(ARGS)

# The templates as they are with every condition on: by themselves, linters see what the defaults leave of them.
RENDERED := $(TARGET)/rendered

.PHONY: rendered
rendered: python-tools
	'$(TOOLS)/uv/cfn-lint/bin/python' tools/render.py '$(RENDERED)'

.PHONY: validate
validate: rendered ## Check the SAM template, what its role may and what its bucket refuses
	cfn-lint lambda/*.yaml security/deploy-role.yaml security/web-acl.yaml
	# Some parameters (W2001) are for conditions only, and here there are none.
	cfn-lint --ignore-checks W2001 --template '$(RENDERED)'/*.yaml
	cfripper --logging ERROR --rules-config-file security/cfripper.py '$(RENDERED)'/*.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 sam validate --lint --template lambda/template.yaml
	'$(TOOLS)/uv/cfn-lint/bin/python' -m unittest discover --start-directory tests/template --pattern '*_test.py' --verbose

.PHONY: test-openapi
test-openapi: python-tools
	cargo build -p directput-local
	'$(TOOLS)/uv/aws-sam-cli/bin/python' -m unittest discover --start-directory tests/openapi --pattern '*_test.py' --verbose

.PHONY: test-lambda
test-lambda: python-tools node-modules
	cargo build -p directput-lambda
	timeout 900 node --test --test-timeout=600000 --test-concurrency=1 --test-reporter=spec tests/lambda/*.test.mjs

# --- in AWS ---------------------------------------------------------------------------------------

SAM := SAM_CLI_TELEMETRY=0 sam
SAM_BUILD := $(abspath $(TARGET))/sam
# SAM's own Python has what talks to AWS.
STACK := '$(TOOLS)/uv/aws-sam-cli/bin/python' tools/stack.py
CHANGE_SETS := '$(TOOLS)/uv/aws-sam-cli/bin/python' tools/changes.py

.PHONY: deploy
deploy: package validate function ## Deploy to AWS as stage STAGE=dev of samconfig.toml, with the page
	$(SAM) deploy --config-file "$$PWD/samconfig.toml" --config-env $(STAGE) --template-file '$(SAM_BUILD)/template.yaml'
	$(STACK) protect $(STAGE)
	$(STACK) config $(STAGE)
	$(STACK) site $(STAGE)

.PHONY: plan
plan: python-tools ## Make change set CHANGES=… of stage STAGE=dev from what `make function` built, by bucket ARTIFACTS=…, and show it
	@$(SAM) package --template-file '$(SAM_BUILD)/template.yaml' --s3-bucket '$(ARTIFACTS)' --s3-prefix '$(STAGE)' \
	  --output-template-file '$(SAM_BUILD)/packaged.yaml' >&2
	@$(CHANGE_SETS) plan '$(STAGE)' '$(CHANGES)' '$(SAM_BUILD)/packaged.yaml'

.PHONY: apply
apply: package python-tools ## Execute change set CHANGES=… of stage STAGE=dev, and upload the page
	$(CHANGE_SETS) apply '$(STAGE)' '$(CHANGES)'
	$(STACK) protect $(STAGE)
	$(STACK) config $(STAGE)
	$(STACK) site $(STAGE)

.PHONY: destroy
destroy: python-tools ## Remove stage STAGE=dev from AWS; the bucket with what was uploaded stays
	$(STACK) clear $(STAGE)
	$(SAM) delete --stack-name directput-$(STAGE) --no-prompts

.PHONY: rotate
rotate: python-tools ## Make a new token key for stage STAGE=dev, once a week at most
	$(STACK) rotate $(STAGE)

.PHONY: verify-aws
verify-aws: python-tools ## Ask stage STAGE=dev what only AWS can show: a verdict a line (docs/aws-checks.md; CHECKS=… for some)
	'$(TOOLS)/uv/aws-sam-cli/bin/python' tools/verify_aws.py $(STAGE) $(CHECKS)

.PHONY: revoke
revoke: python-tools ## End all open uploads of stage STAGE=dev: no token key of before is good any more
	$(STACK) revoke $(STAGE)

.PHONY: function
function: python-tools arm-target ## Build the function for AWS (arm64), and check what would be sent there
	$(SAM) build --beta-features --template lambda/template.yaml --build-dir '$(SAM_BUILD)'
	SAM_BUILD='$(SAM_BUILD)' '$(TOOLS)/uv/cfn-lint/bin/python' -m unittest discover --start-directory tests/deploy \
	  --pattern function_test.py --verbose

.PHONY: test-deploy
test-deploy: python-tools node-modules
	cargo build -p directput-local
	UV_PYTHON_DOWNLOADS=never '$(TOOLS)/python/bin/uv' run --quiet --no-project --with 'moto[$(MOTO_PARTS)]==$(MOTO)' \
	  python -m unittest discover --start-directory tests/deploy --pattern '[csv]*_test.py' --verbose
	timeout 60 node --test --test-reporter=spec tests/deploy/*.test.mjs

# Quotas against moto's DynamoDB.
.PHONY: test-quota
test-quota: python-tools
	cargo test -p directput-lambda --test quota --no-run
	UV_PYTHON_DOWNLOADS=never timeout 300 '$(TOOLS)/python/bin/uv' run --quiet --no-project --with 'moto[$(MOTO_PARTS)]==$(MOTO)' \
	  python tests/deploy/quota.py cargo test -p directput-lambda --test quota -- --ignored

.PHONY: cost
cost: ## What UPLOADS=1000000 of SIZE=104857600 bytes cost, directly and by a backend
	@SIZE='$(SIZE)' UPLOADS='$(UPLOADS)' node tools/cost.mjs

.PHONY: scan
scan: check-supply cargo-cyclonedx ## Look for known vulnerabilities (needs the network) and list what is shipped in target/sbom
	cargo deny --workspace --config security/deny.toml check advisories
	npm audit --audit-level=low
	npm audit --audit-level=low --prefix bench
	npm audit --audit-level=low --prefix tests/consumers
	npm audit --audit-level=low --prefix tests/docs
	tools/sbom.sh '$(TARGET)/sbom'

# What needs nothing from the network but its tools.
.PHONY: check-supply
check-supply: rendered cargo-deny
	cargo deny --workspace --config security/deny.toml check bans licenses sources
	checkov --config-file security/checkov.yaml --file lambda/template.yaml security/deploy-role.yaml '$(RENDERED)'/*.yaml
	tools/secrets.sh

.PHONY: clean
clean: ## Remove what was built (tools stay)
	cargo clean
	rm -rf pkg screenshots

# --- set-up ---------------------------------------------------------------------------------------

.PHONY: wasm-target
wasm-target:
	@rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown

# The package brings a standard library that is made small: see tools/package.sh.
.PHONY: std-source
std-source:
	@rustup component list --installed | grep -qx rust-src || rustup component add rust-src

.PHONY: wasm-tools
wasm-tools: wasm-target std-source
	@wasm-bindgen --version 2>/dev/null | grep -qF '$(WASM_BINDGEN)' \
	  || cargo install wasm-bindgen-cli --version $(WASM_BINDGEN) --root '$(TOOLS)'
	@wasm-pack --version 2>/dev/null | grep -qF '$(WASM_PACK)' \
	  || cargo install wasm-pack --version $(WASM_PACK) --locked --root '$(TOOLS)'

# Not optimised: it builds in three minutes instead of seventeen, and what is tested here is small.
.PHONY: garage
garage:
	@garage --version 2>/dev/null | grep -qF '$(GARAGE) ' \
	  || cargo install garage --version $(GARAGE) --locked --debug --no-default-features --features bundled-libs,sqlite \
	    --root '$(TOOLS)'

.PHONY: python-tools
python-tools:
	@if ! python3 -c 'import ensurepip' 2>/dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then as=; else as=sudo; fi; \
	  $$as apt-get update -qq && $$as apt-get install -y -qq python3-venv; fi
	@export UV_TOOL_DIR='$(TOOLS)/uv' UV_TOOL_BIN_DIR='$(TOOLS)/bin' UV_PYTHON_DOWNLOADS=never; \
	if [ ! -x '$(TOOLS)/python/bin/uv' ]; then \
	  python3 -m venv '$(TOOLS)/python' && '$(TOOLS)/python/bin/pip' install --quiet uv; fi; \
	for tool in cfn-lint==$(CFN_LINT) aws-sam-cli==$(SAM_CLI) cargo-lambda==$(CARGO_LAMBDA) checkov==$(CHECKOV) cfripper==$(CFRIPPER); do \
	  stamp="$(TOOLS)/uv/$$tool.installed"; \
	  if [ ! -e "$$stamp" ]; then \
	    '$(TOOLS)/python/bin/uv' tool install --quiet "$$tool" && touch "$$stamp"; fi; \
	done

# cargo-lambda links for arm64 by Zig, which it looks for by this name.
.PHONY: arm-target
arm-target: python-tools
	@rustup target list --installed | grep -qx aarch64-unknown-linux-gnu || rustup target add aarch64-unknown-linux-gnu
	@if [ "$$(zig version 2>/dev/null)" != '$(ZIG)' ]; then \
	  '$(TOOLS)/python/bin/uv' pip install --quiet --python '$(TOOLS)/uv/cargo-lambda/bin/python' ziglang==$(ZIG) && \
	  printf '#!/bin/sh\nexec "%s" -m ziglang "$$@"\n' '$(TOOLS)/uv/cargo-lambda/bin/python' >'$(TOOLS)/bin/zig' && \
	  chmod +x '$(TOOLS)/bin/zig'; fi

.PHONY: cargo-deny
cargo-deny:
	@cargo deny --version 2>/dev/null | grep -qF '$(CARGO_DENY)' \
	  || cargo install cargo-deny --version $(CARGO_DENY) --locked --debug --root '$(TOOLS)'

.PHONY: cargo-cyclonedx
cargo-cyclonedx:
	@cargo cyclonedx --version 2>/dev/null | grep -qF '$(CARGO_CYCLONEDX)' \
	  || cargo install cargo-cyclonedx --version $(CARGO_CYCLONEDX) --locked --debug --root '$(TOOLS)'

.PHONY: cargo-mutants
cargo-mutants:
	@cargo mutants --version 2>/dev/null | grep -qF '$(CARGO_MUTANTS)' \
	  || cargo install cargo-mutants --version $(CARGO_MUTANTS) --locked --debug --root '$(TOOLS)'

.PHONY: node-modules
node-modules:
	@if ! cmp -s package-lock.json node_modules/.lock; then \
	  npm ci && cp package-lock.json node_modules/.lock; fi

.PHONY: bench-modules
bench-modules:
	@if ! cmp -s bench/package-lock.json bench/node_modules/.lock; then \
	  npm ci --prefix bench && cp bench/package-lock.json bench/node_modules/.lock; fi

.PHONY: consumer-modules
consumer-modules:
	@if ! cmp -s tests/consumers/package-lock.json tests/consumers/node_modules/.lock; then \
	  npm ci --prefix tests/consumers && cp tests/consumers/package-lock.json tests/consumers/node_modules/.lock; fi

.PHONY: docs-modules
docs-modules:
	@if ! command -v openssl >/dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then as=; else as=sudo; fi; \
	  $$as apt-get update -qq && $$as apt-get install -y -qq openssl; fi
	@if ! cmp -s tests/docs/package-lock.json tests/docs/node_modules/.lock; then \
	  npm ci --prefix tests/docs && cp tests/docs/package-lock.json tests/docs/node_modules/.lock; fi

.PHONY: browser
browser:
	@if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null || ! command -v curl >/dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then as=; else as=sudo; fi; \
	  $$as apt-get update -qq && $$as apt-get install -y -qq chromium chromium-driver curl; fi

# Debian has Firefox and WebKit's driver, but not Firefox's.
.PHONY: engines
engines:
	@if ! command -v firefox-esr >/dev/null || ! command -v WebKitWebDriver >/dev/null || ! command -v xvfb-run >/dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then as=; else as=sudo; fi; \
	  $$as apt-get update -qq && $$as apt-get install -y -qq firefox-esr webkit2gtk-driver xvfb xauth; fi
	@geckodriver --version 2>/dev/null | grep -qF '$(GECKODRIVER)' \
	  || cargo install geckodriver --version $(GECKODRIVER) --locked --debug --root '$(TOOLS)'
