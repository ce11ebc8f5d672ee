# What a person types. Needs python3 (3.11 or newer) with venv, and make; everything else is fetched into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NATION := demo/nation
GROWN := $(NATION)/.grown
SNAKEMAKE := $(BIN)/python -m snakemake
LINES := --line-length 120

.PHONY: help setup demo test check test-slurm bench docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## install what requirements.lock pins into .venv

$(READY): requirements.lock pyproject.toml scripts/hatch_build.py $(wildcard scripts/tessera/cohort/kernel*.[ch])
	@echo "Setting up $(VENV) with what requirements.lock pins; this needs a minute and a package index."
	@if command -v uv > /dev/null; then \
	    uv venv --quiet --allow-existing --python $(PYTHON) $(VENV); \
	    uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock; \
	    uv pip install --quiet --python $(BIN)/python --no-deps --editable .; \
	else \
	    $(PYTHON) -m venv $(VENV); \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .; \
	fi
	@touch $@

demo: $(GROWN) ## grow a synthetic nation and take it from reads to a merged summary
	$(SNAKEMAKE) --profile workflow/profiles/demo --configfile $(NATION)/config.yaml --config results=demo/results
	@cat demo/results/federation/report.txt

$(GROWN): $(wildcard seeds/*.py seeds/*.yaml) | $(READY)
	$(BIN)/python seeds/grow.py $(NATION)
	@touch $@

test: $(READY) ## all tests but those of scale and of a SLURM cluster
	$(BIN)/python -m pytest -n 2 --dist loadfile tests --ignore=tests/scale --ignore=tests/slurm

check: $(READY) ## what CI runs: style, types, workflow, documentation, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt $(LINES) --check Snakefile workflow
	$(SNAKEMAKE) --lint --configfile tests/workflow/tiny/config.yaml
	$(BIN)/mypy
	$(BIN)/python scripts/write_docs.py --check
	$(MAKE) --no-print-directory test

test-slurm: $(READY) ## as root on Debian: the demo and its faults on a SLURM cluster of this machine
	$(BIN)/python -m pytest tests/slurm

SCALE ?= 1
ALSO ?=

bench: $(READY) bench/venv/.ready ## measure speed and memory beside other tools (SCALE=0.01: in a minute)
	bench/venv/bin/python tests/scale/bench.py --tessera $(BIN)/tessera --scale $(SCALE) --also $(ALSO)

bench/venv/.ready: tests/scale/requirements.txt
	$(PYTHON) -m venv bench/venv
	bench/venv/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	    apt-get install -y -q --no-install-recommends bcftools plink2 tabix \
	        || echo "What apt-get did not install is left out of the comparison."; \
	fi
	@touch $@

docs: $(READY) ## write the documentation that is made from the schemas
	$(BIN)/python scripts/write_docs.py

clean: ## remove the demo and caches; .venv and results of your own stay
	rm -rf demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
