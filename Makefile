# Consentry: everything a newcomer needs is `make demo` and `make test`.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo down lint test bench faults clean

PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .tools/bin/uv
RUN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
# Each process is single-threaded by design; numerical libraries that open a thread a core only get in the way.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
# Dozens of processes import the same packages: compiled once, not by each.
unexport PYTHONDONTWRITEBYTECODE

DIRECTORY ?= .consentry/demo
# The engine of demo and tests: embedded or fabric; left out, tests run on both where Fabric's binaries are found.
ENGINE ?=
export CONSENTRY_ENGINE = $(ENGINE)
# Which faults: `make faults FAULTS="--seed 7 --count 10"`.
FAULTS ?= --seed 1 --count 100
# How many tests run at once; name some with TESTS=tests/unit/consentry.
JOBS ?= 2
SOURCES := chaincode network client tests tools benchmarks

help: ## show this help
	@printf 'Consentry. Targets:\n'
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	@printf 'Installing uv %s into .tools (once)\n' '$(UV_VERSION)'
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Consentry needs Python 3.11 or later; " + sys.executable + " is " + sys.version.split()[0] + ". Name another one with: make PYTHON=/path/to/python3")'
	@$(PYTHON) -m venv .tools || { printf 'python3 cannot make a virtual environment; install its venv module (Debian: python3-venv).\n'; rm -rf .tools; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || { rm -rf .tools; exit 1; }

.venv/.synced: $(UV) pyproject.toml uv.lock $(wildcard */*/pyproject.toml)
	@printf 'Installing the locked dependencies into .venv\n'
	@$(UV) sync --quiet --locked --all-packages --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@touch $@

setup: .venv/.synced ## install the tools and the locked dependencies (no system library needed)

demo: setup ## run the whole story (ENGINE=fabric: on real Fabric); leaves a running network in .consentry/demo
	@$(RUN)/consentry --network $(DIRECTORY) demo

down: setup ## stop the demo's network; its files stay
	@$(RUN)/consentry --network $(DIRECTORY) network down

lint: setup ## formatting, types, directions of imports, determinism of contracts, limits of size
	@$(RUN)/ruff check $(SOURCES)
	@$(RUN)/ruff format --check $(SOURCES)
	@$(RUN)/mypy
	@$(RUN)/lint-imports
	@$(RUN)/python -m fabric_shim.determinism chaincode/contracts/src chaincode/records/src
	@$(RUN)/python tools/size_limits.py $(SOURCES)

# Tests of one file share a network: they stay in one process.
test: setup ## unit, integration and end-to-end tests (ENGINE=fabric or ENGINE=embedded: on that one only)
	@$(RUN)/python -m pytest -n $(JOBS) --dist loadfile $(TESTS)

bench: setup ## measure the bars of the design (a long ledger: CONSENTRY_BENCH_TRANSACTIONS=1000000)
	@$(RUN)/python -m benchmarks

faults: setup ## hurt real nodes again and again while clients write (root and Fabric's binaries; 10 to 20 minutes)
	@PYTHONPATH=tests $(RUN)/python -m support.faults.run $(FAULTS)

clean: ## stop the demo's network and remove everything that was made here, the demo's files too
	@if [ -x $(RUN)/consentry ] && [ -d $(DIRECTORY) ]; then $(RUN)/consentry --network $(DIRECTORY) network destroy --yes; fi
	@rm -rf .consentry .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
