# Every target is one line that calls python, so that it can be typed where make is absent.
PY ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PYTHON := $(BIN)/python
STAMP := $(VENV)/.installed

# One BLAS thread and fixed hashing: the same numbers to the last digit on every run.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PYTHONHASHSEED := 0
export MPLBACKEND := agg
# The debugger's notice about frozen modules is not the reader's business.
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.DEFAULT_GOAL := help
.PHONY: report test kernels lab bench docs slow lint format notebooks lock clean help

report: $(STAMP)  ## set up if needed, then run the default notebooks into reports/
	$(PYTHON) -m cvlib run --all

test: $(STAMP)  ## set up if needed, then run the tests and check the notebooks' stored outputs
	$(PYTHON) -m pytest -n 2 --dist loadscope tests
	$(PYTHON) -m pytest -n 2 --dist loadscope -p no:cacheprovider --nbval --nbval-current-env --nbval-sanitize-with tests/notebooks/sanitize.cfg notebooks

kernels: $(STAMP)  ## the numerical tests and the notebooks as older processors compute them
	$(PYTHON) tests/kernels.py

lab: $(STAMP)  ## open the notebooks in JupyterLab
	$(PYTHON) -m jupyterlab notebooks

slow: $(STAMP)  ## the simulation studies: recovery, coverage, random-index tables
	$(PYTHON) -m pytest -m slow tests

bench: $(STAMP)  ## speed and memory against peers, kept in benchmarks/last.json
	$(PYTHON) -m benchmarks

docs: $(STAMP)  ## the site: API, how-tos, notebooks' pages, evidence, into build/docs/index.html
	$(PYTHON) docs/evidence.py
	$(PYTHON) -m sphinx -q -W --keep-going -b html docs build/docs

lint: $(STAMP)  ## format check, lint, spelling, types, docstrings of the front door
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/codespell && $(BIN)/mypy
	$(PYTHON) -m pytest tests/test_front_door.py -k documented

format: $(STAMP)  ## rewrite the code in the house format
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

notebooks: $(STAMP)  ## re-execute the committed notebooks in place, and write docs/ from them
	$(PYTHON) -m cvlib refresh
	$(PYTHON) -m cvlib pages

lock: $(STAMP)  ## resolve requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.lock

clean:  ## remove the environment, caches and finished reports
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache build *.egg-info && find reports -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# uv is used when it happens to be there (it is quicker); pip does the same work without it.
$(STAMP): requirements.lock pyproject.toml
	@$(PY) -c "import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f'cvlib needs Python 3.11 or newer; {sys.executable} is {v[0]}.{v[1]}. Use: make PY=/path/to/python3.11')"
	test -x $(PYTHON) || $(PY) -m venv $(VENV)
	if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(PYTHON) --require-hashes -r requirements.lock && uv pip install --quiet --python $(PYTHON) --no-deps -e . ; \
	else \
	  $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@$(PYTHON) -c "import pathlib; pathlib.Path('$(STAMP)').touch()"
