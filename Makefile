# `make run` and `make test` set up everything they need on a fresh machine.
SHELL := /bin/bash
PYTHON ?= python3
CORES ?= $(shell nproc)
# Processes that share the tests; 0 for a debugger or -s.
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: install run test faults lint docs site lock report audit audit-deps clean

install: $(READY)

run: $(READY)
	$(BIN)/snakemake --logger mri2pet --cores $(CORES) --keep-going $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

# A job of every rule killed, full disks, two calls at once and more: half an hour; root alone may mount small disks.
faults: $(READY)
	$(BIN)/python -m pytest tests/faults --faults $(ARGS)
	$(BIN)/python tests/faults/run_faults.py "$$(mktemp -d)/faults"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/lint-imports

# The tables of config/README.md, from the schema.
docs: $(READY)
	$(BIN)/python -m mri2pet.config.tables

# The documentation as a web site, in site/.
site: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

report: $(READY)
	$(BIN)/snakemake --report results/provenance/snakemake.html

audit: $(READY)
	$(BIN)/snakemake --cores $(CORES) audit $(ARGS)

# After this no run needs a network: the last step keeps the atlases and the weights of LPIPS in resources/installed/.
# torch stands apart from the hashed file: the same pin is a CPU build on one machine and a CUDA build on another.
$(READY): requirements.lock pyproject.toml resources/packages.tsv resources/lpips.tsv
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "mri2pet needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is %d.%d: name another, as in make PYTHON=python3.13 install" % v)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m mri2pet.downloads resources
	touch $@

lock: $(READY)
	$(BIN)/pip install --quiet uv==0.13.9
	$(BIN)/uv pip compile --config-file envs/uv.toml --quiet --python-version 3.11 --generate-hashes --no-emit-package torch --no-emit-find-links --no-header --no-annotate requirements.in -o requirements.lock
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/python envs/pin.py

# Known vulnerabilities of the pins, where the package index has them; not part of what is installed.
audit-deps:
	test -x .venv-audit/bin/pip-audit || { $(PYTHON) -m venv .venv-audit && .venv-audit/bin/pip install --quiet pip-audit==2.10.1; }
	.venv-audit/bin/python envs/audit.py

clean:
	rm -rf results .snakemake logs
