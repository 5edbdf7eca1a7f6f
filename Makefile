# Needs a Python 3.11, 3.12 or 3.13 and nothing else: make demo. Another Python: make demo PYTHON=python3.12
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Where the environment's Python is gone, nothing is installed any more, whatever the stamps say.
$(shell [ -x $(BIN)/python ] || rm -f $(VENV)/.installed $(VENV)/.installed-dev)

# What is there to be checked.
SOURCES := $(wildcard governor functions simulator devhost benchmarks scripts tests function_app.py)
TYPED := $(wildcard governor functions simulator devhost benchmarks scripts tests function_app.py)

# A Python with Microsoft's Functions runtime, for the contract tests that run against it (see `make runtime`).
RUNTIME := .venv-runtime
EGRESS_GOVERNOR_RUNTIME_PYTHON ?= $(abspath $(wildcard $(RUNTIME)/bin/python))
ifneq ($(EGRESS_GOVERNOR_RUNTIME_PYTHON),)
export EGRESS_GOVERNOR_RUNTIME_PYTHON
endif

# Microsoft's az, for the check that it works with the simulator (see `make check-az`).
AZ := .venv-az

.PHONY: help demo test check check-az format types imports unit bench requirements runtime clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## shows a small Azure being governed, on this machine alone
	$(BIN)/egress-governor demo

test: check  ## everything that CI runs: check, the demo, all tests
	$(BIN)/egress-governor demo
	$(BIN)/python -m pytest

check: $(VENV)/.installed-dev  ## format, lint, types, imports
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports --no-logo

check-az: $(VENV)/.installed $(AZ)/.installed  ## Microsoft's az against the simulator; installs it first (700 MB)
	$(BIN)/python scripts/check_az.py $(AZ)

format: $(VENV)/.installed-dev  ## writes the format and what the linter can mend
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

unit: $(VENV)/.installed-dev  ## the tests alone; make unit ARGS="tests/core -k subnet"
	$(BIN)/python -m pytest $(ARGS)

bench: $(VENV)/.installed-dev  ## what docs/ claims about speed and size, measured here
	$(BIN)/python -m benchmarks.evaluate --subnets 100000
	$(BIN)/python -m benchmarks.clusters
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.simulator
	$(BIN)/python -m benchmarks.simulator --load 10000

requirements: $(VENV)/.installed-dev  ## requirements.txt anew from pyproject.toml; what is pinned stays (UPGRADE=--upgrade)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command "make requirements" $(UPGRADE) --output-file requirements.txt pyproject.toml

runtime: $(RUNTIME)/.installed  ## installs Microsoft's Functions runtime, for the contract tests against it

clean:  ## removes what make and the tests have made
	rm -rf $(VENV) $(RUNTIME) $(AZ) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .egress-governor
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@python=$$(PYTHON='$(PYTHON)' scripts/find-python) && echo "$$python -m venv $(VENV)" && "$$python" -m venv --clear $(VENV)

# The tools of `make check` include what the demo needs.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@if [ $(VENV)/.installed-dev -nt pyproject.toml ]; then :; else \
	  echo "installing the command line into $(VENV) ..."; $(PIP) install --quiet --editable '.[cli]'; fi
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "installing the command line and the tools of make check into $(VENV) ..."
	@$(PIP) install --quiet --editable '.[dev]'
	@touch $@

# The runtime declares Python 3.13. Where there is none, it runs on the others too, as an aid for tests and no more.
$(RUNTIME)/.installed: requirements.txt
	@python=$$(scripts/find-python 13 2>/dev/null || PYTHON='$(PYTHON)' scripts/find-python) && \
	  echo "installing Microsoft's Functions runtime into $(RUNTIME), made by $$python ..." && "$$python" -m venv --clear $(RUNTIME)
	@$(RUNTIME)/bin/python -m pip --disable-pip-version-check install --quiet --requirement requirements.txt
	@$(RUNTIME)/bin/python -m pip --disable-pip-version-check install --quiet --ignore-requires-python 'azure-functions-runtime>=1.3,<2'
	@touch $@

# The extension is Microsoft's own, as az would unpack it.
$(AZ)/.installed:
	@python=$$(PYTHON='$(PYTHON)' scripts/find-python) && \
	  echo "installing Microsoft's az into $(AZ), made by $$python ..." && "$$python" -m venv --clear $(AZ)
	@$(AZ)/bin/python -m pip --disable-pip-version-check install --quiet 'azure-cli==2.91.*'
	@$(AZ)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps \
	  --target $(AZ)/extensions/resource-graph 'resource-graph==2.0.0'
	@touch $@
