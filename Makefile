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

setup: $(VENV)/.ready-dev  ## install into .venv what it takes to use, test and change bcfstats

# Lock files, extras; Python compiles what it imports. The locked versions or, where an index does not have them, others within the bounds.
define install
	@test -n "$(PYTHON)" || { echo 'bcfstats needs Python 3.11 or later; name one: make setup PYTHON=python3.12' >&2; exit 1; }
	@$(USABLE) || "$(PYTHON)" -m venv --clear $(VENV)
	@if $(BIN)/python -m pip install --quiet --no-compile --require-hashes $(addprefix --requirement ,$(1)) 2>$(VENV)/locked.txt; then \
		$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .; \
	elif grep -q 'DO NOT MATCH' $(VENV)/locked.txt; then \
		cat $(VENV)/locked.txt >&2; exit 1; \
	else \
		tail -n 3 $(VENV)/locked.txt >&2; \
		echo 'The locked versions cannot be had here: installing others, within the bounds of pyproject.toml.' >&2; \
		$(BIN)/python -m pip install --quiet --editable '.$(2)'; \
	fi
	@touch $@
endef

$(VENV)/.ready: pyproject.toml requirements.lock
	@echo 'Installing what a run needs into $(VENV): about a minute, longer on a slow network.'
	$(call install,requirements.lock)

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.lock
	@echo 'Installing what the checks and tests need as well.'
	$(call install,requirements.lock requirements-dev.lock,[$(EXTRAS)])

demo: $(VENV)/.ready  ## a report for every area of the example data
	$(BIN)/bcfstats demo

check: setup  ## style, types and the order of the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# As many processes as there are cores; each takes a file of tests, or a notebook, at a time.
TEST := $(BIN)/python -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder --nbval-lax --nbval-current-env

test: check  ## every check, and every test that takes seconds: seven minutes on two cores
	$(TEST)

test-all: check  ## these and the slow ones: pages in a browser, documentation, simulations, engines, kills
	$(TEST) -m ''

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

# With cosmic-ray's own commands; the module is changed in place, and put back.
OF ?= bcfstats/stats/trend.py
BY ?= tests/stats/test_trend.py
mutation: setup  ## every small fault put into one module (OF=): do its tests (BY=) see them? up to an hour
	$(BIN)/python -m pip install --quiet --editable '.[mutation]'
	mkdir -p build && rm -f build/mutation.*
	printf '[cosmic-ray]\nmodule-path = "%s"\ntimeout = 120.0\nexcluded-modules = []\ntest-command = "%s"\n[cosmic-ray.distributor]\nname = "local"\n' \
		'$(OF)' '$(BIN)/python -m pytest -q -x $(BY)' >build/mutation.toml
	$(BIN)/cosmic-ray init build/mutation.toml build/mutation.sqlite
	$(BIN)/cosmic-ray exec build/mutation.toml build/mutation.sqlite
	$(BIN)/cr-report --surviving-only build/mutation.sqlite
	$(BIN)/cr-rate build/mutation.sqlite

$(TOOLS)/.ready:
	@"$(PYTHON)" -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet uv pip-audit
	@touch $@

comma := ,
FOR ?= 3.11
COMPILE = $(TOOLS)/bin/uv pip compile --quiet --python-version $(FOR) --generate-hashes --custom-compile-command 'make $@'

lock: setup $(TOOLS)/.ready  ## the two locks, with hashes, from pyproject.toml; docs/licences.md
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])' \
	| $(COMPILE) --upgrade --universal --output-file requirements.lock pyproject.toml -
	$(COMPILE) --upgrade --universal --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml \
		$(foreach extra,$(subst $(comma), ,$(EXTRAS)),--extra $(extra)) \
		$$(sed -nE 's/^([a-z0-9.-]+)==.*/--no-emit-package \1/p' requirements.lock)
	$(MAKE) --no-print-directory setup
	$(BIN)/python -m scripts.licences

# Wheels for one version of Python, on Linux and on Windows: pip itself would leave out what only Windows needs.
HOUSE := build/wheelhouse
wheelhouse: $(VENV)/.ready $(TOOLS)/.ready  ## wheels to install where there is no network (FOR=3.12 for that Python)
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir $(HOUSE) .
	for system in x86_64-manylinux_2_28:manylinux_2_28_x86_64 x86_64-pc-windows-msvc:win_amd64; do \
		$(COMPILE) --python-platform $${system%:*} --constraint requirements.lock \
			--output-file build/$${system%:*}.txt pyproject.toml \
		&& $(BIN)/python -m pip download --quiet --no-deps --require-hashes --only-binary :all: --dest $(HOUSE) \
			--python-version $(FOR) --platform $${system#*:} --platform manylinux2014_x86_64 --platform any \
			--requirement build/$${system%:*}.txt || exit 1; \
	done
	@echo $(HOUSE)

audit: $(TOOLS)/.ready  ## known weaknesses of the locked packages; needs a database of them
	$(TOOLS)/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock --requirement requirements-dev.lock

clean:  ## remove the environment and what it left; never data, never reports of your own
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis reports/demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup demo check test test-all docs bench mutation lock wheelhouse audit clean
