# Everything a checkout needs: `make test` and `make demo` set themselves up in .venv.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PACKAGES := ir compiler runtime frontends roastery
SOURCES := $(PACKAGES) tests $(wildcard benchmarks examples docs)

# The newest Triton that is supported, the oldest, and the releases between.
TRITON := 3.9.0
TRITON_FLOOR := 3.6.0
TRITON_BETWEEN := 3.7.0 3.7.1 3.8.0
FLOOR := .venv-floor
TRITONS := .venv-tritons
BETWEEN := $(TRITON_BETWEEN:%=$(TRITONS)/%/.triton)
BEFORE := $(TRITONS)/$(lastword $(TRITON_BETWEEN))

# Two workers, one thread each: the tests are small and many.
WORKERS ?= 2
PYTEST_FLAGS ?=
# Tests start hundreds of processes: only the first of them compiles our modules.
export PYTHONDONTWRITEBYTECODE :=
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export ROASTERY_TRITON_FLOOR := $(CURDIR)/$(FLOOR)
export ROASTERY_TRITONS := $(CURDIR)/$(TRITONS)
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) $(PYTEST_FLAGS)

##@ Everyday
.PHONY: help test demo docs bench format clean
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: lint types test-interpret test-main ## Lint, types and every test (what CI runs)

demo: $(VENV)/.demo ## Train, test and plot a digit classifier on the CPU, in under two minutes
	$(BIN)/python examples/digits/demo.py

docs: $(VENV)/.docs ## Make a site of the pages, in site/, and check every link
	$(BIN)/mkdocs build --strict

bench: $(VENV)/.test ## Compare kernels with the reference, and time nets
	$(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/nets.py
	$(BIN)/python benchmarks/cpu.py --quick

format: $(VENV)/.test ## Rewrite the sources in the project's format
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

clean: ## Remove what make made
	rm -rf $(VENV) $(FLOOR) $(TRITONS) build dist *.egg-info demo-output site \
	  .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Parts of make test
.PHONY: lint types test-interpret test-main
lint: $(VENV)/.test ## ruff: rules and format
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(VENV)/.test ## mypy
	$(BIN)/mypy

# Triton decides on import whether it compiles or interprets, so these tests have their own process.
test-interpret: $(VENV)/.test ## Kernels under Triton's interpreter
	TRITON_INTERPRET=1 $(PYTEST) tests/interpret

test-main: $(VENV)/.test $(FLOOR)/.triton $(BETWEEN) ## All other tests
	$(PYTEST) tests --ignore=tests/interpret

MINUTES ?= 5
SEED ?= 1
.PHONY: fuzz
fuzz: $(VENV)/.test ## Damaged and hostile inputs for every reader (MINUTES=5 SEED=1)
	$(BIN)/python -m tests.fuzz --minutes=$(MINUTES) --seed=$(SEED) --jobs=$(WORKERS) $(FUZZ_FLAGS)

TIMES ?= 20
.PHONY: fuzz-graphs
fuzz-graphs: $(VENV)/.test ## Other random graphs for passes, plans and executors (TIMES=20 SEED=1)
	$(RANDOM_GRAPHS) tests/passes tests/plan
	TRITON_INTERPRET=1 $(RANDOM_GRAPHS) tests/interpret

RANDOM_GRAPHS = ROASTERY_TIMES=$(TIMES) $(PYTEST) --hypothesis-profile=searching \
  --hypothesis-seed=$(SEED) -k random

.PHONY: torture
torture: $(VENV)/.test ## Kill, signal and starve the commands; writes a table (MINUTES=5 SEED=1)
	$(BIN)/python -m benchmarks.torture --minutes=$(MINUTES) --seed=$(SEED) \
	  --output=benchmarks/results/torture.md

.PHONY: test-compile-all
test-compile-all: $(VENV)/.test $(FLOOR)/.triton $(BEFORE)/.triton ## What `make test` leaves out: more kernels on the real compiler (many minutes); writes a table
	$(BIN)/python -m benchmarks.machine_code --triton=$(BEFORE) --triton=$(FLOOR) \
	  --output=benchmarks/results/gpu-machine-code.md
	$(PYTEST) -m exhaustive tests/compile

.PHONY: test-exhaustive
test-exhaustive: $(VENV)/.test ## Every test that `make test` leaves out (hours)
	TRITON_INTERPRET=1 $(PYTEST) -m exhaustive tests/interpret
	$(PYTEST) -m exhaustive tests --ignore=tests/interpret

.PHONY: test-cpus
test-cpus: $(VENV)/.test ## Kernels in C: instruction sets, NEON, sanitizers, guard pages, threads (an hour)
	$(PYTEST) -m "exhaustive or not exhaustive" -rs -o faulthandler_timeout=3600 $(CPU_TESTS)

CPU_TESTS = tests/c/test_instruction_sets.py tests/c/test_guarded_nets.py \
  tests/c/test_any_threads.py tests/layers/test_golden_layers.py

##@ Set-up (make does it when it is needed)
.PHONY: setup
setup: $(VENV)/.test $(FLOOR)/.triton $(BETWEEN) ## Everything the tests need

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "roastery needs Python 3.11 or newer: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# An environment that already satisfies the constraints is left as it is: pip only checks it.
# "compat" puts this folder itself on the path, before any folder that only happens to have
# the name of one of our packages.
INSTALL = $(PIP) install --quiet --constraint constraints.txt \
  --config-settings editable_mode=compat --editable

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[demo]'
	@touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[docs]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt Makefile | $(BIN)/python
	$(INSTALL) '.[test]'
	$(PIP) install --quiet --no-deps triton==$(TRITON)
	@touch $@ $(VENV)/.demo $(VENV)/.docs

# A folder that tests put in front of PYTHONPATH to compile with the oldest supported Triton.
$(FLOOR)/.triton: Makefile | $(BIN)/python
	@test -e $(FLOOR)/triton-$(TRITON_FLOOR).dist-info || { rm -rf $(FLOOR) && \
	  $(PIP) install --quiet --no-deps --target $(FLOOR) triton==$(TRITON_FLOOR); }
	@touch $@

# The others, each in a folder of its own (0.7 to 0.9 GB).
$(TRITONS)/%/.triton: | $(BIN)/python
	@rm -rf $(@D)
	$(PIP) install --quiet --no-deps --no-compile --target $(@D) triton==$*
	@touch $@
