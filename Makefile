# Every target is one line that calls python, so that it can be typed where make is absent.
PY ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
SCALE := $(VENV)-scale/Scripts/python
else
BIN := $(VENV)/bin
SCALE := $(VENV)-scale/bin/python
endif
PYTHON := $(BIN)/python
# What running needs, and what tests, documentation and lint need besides.
RUN := $(VENV)/.installed
DEV := $(VENV)/.tested

# One BLAS thread and fixed hashing: the same numbers to the last digit on every run.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PYTHONHASHSEED := 0
export MPLBACKEND := agg
# Bytecode is kept even where a machine says otherwise: each kernel would compile the package anew.
export PYTHONDONTWRITEBYTECODE :=
# The debugger's notice about frozen modules is not the reader's business.
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.DEFAULT_GOAL := help
.PHONY: report test scale kernels lab bench docs slow lint format notebooks lock clean help

report: $(RUN)  ## set up if needed, then run the default notebooks into reports/
	$(PYTHON) -m cvlib run --all

test: $(DEV)  ## set up if needed, then run the tests and check the notebooks' stored outputs
	$(PYTHON) -m pytest -n 2 --dist worksteal tests
	$(PYTHON) -m pytest -n 2 --dist loadscope -p no:cacheprovider --nbval --nbval-current-env --nbval-sanitize-with tests/notebooks/sanitize.cfg notebooks

scale: $(VENV)-scale/.installed  ## Spark and Dask: their tests, in an environment of their own (needs Java)
	JUPYTER_PATH="$(abspath $(VENV))/share/jupyter" $(SCALE) -m pytest -n 0 -rs --durations 5 tests/scale

kernels: $(DEV)  ## the numerical tests and the notebooks as older processors compute them
	$(PYTHON) tests/kernels.py

lab: $(RUN)  ## open the notebooks in JupyterLab
	$(PYTHON) -m jupyterlab notebooks

slow: $(DEV)  ## the simulation studies: recovery, coverage, random-index tables
	$(PYTHON) -m pytest -m slow tests

bench: $(DEV)  ## speed and memory against peers, kept in benchmarks/last.json
	$(PYTHON) -m benchmarks

docs: $(DEV)  ## the site: API, how-tos, notebooks' pages, evidence, into build/docs/index.html
	$(PYTHON) docs/evidence.py
	$(PYTHON) -m sphinx -q -W --keep-going -b html docs build/docs

lint: $(DEV)  ## format check, lint, spelling, types, docstrings of the front door
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/codespell && $(BIN)/mypy
	$(PYTHON) -m pytest tests/test_front_door.py -k documented

format: $(DEV)  ## rewrite the code in the house format
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

notebooks: $(RUN)  ## re-execute the committed notebooks in place, and write docs/ from them
	$(PYTHON) -m cvlib refresh
	$(PYTHON) -m cvlib pages

# uv writes the locks; each takes the versions of the one before.
COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
EXTRAS := $(PY) -c "import tomllib; all = tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']; print(*all['spark'], *all['dask'], sep='\n')"
lock:  ## resolve the locks anew from pyproject.toml (needs uv)
	$(COMPILE) --extra reports -o requirements.lock
	$(COMPILE) --extra test -c requirements.lock -o requirements-test.lock
	$(EXTRAS) | $(subst pyproject.toml,-,$(COMPILE)) -c requirements-test.lock -o requirements-scale.lock

clean:  ## remove the environment, caches and finished reports
	rm -rf $(VENV) $(VENV)-scale .pytest_cache .ruff_cache .mypy_cache build *.egg-info && find reports -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# uv is used when it happens to be there (it is quicker); pip does the same work without it.
into = if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(1) $(2); \
	else $(1) -m pip install --quiet --disable-pip-version-check $(2); fi
install = $(call into,$(PYTHON),$(1))

$(RUN): requirements.lock pyproject.toml
	@$(PY) -c "import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f'cvlib needs Python 3.11 or newer; {sys.executable} is {v[0]}.{v[1]}. Use: make PY=/path/to/python3.11')"
	test -x $(PYTHON) || $(PY) -m venv $(VENV)
	$(call install,--require-hashes -r requirements.lock)
	$(call install,--no-deps -e .)
	@$(PYTHON) -c "import pathlib; pathlib.Path('$(RUN)').touch()"

# Only the extras are its own; the rest it finds in the environment of the tests.
PACKAGES := -c "import sysconfig; print(sysconfig.get_path('purelib'))"
$(VENV)-scale/.installed: $(DEV) requirements-scale.lock
	test -x $(SCALE) || $(PYTHON) -m venv $(VENV)-scale
	echo "import site; site.addsitedir(r'$$($(PYTHON) $(PACKAGES))')" > "$$($(SCALE) $(PACKAGES))/beside.pth"
	$(call into,$(SCALE),--require-hashes -r requirements-scale.lock)
	@$(PYTHON) -c "import pathlib; pathlib.Path('$@').touch()"

$(DEV): $(RUN) requirements-test.lock
	$(call install,--require-hashes -r requirements-test.lock)
	@$(PYTHON) -c "import pathlib; pathlib.Path('$(DEV)').touch()"
