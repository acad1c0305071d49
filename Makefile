# make audit   a virtual environment, keyfence in it, and an audit of the embedded software token
# make test    everything: the real modules (root on Debian 12), linters, types, tests
# make lint    linters and types alone

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
PYTEST_ARGS ?= -n 2

.PHONY: audit test lint modules clean
.DELETE_ON_ERROR:

# Exit status 1 says that exposures were found, and on the classic schedule they are.
audit: $(VENV)/.installed
	$(BIN)/keyfence audit token || [ $$? -eq 1 ]

test: modules lint
	$(BIN)/pytest -v $(PYTEST_ARGS)

lint: $(VENV)/.installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

modules:
	scripts/install-test-modules </dev/null

clean:
	rm -rf $(VENV) .local .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Both installs are editable: a change in src/ needs none, only one in pyproject.toml does.
$(VENV)/.installed: pyproject.toml
	scripts/create-venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-for-tests: pyproject.toml
	scripts/create-venv $(VENV)
	$(PIP) --editable '.[test]'
	touch $@ $(VENV)/.installed
