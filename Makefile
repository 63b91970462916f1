# The doors of the project. Every target works from a bare checkout: `setup` is made first where it is needed.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAGE ?= dev
READY := $(VENV)/.ready
CHECKERS := .build/checks/.ready
WRITERS := .build/docs-tools/.ready
BESIDE := -n 2 --dist loadfile
# The parts of the laptop wait more than they compute.
WAITING := -n 4 --dist loadfile

# Compiled modules are kept, whatever the shell says: every process would compile all that it imports anew.
export PYTHONDONTWRITEBYTECODE :=

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

setup: $(READY) ## Build .venv with everything, from the lock (needs Python 3.11, make and git only)

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; set PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Answer a dozen support tickets on a laptop cloud (MODEL=balanced asks a real model)
	@$(BIN)/python -m infra.local demo $(if $(MODEL),--model "$(MODEL)") $(if $(PROVIDER_URL),--provider-url "$(PROVIDER_URL)")

up: $(READY) ## Start the laptop cloud and keep it running
	@$(BIN)/python -m infra.local up

test: $(READY) ## Run all tests but the house rules: the product on a laptop, beside it all that needs none
	@log=$$(mktemp); $(BIN)/python -m pytest tests/e2e > $$log 2>&1 & e2e=$$!; \
	trap "kill $$e2e; rm -f $$log; exit 130" INT TERM; \
	$(BIN)/python -m pytest $(BESIDE) --ignore=tests/e2e --ignore=tests/local --ignore=tests/house; rest=$$?; \
	$(BIN)/python -m pytest $(WAITING) tests/local; local=$$?; \
	wait $$e2e; e2e=$$?; cat $$log; rm -f $$log; \
	exit $$((rest + e2e + local))

test-fast: $(READY) ## Run what needs no laptop, no bundle and no synthesis: under a minute
	@$(BIN)/python -m pytest $(BESIDE) tests/unit tests/property tests/golden

soak: $(READY) ## Draw by thousands what `make test` samples: properties, schedules, a kill at every write (half an hour)
	@export STEPWARD_DRAWS=$${STEPWARD_DRAWS:-10}; \
	$(BIN)/python -m pytest $(BESIDE) tests/property; drawn=$$?; \
	$(BIN)/python -m pytest $(BESIDE) -m "hypothesis or soak" tests/unit tests/contract tests/infra tests/local; examples=$$?; \
	$(BIN)/python -m pytest -m "sampled or soak" tests/e2e; product=$$?; \
	$(BIN)/python -m infra.local bench faults --count $$((STEPWARD_DRAWS * 1000)) $(if $(KILLS),--kills "$(KILLS)"); faults=$$?; \
	for part in drawn:$$drawn examples:$$examples product:$$product faults:$$faults; do echo "soak: $${part%%:*} $$([ $${part##*:} = 0 ] && echo held || echo FAILED)"; done; \
	exit $$((drawn + examples + product + faults))

# What checks the templates has needs of its own, so it has a place of its own too.
$(CHECKERS): infra/checks/requirements.lock infra/checks/package.json infra/checks/package-lock.json | $(READY)
	$(BIN)/python -m infra.checks.install
	@touch $@

check: $(READY) $(CHECKERS) $(WRITERS) ## Lint, types, imports, house rules, docs, cdk-nag, cfn-lint, checkov, state machines
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/house
	PYTHONPATH=.:shared $(BIN)/python -m docs.generator
	$(BIN)/python -m infra.app --stage prod --bundle source --out .build/nag --nag
	$(BIN)/python -m infra.checks .build/nag --compiled tests/golden/workflows
	$(BIN)/python -m pytest tests/infra/test_checkers.py

# What builds the pages has a place of its own as well, and nothing of it is installed unless its hash is the lock's.
$(WRITERS): shared/docs/requirements.lock | $(READY)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	$(BIN)/uv pip sync --quiet --no-build --require-hashes --python $(@D)/bin/python $<
	@touch $@

docs: $(READY) $(WRITERS) ## Write the reference anew and build the documentation into .build/docs, with its links checked
	@PYTHONPATH=.:shared $(BIN)/python -m docs.generator

format: $(READY) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

synth: $(READY) ## Write the templates of STAGE into cdk.out
	$(BIN)/python -m infra.app --stage $(STAGE) --bundle source --out cdk.out

package: $(READY) ## Build the real package of every function
	$(BIN)/python -m infra.package

bench: $(READY) ## Count what the four reference runs cost
	@$(BIN)/python -m infra.local bench counts

wheel: $(READY) ## Build the wheel into dist, offline
	@rm -rf build
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --wheel-dir dist .

new-function: $(READY) ## Make a function: make new-function NAME=my_function
	@$(BIN)/python -m infra.new_function "$(NAME)"

new-tools: $(READY) ## Make a folder of tools for agents: make new-tools NAME=my_tools
	@$(BIN)/python -m infra.new_tools "$(NAME)"

lock: $(READY) ## Pin every dependency anew, with hashes
	$(BIN)/uv pip compile --universal --generate-hashes --no-header --all-extras --group infra --group laptop --group dev --python-version 3.11 --quiet --output-file requirements.lock pyproject.toml

lock-checkers: $(READY) ## Pin anew what `make check` checks templates with
	$(BIN)/python -m infra.checks.install --pin

lock-docs: $(READY) ## Pin anew what `make docs` builds with
	$(BIN)/uv pip compile --universal --generate-hashes --no-header --upgrade --python-version 3.11 --quiet --output-file shared/docs/requirements.lock shared/docs/requirements.in

.PHONY: help setup demo up test test-fast soak check docs format synth package bench wheel new-function new-tools lock lock-checkers lock-docs
