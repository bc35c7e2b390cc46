# Every target is also a line you can type without make: see CONTRIBUTING.md.
VENV := .venv
BIN := $(VENV)/bin
TOOLS := build/tools
EXTRAS := dev,browser,cluster,docs,word
.DEFAULT_GOAL := help

# What lies around on a machine must not change what is installed, tested or made.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS PYTHONOPTIMIZE PYTHONSAFEPATH PYTEST_ADDOPTS
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV PIP_NO_DEPS PIP_PRE PIP_CONSTRAINT
unexport JUPYTER_PATH JUPYTER_CONFIG_PATH JUPYTER_CONFIG_DIR JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR IPYTHONDIR
unexport MPLBACKEND MPLCONFIGDIR MATPLOTLIBRC FORCE_COLOR GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export PYTHONNOUSERSITE := 1
export PIP_USER := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export JUPYTER_PREFER_ENV_PATH := 1

# The first Python that is new enough; choose another with: make setup PYTHON=python3.12
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)' 2>/dev/null && break; done)

# .venv is of use when its Python starts, is new enough (-P) and finds bcfstats in this folder.
USABLE := $(BIN)/python -P -c 'import os; from importlib.util import find_spec; \
	assert os.path.samefile(find_spec("bcfstats").submodule_search_locations[0], "bcfstats")' 2>/dev/null
ifneq ($(shell $(USABLE) && echo yes),yes)
.PHONY: $(VENV)/.ready
endif

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.ready  ## install into .venv

$(VENV)/.ready: pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo 'bcfstats needs Python 3.11 or later; name one: make setup PYTHON=python3.12' >&2; exit 1; }
	@echo 'Installing into $(VENV): about a minute, longer on a slow network.'
	@$(USABLE) || "$(PYTHON)" -m venv --clear $(VENV)
	@if $(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock 2>$(VENV)/locked.txt; then \
		$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .; \
	elif grep -q 'DO NOT MATCH' $(VENV)/locked.txt; then \
		cat $(VENV)/locked.txt >&2; exit 1; \
	else \
		tail -n 3 $(VENV)/locked.txt >&2; \
		echo 'The locked versions cannot be had here: installing others, within the bounds of pyproject.toml.' >&2; \
		$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]'; \
	fi
	@touch $@

demo: setup  ## a report for every area of the example data
	$(BIN)/bcfstats demo

check: setup  ## style, types and the order of the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check  ## every check and every test, the notebooks too
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env

docs: setup  ## the documentation site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo build/site/index.html

bench: setup  ## CPU time and memory of the main jobs: half an hour
	@echo 'Preparing and running'
	$(BIN)/python -m scripts.bench
	@echo 'Estimates'
	$(BIN)/python -m scripts.bench_estimates
	@echo 'Reports by several engines, in rounds; then among ever more areas'
	$(BIN)/python -m scripts.bench_reports
	$(BIN)/python -m scripts.bench_reports scale

mutation: setup  ## faults put into the statistics: do the tests see them? an hour and a half
	$(BIN)/python -m pip install --quiet --editable '.[mutation]'
	$(BIN)/python -m scripts.mutate --sample 600

$(TOOLS)/.ready:
	@"$(PYTHON)" -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet uv pip-audit
	@touch $@

comma := ,
lock: setup $(TOOLS)/.ready  ## requirements.lock, with hashes, from pyproject.toml; docs/licences.md
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])' \
	| $(TOOLS)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command 'make lock' $(foreach extra,$(subst $(comma), ,$(EXTRAS)),--extra $(extra)) \
		--output-file requirements.lock pyproject.toml -
	$(MAKE) --no-print-directory setup
	$(BIN)/python -m scripts.licences

audit: $(TOOLS)/.ready  ## known weaknesses of the locked packages; needs a database of them
	$(TOOLS)/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

clean:  ## remove the environment and what it left; never data, never reports of your own
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis reports/demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup demo check test docs bench mutation lock audit clean
