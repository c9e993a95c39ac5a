# Everything a developer does. `make help` lists it.

PYTHON ?= python3.11
PORT   ?= 8080
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
JOBS   ?= auto
GO     := $(shell sed -n 's/^go //p' tests/generator/golden/go/go.mod)

.DEFAULT_GOAL := help
.PHONY: help setup run test go check format openapi golden coverage settings bench fuzz lock clean schema

help: ## List what can be done
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

$(STAMP): requirements-dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed; say PYTHON=... if it is called otherwise."; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing what requirements-dev.txt locks"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMP) tests/clients/node_modules ## Install everything, in this folder

tests/clients/node_modules: tests/clients/package-lock.json
	@command -v npm >/dev/null || { echo "Node is needed for the tests with the JavaScript SDKs."; exit 1; }
	@echo "Installing the JavaScript SDKs that tests drive the server with"
	@cd tests/clients && npm ci --silent --no-audit --no-fund
	@touch $@

run: $(STAMP) ## Start the platform on its own PostgreSQL, and print endpoint, project and key
	@$(BIN)/freehold up --port $(PORT)

test: go setup check ## Check the code, then run all tests
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

go:
	@command -v go >/dev/null || { echo "Go $(GO) or newer is needed for the tests of services in Go."; exit 1; }
	@have=$$(GOTOOLCHAIN=local go env GOVERSION); have=$${have#go}; \
	printf '%s\n' "$(GO)" "$$have" | sort -V -C || { echo "Go $(GO) or newer is needed for the tests of services in Go; this is $$have."; exit 1; }

check: $(STAMP) ## Formatting, lint, types and import contracts
	@$(BIN)/ruff format --check --quiet . || { echo "Run make format."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo >/dev/null || $(BIN)/lint-imports

format: $(STAMP) ## Format the code
	@$(BIN)/ruff check --quiet --fix --exit-zero . && $(BIN)/ruff format .

openapi: $(STAMP) ## Write openapi.json from the declarations
	@$(BIN)/freehold openapi > openapi.json.new && mv openapi.json.new openapi.json

schema: $(STAMP) ## Write freehold.schema.json, the JSON Schema of freehold.yaml
	@$(BIN)/freehold json-schema > freehold.schema.json.new && mv freehold.schema.json.new freehold.schema.json

golden: $(STAMP) ## Write the generator's golden trees anew, to be read in review
	@$(BIN)/python -m tests.generator.golden

coverage: $(STAMP) ## Write docs/coverage.md: what of the reference stands
	@$(BIN)/python -m tests.contract.coverage > docs/coverage.md.new && mv docs/coverage.md.new docs/coverage.md

settings: $(STAMP) ## Write docs/settings.md from the settings
	@$(BIN)/python -m freehold.config > docs/settings.md.new && mv docs/settings.md.new docs/settings.md

bench: $(STAMP) ## Measure rows beside a bare loop, PocketBase and Directus; sockets; files; what is generated
	@for each in bench bench.sockets bench.files bench.services bench.generate; do $(BIN)/python -m $$each; done

fuzz: $(STAMP) ## The property tests, for as long as they are worth it
	@HYPOTHESIS_PROFILE=long RULES_CASES=1000000 TRANSFER_ROWS=1000000 KILLS=200 MUTANTS=alone $(BIN)/python -m pytest -n $(JOBS) tests/ddl tests/schema tests/contract tests/rules tests/services/test_imports.py tests/services/test_exports.py tests/process/test_kills.py tests/generator/guards

lock: $(STAMP) ## Lock the newest versions that pyproject.toml allows
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade --extra mcp --group dev pyproject.toml -o requirements-dev.txt
	@$(BIN)/uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade --group pyproject.toml:emitted -o tests/generator/requirements.txt

clean: ## Remove what setup and tests have made
	@rm -rf $(VENV) .cache tests/clients/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
