# Everything a contributor types. Each target makes .venv and installs what it
# needs. All paths are relative: the folder's own path may contain spaces.

PYTHON ?= python3
VENV := .venv
LATEST := .venv-latest
PY := $(VENV)/bin/python
CODE := app plugins tests bench examples worker.py wsgi.py

.DEFAULT_GOAL := help
.PHONY: help demo run test test-browser screenshots test-latest lint fmt types check shape upgrade bench bench-api bench-markdown soak clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.embedded ## See it work in one minute, without Telegram; HOLD=1 keeps the dashboard open
	@HOLD=$(HOLD) $(PY) -m app.sandbox.demo

run: $(VENV)/.embedded ## Start everything here, with SQLite and a Redis of its own; SANDBOX=1 plays Telegram
	@exec $(PY) -m $(if $(filter-out 0,$(SANDBOX)),app.sandbox.rehearsal,app.local.run)

test: $(VENV)/.dev ## The whole suite, on SQLite and on a real PostgreSQL
	@status=0; \
	$(PY) -m pytest -n 2 --ignore=tests/journeys --ignore=tests/browser || status=1; \
	$(PY) -m pytest tests/journeys || status=1; \
	exit $$status

test-browser: $(VENV)/.dev ## What a real browser does with it; needs Debian's chromium
	@$(PY) -m pytest -n 0 tests/browser

screenshots: $(VENV)/.dev ## Draw the screens over the demo's data into var/screenshots; needs chromium
	@$(PY) -m tests.browser.screenshots

test-latest: ## The suite against the newest releases that setup.cfg allows
	$(PYTHON) -m venv --clear $(LATEST)
	$(LATEST)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $(LATEST)/.dev
	@$(MAKE) --no-print-directory test VENV=$(LATEST)

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

shape: $(VENV)/.dev ## Sizes of modules and functions, mirrored tests, import circles
	@$(PY) -m tests.guards.shape

bench: $(VENV)/.dev ## Measure the whole system beside its control; QUICK=1 for a minute
	$(PY) -m bench $(if $(QUICK),--quick)

bench-markdown: $(VENV)/.dev ## Read 100,000 texts as TDLib does; COUNT=1000000 for more
	$(PY) -m bench.markdown $(COUNT)

soak: $(VENV)/.dev ## Kill the system a thousand times, and look for what was lost
	$(PY) -m pytest -n 0 -s tests/journeys/soak.py

bench-api: $(VENV)/.dev ## Measure reading the API by the size of an account
	$(PY) -m bench.api

clean: ## Remove .venv and caches; var/ stays
	rm -rf $(VENV) $(LATEST) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# What is installed is what the lock says; nothing is resolved on the way.
INSTALL = $(PY) -m pip install --quiet --disable-pip-version-check

$(VENV)/.embedded: requirements-embedded.txt requirements-plugins.txt setup.cfg pyproject.toml | $(PY)
	$(INSTALL) --require-hashes -r $<
	$(INSTALL) --no-deps --no-build-isolation -e .
	@PYTHON=$(PY) sh bin/post_compile
	@touch $@

$(VENV)/.dev: requirements-dev.txt setup.cfg pyproject.toml | $(PY)
	$(INSTALL) --require-hashes -r $<
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.embedded

# The whole lock first; the others are parts of it.
COMPILE = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --custom-compile-command 'make upgrade'

upgrade: $(VENV)/.dev ## Renew the lock: the newest releases that setup.cfg allows
	$(COMPILE) --upgrade setup.cfg --extra dev -o requirements-dev.txt
	$(COMPILE) --upgrade setup.cfg --extra embedded -c requirements-dev.txt -o requirements-embedded.txt
	$(COMPILE) --upgrade setup.cfg -c requirements-dev.txt -o requirements.txt
	$(COMPILE) --upgrade setup.cfg --extra otel -c requirements-dev.txt -o requirements-otel.txt
	$(COMPILE) --upgrade setup.cfg --extra sentry -c requirements-dev.txt -o requirements-sentry.txt
