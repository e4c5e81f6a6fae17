# Everything a newcomer or CI needs. Works with Python 3.11 or newer, make and git; the rest is installed into the
# checkout (.venv, .tools, node_modules). GNU make 3.81, which macOS has, is enough.

.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
PY := .venv/bin/python
UV = $(shell command -v uv || ls .tools/bin/uv 2>/dev/null)
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
ARGS ?=
N ?= 20000
SECONDS ?= 600
SEED ?=
LOAD_ENV := if [ -f .env ]; then set -a; . ./.env; set +a; fi;

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: .venv/installed ## Install what Graphmark needs into this checkout
	@:

.venv/installed: uv.lock requirements.txt pyproject.toml tools/install.py
	@if [ -z "$(PYTHON)" ]; then echo "Graphmark needs Python 3.11 or newer; none was found on PATH." >&2; exit 1; fi
	@"$(PYTHON)" tools/install.py

.PHONY: run
run: install ## Start everything: PostgreSQL, API, worker, scheduler (Ctrl-C stops it)
	@$(PY) tools/node.py build web || true
	@$(LOAD_ENV) exec $(PY) -m app serve

.PHONY: web
web: install ## Build what a browser gets (GraphiQL); the server also runs without
	@$(PY) tools/node.py build web

.PHONY: test
test: install ## Run the whole suite (ARGS="-k words" for some of it); no network needed after the set-up
	@$(PY) tools/node.py build web || true
	@$(PY) tools/node.py install tests/conformance || true
	@$(PY) -m pytest -n $(JOBS) $(ARGS)

.PHONY: story
story: install ## Let agents work through 5,000 bookmarks, offline and with a model server, then kill workers 20 times
	@GRAPHMARK_STORY_BOOKMARKS=5000 $(PY) -m pytest tests/stories/test_full_import.py $(ARGS)
	@GRAPHMARK_FAULT_RUNS=20 $(PY) -m pytest tests/faults/test_library.py $(ARGS)

.PHONY: e2e
e2e: install ## Run the tests that need a browser
	@$(PY) tools/node.py build web
	@$(PY) -m pytest -m browser $(ARGS)

.PHONY: check
check: install ## Lint, format, types, who may import whom, lock file, known weaknesses of packages
	@echo "ruff check"; $(PY) -m ruff check --quiet .
	@echo "ruff format"; $(PY) -m ruff format --quiet --check .
	@echo "mypy"; $(PY) -m mypy --no-error-summary
	@echo "lint-imports"; .venv/bin/lint-imports --no-cache >.venv/imports.log 2>&1 || { cat .venv/imports.log; exit 1; }
	@if [ -n "$(UV)" ]; then echo "uv lock --check"; \
		"$(UV)" lock --check --quiet || UV_SYSTEM_CERTS=1 "$(UV)" lock --check; fi
	@echo "audit"; $(PY) tools/audit.py

.PHONY: audit
audit: install ## Ask whether a package in the lock files has a known weakness
	@$(PY) tools/audit.py

.PHONY: fmt
fmt: install ## Format the code and mend what can be mended
	@$(PY) -m ruff check --quiet --fix . ; $(PY) -m ruff format --quiet .

.PHONY: bench
bench: install ## Measure everything against peers and limits (ARGS="--only import,search" for some of it)
	@$(PY) -m benchmarks $(ARGS)

.PHONY: bench-peers
bench-peers: install ## Install the servers of other projects (npm), compare lists, pages and fan-out with them
	@$(PY) -m benchmarks.peers setup
	@$(PY) -m benchmarks --only list,pages,fanout $(ARGS)

.PHONY: fuzz
fuzz: install ## Send random bytes to every parser and to the running server (SECONDS=600 for each)
	@GRAPHMARK_FUZZ_SECONDS=$(SECONDS) $(PY) -m pytest -n $(JOBS) -s --timeout=0 tests/fuzz $(ARGS)

.PHONY: fuzz-executor
fuzz-executor: install ## Compare the compiled executor with the resolvers (N=20000 operations; SEED=1 repeats a run)
	@$(PY) -m tests.executor.fuzz --count $(N) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: coverage-executor
coverage-executor: install ## List the fields that the compiled executor answers, and those that it leaves to resolvers
	@$(PY) -m tests.executor.coverage $(ARGS)

.PHONY: retrieval
retrieval: install ## Print how often search finds what is asked for in other words, and neighbours sort rightly
	@$(PY) -m pytest -q tests/services/test_retrieval.py $(ARGS)

.PHONY: migrate
migrate: install ## Bring the database to the schema of this version
	@$(LOAD_ENV) $(PY) -m app migrate

.PHONY: schema
schema: install ## Write schema/schema.graphql anew
	@$(PY) -m app schema >schema/schema.graphql.new && mv schema/schema.graphql.new schema/schema.graphql

.PHONY: domain
domain: install ## Lay out the files of a new domain in every layer: make domain D=highlights
	@$(PY) tools/domain.py "$(D)"

.PHONY: lock
lock: ## Resolve the dependencies anew and export them with hashes for machines without uv
	@if [ -z "$(UV)" ]; then echo "make lock needs uv; run make install first." >&2; exit 1; fi
	@"$(UV)" lock --quiet || UV_SYSTEM_CERTS=1 "$(UV)" lock
	@"$(UV)" export --quiet --frozen --all-groups --no-emit-project --no-header --output-file requirements.txt

.PHONY: clean
clean: ## Remove what make installed and built; never your data (.graphmark)
	@rm -rf .venv .tools web/node_modules web/dist tests/conformance/node_modules benchmarks/peers/node_modules \
		build ./*.egg-info \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
