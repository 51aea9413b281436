# Everything that is made lies in .sluice, which git ignores; deleting it starts afresh.
STATE := .sluice
BIN := $(STATE)/venv/bin
export UV_CACHE_DIR := $(CURDIR)/$(STATE)/cache/uv
export PIP_NO_CACHE_DIR := 1
PYTHON ?= python3

.PHONY: help setup build demo down test engine bench bench-verdicts bench-judge lint clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo    set up everything, then release good and bad versions on both controllers'
	@echo 'make test    set up everything, then run all checks and tests'
	@echo 'make down    stop every process that demo or the sandbox started'
	@echo 'make bench   how fast the main job is, as ratios to what we promise'
	@echo 'make bench-verdicts   how often the verdicts are right, beside other ways to decide'
	@echo 'make bench-judge   how fast and large the judge is, beside its Prometheus'
	@echo 'make lint    formatting, lint, types, import rules'
	@echo 'make build   build the sandbox (done by demo and test)'
	@echo 'make engine  install what builds and runs the image of the judge in its test (Debian, root)'

setup: $(STATE)/ready

# A virtual environment of its own for uv, so that the project's holds only what is locked.
$(STATE)/uv/ready: requirements-bootstrap.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Sluice needs Python 3.11 or newer; this is %d.%d. Set PYTHON=." % v[:2])'
	@echo 'Setting up Python requirements (half a minute, once) ...'
	@rm -rf $(STATE)/uv
	@$(PYTHON) -m venv $(STATE)/uv
	@$(STATE)/uv/bin/pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-bootstrap.lock || (echo 'error: the first set-up needs the network (Python packages)'; exit 1)
	@touch $@

$(STATE)/ready: $(STATE)/uv/ready requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(STATE)/uv/bin/uv venv --quiet --python $(PYTHON) $(STATE)/venv
	@$(STATE)/uv/bin/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock \
		|| (echo 'error: the first set-up needs the network (Python packages)'; exit 1)
	@$(STATE)/uv/bin/uv pip install --quiet --no-deps --no-build-isolation --offline \
		--python $(BIN)/python --editable .
	@touch $@

build: setup
	@$(BIN)/sluice sandbox build

demo: setup
	@$(BIN)/sluice demo

down: setup
	@$(BIN)/sluice sandbox down

# Most tests of the real controllers wait for them: two at once, each file with one sandbox.
test: lint build
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# The one thing that is installed on the machine itself, and so not done by any other target.
engine:
	@for tool in podman runc mmdebstrap; do command -v $$tool >/dev/null || missing=yes; done; \
	if [ "$$missing" ]; then \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get -qq update && apt-get -qq install --yes --no-install-recommends \
			podman runc mmdebstrap debian-archive-keyring >/dev/null \
		|| (echo 'error: this needs Debian or Ubuntu, root and the network; elsewhere install podman, runc and mmdebstrap'; exit 1); \
	fi

bench: setup
	@$(BIN)/python benchmarks/main_job.py

bench-verdicts: setup
	@$(BIN)/python -m benchmarks.verdicts

bench-judge: build
	@$(BIN)/python -m benchmarks.judge

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/basedpyright

clean: down
	rm -rf $(STATE)
