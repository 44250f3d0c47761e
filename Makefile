# The one runner for people and CI. `make help` lists what there is.

PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	$$p -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info < (3, 13))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
STAMP := .venv/.installed
# Most tests wait for something: two at a time take half as long. Those of one file stay together.
TOGETHER := -n 2 --dist loadfile
PACKAGES := records hog catalog destinations delivery operators connectors flows console cli

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-outage test lint format bench docs clean components

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(STAMP) ## make .venv with everything in it, so that .venv/bin/offramp runs

$(STAMP): requirements.txt requirements-console.txt requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Offramp needs Python 3.11 or 3.12, and found $$(python3 --version 2>/dev/null || echo none); \
	install one of them, or name it: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v < (3, 13) or sys.exit("Offramp needs Python 3.11 or 3.12, and $(PYTHON) is %d.%d" % v[:2])'
	@echo "making .venv with $$($(PYTHON) --version) (once; about a minute)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@# "compat": a plain path. The other way a folder `destinations/` where somebody works would hide our package.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . --config-settings editable_mode=compat
	@touch $(STAMP)

demo: setup ## events, persons, destinations and a receiver on this machine, live (SECONDS=10 ends by itself)
	@$(BIN)/offramp demo $(if $(SECONDS),--seconds $(SECONDS))

demo-outage: setup ## an endpoint dies and comes back, told while it happens, in about a minute
	@$(BIN)/offramp demo --outage

components: setup
	@$(BIN)/python -m tests.servers.fetch || true

test: lint components ## lint, types, import rules, then all tests (those with servers where their parts can be had)
	@$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

lint: setup ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## let ruff write the code's form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup ## write the generated pages in docs/
	@$(BIN)/python -m flows.settings_doc
	@$(BIN)/python -m hog.functions_doc
	@$(BIN)/python -m catalog.catalog_doc

bench: setup ## the small benchmarks, each a ratio in one run
	@for b in decode screen hog http person_table; do $(BIN)/python -m bench.$$b || exit 1; done

clean: ## remove .venv, caches and state of runs in this folder
	rm -rf .venv .cache .offramp .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info
