# make demo                   a simulated market, served on this machine
# make demo ARGS=--check      the same without staying up
# make test                   the whole suite; make soak: what takes minutes
# make check                  what a commit must pass, under two minutes
# make bench                  the measured bars, as ratios
# make docs                   the documents as a site, into site/
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
WORKERS ?= 2
export VENV

.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo test soak check bench docs vendor lock clean

help:
	@sed -n 's/^# //p' Makefile

# Both look at content stamps themselves: a second run installs nothing.
setup:
	@scripts/setup run

setup-test:
	@scripts/setup test

demo: setup
	@$(BIN)/onefold demo $(ARGS)

# The browser's driver keeps an event loop running, so its tests have a process of their own.
test: setup-test
	@failed=0; \
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile --ignore tests/browser $(ARGS) || failed=1; \
	$(BIN)/pytest -q tests/browser $(ARGS) || failed=1; \
	exit $$failed

# pytest answers 5 where no test is marked.
soak: setup-test
	@$(BIN)/pytest -q -m soak -n $(WORKERS) --dist loadfile $(ARGS) || { code=$$?; [ $$code = 5 ] || exit $$code; }

check: setup-test
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --no-cache --show-timings >/tmp/onefold-imports.$$$$ 2>&1 \
		|| { cat /tmp/onefold-imports.$$$$; rm -f /tmp/onefold-imports.$$$$; exit 1; }; \
		tail -n 3 /tmp/onefold-imports.$$$$; rm -f /tmp/onefold-imports.$$$$
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadfile -m "not soak and not long" tests/unit tests/architecture $(ARGS)

bench: setup-test
	@for one in start intake freshness steady kill rebuild dedupe imports audit linking questions viewers; do $(BIN)/python bench/$$one.py $(ARGS) || exit 1; done
	@$(BIN)/python bench/viewers.py --viewers 10 --rate 5000 --questions 2

docs: setup-test
	@$(BIN)/zensical build --clean

vendor: setup-test
	@$(BIN)/python scripts/vendor.py $(ARGS)

COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header
lock: setup-test
	@$(COMPILE) pyproject.toml requirements/run.in -o requirements/run.txt
	@$(COMPILE) pyproject.toml requirements/run.in requirements/test.in requirements/lint.in \
		-c requirements/run.txt -o requirements/test.txt
	@cd tests/protocols/node && npm install --silent --package-lock-only --ignore-scripts

clean:
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis bench/out
	@find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
