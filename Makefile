# Everything a user or a developer starts. Needs Python 3.11 or newer with venv; pip brings the rest.
PYTHON ?= python3
# Build of torch: cpu, auto (by the driver that is found), cu128 and so on, from PyTorch's own index. Left out, it is what
# the lock and the configuration of pip give; where that is PyPI on Linux, a build with CUDA of 3 GB.
TORCH ?=
BIN := .venv/bin
STAMP := .venv/.installed$(if $(TORCH),-$(TORCH))

.PHONY: install demo test lint docs bench clean
.DELETE_ON_ERROR:

install: $(STAMP)

# The stamp is made last: an installation that was interrupted is started again, a whole one is not touched. One with
# another build of torch is, and stays for targets that name none.
$(STAMP): envs/lock.txt envs/slurm.txt envs/install.py pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "brainpid needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python envs/install.py $(if $(TORCH),--torch-backend $(TORCH))
	rm -f .venv/.installed*
	touch .venv/.installed $@

# The images in results/demo_data, made once, then the workflow on them.
demo: install
	$(BIN)/brainpid demo

test: install
	$(BIN)/pytest

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/brainpid demo --images-only
	$(BIN)/snakemake --lint --configfile config/demo.yaml

# The reference of the configuration and its JSON schema, from its sections.
docs: install
	$(BIN)/python -m brainpid.config.reference

# Hours: all tables of benchmarks/RESULTS.md anew. One of them: .venv/bin/python benchmarks/run.py training
bench: install
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf results .snakemake
