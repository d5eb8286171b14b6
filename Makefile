# Everything a user or an engineer does starts here. Each set-up step leaves a stamp beside what it made, so that it runs again when its
# inputs changed, and when what it made is gone.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Compiled once, not again by each of the hundreds of processes that tests start; containers often forbid it.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup run check test test-long test-spark bench lock clean browser postgresql

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && { echo $$p; break; }; done)
PORT ?= 8000
PIP := .venv/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes
RUNTIME := .venv/.runtime
DEV := .venv/.dev
NODE := bi-dashboard/node_modules/.installed
DASHBOARD := bi-dashboard/dist/index.html
DASHBOARD_SOURCES := $(shell find bi-dashboard/src bi-dashboard/public bi-dashboard/index.html bi-dashboard/vite.config.* -type f 2>/dev/null)

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

setup: $(RUNTIME) $(DASHBOARD) ## Install what running needs (Python environment, dashboard build)

run: setup ## Serve the dashboard on http://127.0.0.1:8000 (PORT=… for another port)
	@exec .venv/bin/petinsure360 serve --port $(PORT)

check: $(DEV) $(NODE) ## Lint, types and import rules
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	cd bi-dashboard && npm run --silent lint && npm run --silent typecheck

test: check $(DASHBOARD) browser postgresql ## Every check and every test but the long ones
	cd bi-dashboard && npm test --silent
	.venv/bin/pytest -n auto --dist loadscope -m "not long"

test-long: $(DEV) $(DASHBOARD) browser postgresql ## The long tests (chaos, soak)
	.venv/bin/pytest -m long

test-spark: $(DEV) .venv-spark/.made ## The notebooks on Apache Spark and Delta Lake (needs Java 17)
	.venv/bin/python -m deploy.apache_spark .venv/bin/pytest local_workspace/tests/test_engine_spark.py notebooks/tests

bench: $(DEV) $(DASHBOARD) ## Benchmarks; results in benchmarks/results/*.json
	.venv/bin/python -m benchmarks

lock: ## Compile the hashed locks from requirements*.in (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements.lock requirements.in
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c requirements.lock -o requirements-dev.lock requirements-dev.in
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements-spark.lock requirements-spark.in

clean: ## Remove what set-up and tests made; the data directory stays
	rm -rf .venv .venv-spark bi-dashboard/node_modules bi-dashboard/dist .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results

.venv/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found as python3, python3.11, … Install it or set PYTHON=."; exit 1; }
	@echo "Creating the Python environment …"
	@$(PYTHON) -m venv .venv
	@touch $@

$(RUNTIME): .venv/.made requirements.lock pyproject.toml
	@echo "Installing the locked Python dependencies …"
	@$(PIP) -r requirements.lock
	@deploy/link_package.sh
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.lock
	@echo "Installing the locked development dependencies …"
	@$(PIP) -r requirements-dev.lock
	@touch $@

$(NODE): bi-dashboard/package-lock.json bi-dashboard/package.json
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null || { echo "Node 20 or newer is needed."; exit 1; }
	@echo "Installing the locked dashboard dependencies …"
	@cd bi-dashboard && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(DASHBOARD): $(NODE) $(DASHBOARD_SOURCES)
	@echo "Building the dashboard …"
	@cd bi-dashboard && npm run --silent build
	@touch $@

.venv-spark/.made: requirements-spark.lock deploy/install_spark.sh
	@PYTHON="$(PYTHON)" deploy/install_spark.sh
	@touch $@

browser:
	@e2e/install_browser.sh

postgresql:
	@backend/tests/install_postgresql.sh
