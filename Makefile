# `make help` lists the targets. PYTHON chooses the interpreter of the virtual environment: make test PYTHON=python3.12
# MODULE chooses the module of make mutants: make mutants MODULE=shared/identity.py
PYTHON ?= python3
VENV   ?= .venv
# How long make chaos plays.
MINUTES ?= 5
BIN    := $(VENV)/bin
# The tests of the deployed code.
DEPLOYED := $(addprefix tests/,audit cloud create drill prune runtime system track triggers) $(wildcard tests/test_*.py)
LOCK   := uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-annotate --no-header

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all coverage fuzz lint format package audit bench chaos mutants pictures lock clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/installed ## make the virtual environment

# Installed again when a requirement or the project file changes.
$(VENV)/installed: requirements-dev.txt requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Found $$($(PYTHON) --version), expected Python 3.10 or later: make $(or $(MAKECMDGOALS),install) PYTHON=python3.12" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: install ## a local cloud: one event of every trigger, a restore, two drills, and what became of each
	@$(BIN)/ddsbackup demo

test: install ## the fast suite, on all processors
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

test-all: install ## the whole suite, with the tests that are slow by nature
	@$(BIN)/python -m pytest -n auto --dist worksteal

coverage: install ## branch coverage of the deployed code by its own tests, with the threshold of pyproject.toml
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest -n auto --dist worksteal -m "not slow" $(DEPLOYED)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

fuzz: install ## hostile events through all five functions: make fuzz EVENTS=1000000
	@$(BIN)/python -m tests.fuzz --events $(or $(EVENTS),20000) --processes 2 $(if $(SEED),--seed $(SEED))

lint: install ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy shared functions localcloud cli tests

format: install ## ruff, fixing what it can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

package: install ## the zips that FunctionGraph runs, in build/, each with its bill of materials
	@$(BIN)/ddsbackup package

audit: install ## known vulnerabilities of what is pinned, weak spots in the code, licences
	@$(BIN)/python -m tests.supply_chain

bench: install ## cold start, memory, warm invocation and fan-out, as ratios to a baseline in the same run
	@$(BIN)/python -m tests.bench

chaos: install ## the functions on a local cloud that fails, kills and repeats, for MINUTES=5; see CONTRIBUTING.md
	@$(BIN)/python -m tests.chaos --minutes $(MINUTES)

mutants: install ## change the modules that decide about backups, one small change at a time: each must fail a test
	@$(BIN)/python -m tests.mutants $(MODULE)

pictures: install ## draw the pictures of the deployment guide again, by rehearsing it on a local cloud
	@$(BIN)/python -m tests.pictures

lock: ## pin and hash the requirements again (needs uv)
	$(LOCK) --group functions --output-file requirements.txt
	$(LOCK) pyproject.toml --group dev --output-file requirements-dev.txt

clean: ## remove what the other targets made
	rm -rf $(VENV) build .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
