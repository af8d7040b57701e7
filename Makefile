# Commands of directput. Each installs what it needs; see `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Installed tools. `make clean` keeps them.
export TOOLS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/directput/tools
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
# If rustup can't download the pinned toolchain, the installed one is used.
ifeq ($(shell rustc --version 2>/dev/null),)
export RUSTUP_TOOLCHAIN := stable
endif
export npm_config_audit := false
export npm_config_fund := false

.PHONY: help demo package server test test-native test-server simulate fuzz mutants test-mutants lint test-wasm test-page \
  test-chaos chaos test-slow test-slow-short test-browsers test-logs conformance test-consumers test-toolchains \
  toolchains test-examples examples test-docs pictures large bench rendered validate test-openapi test-lambda \
  deploy plan apply destroy rotate verify-aws revoke function test-deploy test-quota cost scan check-supply clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: package ## Build and serve the demo: the page is at http://127.0.0.1:8080 (ARGS=… go to directput-local)
	cargo run --quiet -p directput-local -- --control $(ARGS)

package: setup-wasm-tools setup-node-modules ## Build the npm package in pkg/
	tools/package.sh
	tools/package-server.sh

server:
	cargo build -p directput-local

test: test-native lint validate test-openapi package test-server test-wasm test-page test-chaos test-browsers test-consumers test-docs test-lambda conformance test-logs check-supply test-deploy test-quota function ## Install what is missing and run everything that CI runs

test-native:
	rm -rf '$(TARGET)/tmp/logs'
	# The load test has a thousand clients, each with an open file.
	ulimit -n "$$(ulimit -Hn)" && cargo test --workspace --all-targets
	cargo test --workspace --doc

# The API in Node and in Cloudflare's workerd, by the tests of the API, of forged requests and of docs/openapi.yaml.
test-server: package setup-server-modules setup-python-tools server
	timeout 300 node --test --test-concurrency=1 --test-timeout=120000 --test-reporter=spec tests/server/*.test.mjs
	API_HOST=tests/server/host.mjs timeout 900 cargo test -p directput-local --test api --test forgery
	API_HOST=tests/server/host.mjs '$(TOOLS)/uv/aws-sam-cli/bin/python' -m unittest discover --start-directory tests/openapi --pattern '*_test.py' --verbose
	API_HOST=tests/server/workerd.mjs timeout 900 cargo test -p directput-local --test api --test forgery

simulate: ## Run the engine through SEEDS=50000 simulated histories from seed FIRST=1 on (TRACE=1 prints each step)
	SEEDS=$(SEEDS) FIRST=$(FIRST) TRACE=$(TRACE) cargo test --test simulation --config profile.dev.opt-level=2 \
	  -- --exact every_seed_keeps_every_promise --nocapture

fuzz: ## Send INPUTS=1000000 random requests to the API, from SEED=2
	RUST_LOG=off FUZZ_INPUTS=$(INPUTS) FUZZ_SEED=$(SEED) cargo test -p directput-server --test fuzz --config profile.dev.opt-level=2 \
	  -- --nocapture

mutants: setup-cargo-mutants ## Check that a test fails for each mutant of the code (FILES='src/plan.rs src/engine/**' for a part)
	FILES='$(FILES)' node tools/mutants.mjs $(ARGS)

# Mutants of one file, which take a minute or two.
test-mutants: setup-cargo-mutants
	FILES='src/plan.rs' timeout 900 node tools/mutants.mjs

lint: setup-wasm-target setup-node-modules
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p directput -p directput-server-wasm --target wasm32-unknown-unknown -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	node_modules/.bin/biome ci --error-on-warnings .

# A call that is refused repeatedly takes up to half a minute.
test-wasm: setup-wasm-tools setup-chromium server
	WASM_BINDGEN_TEST_TIMEOUT=120 timeout 600 node tests/e2e/with-server.mjs wasm-pack test --headless --chrome --chromedriver "$$(command -v chromedriver)" . --test browser

test-page: package setup-chromium server
	timeout 2700 node --test --test-concurrency=1 --test-timeout=600000 --test-reporter=spec tests/e2e/*.test.mjs

CHAOS := node --test --test-timeout=900000 --test-reporter=spec

# 12 runs with 20 uploads. Their seeds were chosen because they draw every event and most kinds of faults.
test-chaos: package setup-chromium server
	SEEDS=12 FIRST=503 timeout 600 $(CHAOS) tests/chaos/chaos.test.mjs

# SEEDS has the default of `simulate`, so it is used here only if it was given.
chaos: package setup-chromium server ## Upload through a proxy that injects faults: SEEDS=200 runs from seed FIRST=1 on (KINDS=portal,cut for these faults only)
	SEEDS=$(if $(filter file,$(origin SEEDS)),200,$(SEEDS)) FIRST=$(FIRST) KINDS='$(KINDS)' $(CHAOS) tests/chaos/chaos.test.mjs

test-slow: package setup-chromium server ## Upload over slow links and connections that die, with default settings; check the estimated time left (9 minutes)
	timeout 900 $(CHAOS) tests/chaos/slow.test.mjs
	timeout 200 $(CHAOS) tests/chaos/timeleft.test.mjs

# The same with links that are six times faster and a page that gives up six times earlier.
test-slow-short: package setup-chromium server
	SCALE=6 timeout 300 $(CHAOS) tests/chaos/slow.test.mjs

# Chromium, Firefox and WebKit, each with its own WebDriver.
test-browsers: package setup-browsers server
	timeout 600 node --test --test-timeout=300000 --test-reporter=spec tests/browsers/*.test.mjs

# Checks the API's logs of the earlier tests.
test-logs:
	timeout 60 node --test --test-reporter=spec tests/logs/*.test.mjs

conformance: package setup-chromium setup-garage server ## Run the forgery matrix, the page, the example of a Node server and docs/nextjs.md with Garage, another S3 server
	cargo test -p directput-local --test forgery --no-run
	timeout 600 node tests/conformance/with-garage.mjs \
	  cargo test -p directput-local --test forgery -- --test-threads=1 --nocapture
	timeout 600 node tests/conformance/with-garage.mjs \
	  node --test --test-timeout=180000 --test-reporter=spec tests/conformance/page.test.mjs
	timeout 600 node tests/conformance/with-garage.mjs \
	  node --test --test-timeout=180000 --test-reporter=spec tests/examples/node-server-api.test.mjs
	timeout 600 node tests/conformance/with-garage.mjs \
	  node --test --test-timeout=300000 --test-reporter=spec tests/examples/nextjs-walk.test.mjs

test-consumers: package setup-chromium setup-consumer-modules server
	timeout 900 node --test --test-concurrency=1 --test-timeout=300000 --test-reporter=spec tests/consumers/*.test.mjs
	timeout 900 $(MAKE) --no-print-directory toolchains APPS='$(QUICK_APPS)'
	timeout 800 $(MAKE) --no-print-directory examples EXAMPLES='$(QUICK_EXAMPLES)'

# Apps whose installation and build take a minute or two.
QUICK_APPS := vite runners jsx
APPS ?= *

# Each app installs its packages once, below the target folder.
test-toolchains: package setup-chromium server ## Upload with apps of Vite, Next.js, webpack, Angular, Nuxt and others (half an hour; APPS="vite next" for a part)
	timeout 5400 $(MAKE) --no-print-directory toolchains APPS='$(APPS)'

toolchains:
	node --test --test-concurrency=1 --test-timeout=1800000 --test-reporter=spec $(APPS:%=tests/toolchains/%.test.mjs)

# Examples that take less than half a minute.
QUICK_EXAMPLES := vanilla element axum express hono-workers node-server node-server-api
EXAMPLES ?= *

test-examples: package setup-chromium setup-fastapi server ## Build each app of examples/ and use it in Chromium (seven minutes; EXAMPLES="react vue" for a part)
	cargo build -p directput-cli
	timeout 1200 $(MAKE) --no-print-directory examples EXAMPLES='$(EXAMPLES)'

examples:
	node --test --test-concurrency=1 --test-timeout=600000 --test-reporter=spec $(EXAMPLES:%=tests/examples/%.test.mjs)

test-docs: package setup-chromium setup-consumer-modules setup-docs-modules server
	timeout 300 node --test --test-concurrency=1 --test-timeout=180000 --test-reporter=spec tests/docs/*.test.mjs
	tests/docs/node_modules/.bin/typedoc --options tests/docs/typedoc.json

pictures: setup-node-modules ## Render the diagrams of the docs
	node tools/pictures.mjs

large: package setup-chromium ## Upload 5 GiB through the page and measure the browser's memory (minutes, 15 GiB of disk)
	cargo build --release -p directput-local
	DIRECTPUT_LOCAL='$(TARGET)/release/directput-local' \
	  timeout 1800 node --test --test-timeout=1700000 --test-reporter=spec tests/e2e/large.mjs

bench: package setup-chromium setup-bench-modules ## Compare with other uploaders (ARGS="--part processor", "--part links", "--part small" or "--cases 256MiB --rounds 3")
	# Benches need unwinding panics, and cargo can't build a library for both panic strategies in one run.
	export CARGO_PROFILE_RELEASE_PANIC=unwind; \
	cargo bench -p directput --bench engine; \
	cargo bench -p directput-server --bench sign
	cargo build --release -p directput-local -p directput-lambda
	mkdir -p '$(TARGET)/bench' && cp bench/index.html '$(TARGET)/bench/'
	node_modules/.bin/esbuild bench/contestants/main.js bench/contestants/reference-worker.js --bundle --splitting \
	  --format=esm --target=es2022 --minify --log-level=warning --outdir='$(TARGET)/bench'
	DIRECTPUT_LOCAL='$(TARGET)/release/directput-local' node bench/driver/main.mjs $(ARGS)

# The templates with every condition on. Without this, linters would evaluate only the defaults.
RENDERED := $(TARGET)/rendered

rendered: setup-python-tools
	'$(TOOLS)/uv/cfn-lint/bin/python' aws/render.py '$(RENDERED)'

validate: rendered ## Check the SAM template, the rights of its role and the policy of its bucket
	cfn-lint aws/*.yaml
	# W2001: some parameters are used only in conditions, which the rendered templates do not have.
	cfn-lint --ignore-checks W2001 --template '$(RENDERED)'/*.yaml
	cfripper --logging ERROR --rules-config-file security/cfripper.py '$(RENDERED)'/*.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 sam validate --lint --template aws/template.yaml
	'$(TOOLS)/uv/cfn-lint/bin/python' -m unittest discover --start-directory tests/aws/template --pattern '*_test.py' --verbose

test-openapi: setup-python-tools server
	'$(TOOLS)/uv/aws-sam-cli/bin/python' -m unittest discover --start-directory tests/openapi --pattern '*_test.py' --verbose

test-lambda: setup-python-tools setup-node-modules
	cargo build -p directput-lambda
	timeout 900 node --test --test-timeout=600000 --test-concurrency=1 --test-reporter=spec tests/aws/lambda/*.test.mjs

# --- in AWS ---------------------------------------------------------------------------------------

SAM := SAM_CLI_TELEMETRY=0 sam
SAM_BUILD := $(abspath $(TARGET))/sam
# SAM's own Python has boto3.
STACK := '$(TOOLS)/uv/aws-sam-cli/bin/python' aws/stack.py
CHANGE_SETS := '$(TOOLS)/uv/aws-sam-cli/bin/python' aws/changes.py

deploy: package validate function ## Deploy to AWS as stage STAGE=dev of samconfig.toml, with the page
	$(SAM) deploy --config-file "$$PWD/aws/samconfig.toml" --config-env $(STAGE) --template-file '$(SAM_BUILD)/template.yaml'
	$(STACK) protect $(STAGE)
	$(STACK) config $(STAGE)
	$(STACK) site $(STAGE)

plan: setup-python-tools ## Make change set CHANGES=… of stage STAGE=dev from the build of `make function`, with bucket ARTIFACTS=…, and show it
	@$(SAM) package --template-file '$(SAM_BUILD)/template.yaml' --s3-bucket '$(ARTIFACTS)' --s3-prefix '$(STAGE)' \
	  --output-template-file '$(SAM_BUILD)/packaged.yaml' >&2
	@$(CHANGE_SETS) plan '$(STAGE)' '$(CHANGES)' '$(SAM_BUILD)/packaged.yaml'

apply: package setup-python-tools ## Execute change set CHANGES=… of stage STAGE=dev, and upload the page
	$(CHANGE_SETS) apply '$(STAGE)' '$(CHANGES)'
	$(STACK) protect $(STAGE)
	$(STACK) config $(STAGE)
	$(STACK) site $(STAGE)

destroy: setup-python-tools ## Remove stage STAGE=dev from AWS; the bucket with the uploads stays
	$(STACK) clear $(STAGE)
	$(SAM) delete --stack-name directput-$(STAGE) --no-prompts

rotate: setup-python-tools ## Make a new token key for stage STAGE=dev, at most once a week
	$(STACK) rotate $(STAGE)

verify-aws: setup-python-tools ## Check behaviour of AWS on stage STAGE=dev (docs/aws-checks.md; CHECKS=… for some)
	'$(TOOLS)/uv/aws-sam-cli/bin/python' aws/verify.py $(STAGE) $(CHECKS)

revoke: setup-python-tools ## End all open uploads of stage STAGE=dev by replacing its token keys
	$(STACK) revoke $(STAGE)

function: setup-python-tools setup-arm-target ## Build the function for AWS (arm64), and check the build
	$(SAM) build --beta-features --template aws/template.yaml --build-dir '$(SAM_BUILD)'
	SAM_BUILD='$(SAM_BUILD)' '$(TOOLS)/uv/cfn-lint/bin/python' -m unittest discover --start-directory tests/aws/deploy \
	  --pattern function_test.py --verbose

test-deploy: setup-moto setup-node-modules server
	'$(TOOLS)/moto/bin/python' -m unittest discover --start-directory tests/aws/deploy --pattern '[csv]*_test.py' --verbose
	timeout 60 node --test --test-reporter=spec tests/aws/deploy/*.test.mjs

# Quotas with moto's DynamoDB.
test-quota: setup-moto
	cargo test -p directput-lambda --test quota --no-run
	timeout 300 '$(TOOLS)/moto/bin/python' tests/aws/deploy/quota.py cargo test -p directput-lambda --test quota -- --ignored

cost: ## Print the cost of UPLOADS=1000000 of SIZE=104857600 bytes, direct and through a backend
	@SIZE='$(SIZE)' UPLOADS='$(UPLOADS)' node aws/cost.mjs

scan: check-supply setup-cargo-cyclonedx ## Look for known vulnerabilities (needs the network) and list the shipped dependencies in target/sbom
	cargo deny --workspace --config security/deny.toml check advisories
	npm audit --audit-level=low
	npm audit --audit-level=low --prefix bench
	npm audit --audit-level=low --prefix tests/consumers
	npm audit --audit-level=low --prefix tests/docs
	npm audit --audit-level=low --prefix tests/server
	for lock in examples/*/package-lock.json; do npm audit --audit-level=low --prefix "$${lock%/*}"; done
	tools/sbom.sh '$(TARGET)/sbom'

# Checks that need the network only to install their tools.
check-supply: rendered setup-cargo-deny
	cargo deny --workspace --config security/deny.toml check bans licenses sources
	checkov --config-file security/checkov.yaml --file aws/template.yaml aws/deploy-role.yaml '$(RENDERED)'/*.yaml
	tools/secrets.sh

clean: ## Remove build output (tools stay)
	cargo clean
	rm -rf pkg screenshots

# --- set-up ---------------------------------------------------------------------------------------

# Installs a tool or packages if they are missing; versions are in tools/setup.sh.
setup-%:
	@tools/setup.sh $*
