# `make demo` and `make test` need Python 3.11 or newer with its venv module, and make; on Debian and Ubuntu:
#     apt-get install make python3 python3-venv
# Tests that need Node.js (nodejs 20 or newer, npm), OpenSSL (openssl), a browser (chromium) or tmux are skipped where these are missing.

VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
SEEDS ?= 2000
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n $(JOBS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format templates sim conformance bench record pictures constraints build clean

help: ## Show what there is
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

setup: $(VENV)/.installed ## Make .venv with everything in it

demo: setup ## Play an order while the worker and the server are killed
	@$(BIN)/python examples/order/demo.py

test: setup ## Run all tests
	$(PYTEST) $(PARALLEL) $(ARGS)

check: setup ## Check format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format the code and repair what lint can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

templates: setup ## Render, install, run and test every template of dx new (the tests do three, in turn)
	DX_TEST_TEMPLATES=all $(PYTEST) $(PARALLEL) tests/templates $(ARGS)

sim: setup ## Simulate crashes with SEEDS seeds (2000)
	$(BIN)/python -m tests.sim --seeds $(SEEDS) --jobs $(JOBS) $(ARGS)

conformance: setup ## Compare all scenarios on both servers; SUITE=folder: run the Python SDK's own tests
ifdef SUITE
	$(BIN)/python -m tests.conformance --suite $(SUITE) --jobs $(JOBS) $(ARGS)
else
	$(BIN)/python -m tests.differential.record --check
	$(PYTEST) tests/differential $(ARGS)
endif

bench: setup ## Measure beside the reference server (about half an hour; ARGS=--quick: a minute)
	$(BIN)/python -m tests.bench $(ARGS)

record: setup ## Record anew what the reference server answers
	$(BIN)/python -m tests.differential.record $(ARGS)

pictures: setup ## Make the pictures of the README anew, from real runs (needs tmux)
	$(BIN)/python durable_cli/pictures/make_pictures.py
	$(BIN)/python durable_cli/pictures/record_loop.py
	$(BIN)/python durable_cli/pictures/shoot_browser.py

constraints: ## Choose the newest versions of all dependencies (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade --no-emit-index-url \
		--no-annotate --custom-compile-command "make constraints" --quiet --output-file constraints.txt

build: setup ## Build the wheel and the sdist into dist/
	$(BIN)/python -m build --no-isolation

clean: ## Remove everything that was made here
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	rm -rf examples/order-typescript/node_modules examples/order-typescript/lib
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: a second call does nothing.

$(VENV)/.created:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		printf 'no Python 3.11 or newer\n\nhint: apt-get install python3, or say make PYTHON=/path/to/python3.11\n' >&2; exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
		printf "$$found has no venv module\n\nhint: apt-get install python3-venv\n" >&2; exit 1; \
	fi; \
	rm -rf $(VENV) && "$$found" -m venv $(VENV) && touch $@

$(VENV)/.installed: $(VENV)/.created constraints.txt pyproject.toml
	@echo "installing into $(VENV), once: about half a minute"
	@if command -v uv >/dev/null; then install="uv pip install --quiet --python $(BIN)/python"; \
	else install="$(BIN)/python -m pip install --quiet --disable-pip-version-check"; fi; \
	$$install -r constraints.txt && $$install --no-deps --no-build-isolation -e .
	@touch $@
