# Two commands need nothing but Python 3.11-3.13 and make: `make demo` and `make test`.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
DEMO = $(BIN)/python -m airflow_provider_cio.sandbox.demo
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo sandbox test test-system check fix bench bench-marts bench-scale soak docs clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

$(VENV)/.bootstrapped:
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 found. Next step: install one, or run make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

# One stamp per set of extras; a change of pyproject.toml or constraints.txt installs again.
$(VENV)/.ready-%: pyproject.toml constraints.txt | $(VENV)/.bootstrapped
	@echo "Installing the project with its extra [$*]"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[$*]'
	@touch $@

demo: $(VENV)/.ready-sandbox ## Run the main job end to end on the embedded sandbox (ONCE=1 exits after it; ORDERS=FILE uses a real shop)
	@exec $(DEMO) $(if $(ONCE),--once) $(if $(ORDERS),--orders "$(ORDERS)") $(if $(CUSTOMERS),--customers $(CUSTOMERS))

sandbox: $(VENV)/.ready-sandbox ## Start the sandbox alone: Redshift, S3, Customer.io, ad platforms
	@exec $(BIN)/python -m airflow_provider_cio.sandbox up

test: $(VENV)/.ready-test ## Run the tests that need no system package
	@exec $(BIN)/python -m pytest -m "not system and not soak" -n $(WORKERS) $(ARGS)

test-system: $(VENV)/.ready-system ## Run the tests with a whole Airflow, Celery and a browser (skipped where Redis or Chromium is absent)
	@exec $(BIN)/python -m pytest -m "system and not soak" -n $(WORKERS) --dist loadscope tests/system $(ARGS)

soak: $(VENV)/.ready-test ## Run long campaigns
	@exec $(BIN)/python -m pytest -m soak $(ARGS)

check: $(VENV)/.ready-dev ## Lint, types, floors, SQL, docs, compose file
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m airflow_provider_cio.core.sqllint sql
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml
	@$(MAKE) --no-print-directory docs

fix: $(VENV)/.ready-dev ## Format, and mend what ruff can mend
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: $(VENV)/.ready-bench ## Measure sends against peers and the floor, audiences, alerts, loading Dags, the page and small marts, in about half an hour (ARGS="send rate" for parts of the sends; MEMBERS=N of the audience)
	@exec $(BIN)/python tests/bench/run.py $(ARGS)
	@exec $(BIN)/python tests/bench/audiences.py $(if $(MEMBERS),--members $(MEMBERS))
	@exec $(BIN)/python tests/bench/anomalies.py
	@exec $(BIN)/python tests/bench/dags.py
	@exec $(BIN)/python tests/bench/page.py
	@exec $(BIN)/python tests/bench/marts.py --customers 20000

bench-scale: $(VENV)/.ready-bench ## Reckon a day of a large shop from what a send here needs (ARGS="--cores 32")
	@exec $(BIN)/python tests/bench/scale.py $(ARGS)

bench-marts: $(VENV)/.ready-test ## Measure time and memory of building the marts over 1,000,000 customers and 10,000,000 order lines (ARGS="--customers N")
	@exec $(BIN)/python tests/bench/marts.py $(ARGS)

docs: $(VENV)/.ready-dev ## Build the documentation with warnings as errors
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html && echo "docs/_build/html/index.html"

clean: ## Remove the environment, the sandbox's data and everything built
	@rm -rf $(VENV) .sandbox .demo docs/_build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
