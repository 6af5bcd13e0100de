# Everything that is done to X121 as a project. 'make help' lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
ARGS ?=
ONLY ?=
# The whole suite runs in one process more than there are cores, since many tests wait for other processes; a file of
# tests stays together. A part of the suite, or a real ComfyUI, runs in one process.
PROCESSES := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1); echo $$((n < 5 ? n + 1 : 6)))
PARALLEL := $(if $(ARGS)$(X121_TEST_COMFYUI_URL),,-n $(PROCESSES) --dist loadfile --no-loadscope-reorder)
# A test starts many processes: what one of them compiled, the next one loads.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check format bench notices clean

help: ## List what make can do
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.installed ## Portraits to a delivered ZIP in the browser (ARGS="--headless --out DIR" without one)
	@tools/system_packages.sh product
	@exec $(VENV)/bin/x121 demo $(ARGS)

test: $(VENV)/.installed-dev ## Run the tests (ARGS=tests/unit for some of them)
	@tools/system_packages.sh tests
	@exec $(VENV)/bin/pytest $(PARALLEL) $(ARGS)

check: $(VENV)/.installed-dev ## Lint, types, imports, schema, notices and generated files
	@tools/check.sh

format: $(VENV)/.installed-dev ## Put the code into the house's format
	@$(VENV)/bin/ruff check --quiet --fix . || true
	@$(VENV)/bin/ruff format .

bench: $(VENV)/.installed-dev ## Measure, print a table and write bench.json (ONLY=name for one)
	@tools/system_packages.sh tests
	@exec $(PY) -m tests.benchmarks.run $(ONLY)

notices: $(VENV)/.installed-dev ## Write THIRD_PARTY_NOTICES.md anew
	@$(PY) tools/notices.py

clean: ## Remove the environment and everything that was made
	@rm -rf $(VENV) build dist out bench.json .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp per set of packages: nothing is installed twice until pyproject.toml changes.
$(VENV)/.installed: pyproject.toml tools/install.sh
	@tools/install.sh $(VENV) .

$(VENV)/.installed-dev: $(VENV)/.installed
	@tools/install.sh $(VENV) '.[dev,face]'
