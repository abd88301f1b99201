# Everything a user or a developer starts. Needs Python 3.11 or newer with venv; pip brings the rest.
PYTHON ?= python3
# Build of torch: cpu, auto (by the driver that is found), cu128 and so on, from PyTorch's own index. Left out, it is what
# the lock and the configuration of pip give; where that is PyPI on Linux, a build with CUDA of 3 GB.
TORCH ?=
BIN := .venv/bin
STAMP := .venv/.installed$(if $(TORCH),-$(TORCH))

.PHONY: install demo test lint docs site figures bench clean
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

.venv/.site: envs/site.txt | $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r envs/site.txt
	touch $@

# The documentation site, without network; a warning is an error, and so is a page that loads anything remote.
site: install .venv/.site
	$(BIN)/sphinx-build -W --keep-going -q -b html -d site/.doctrees docs site/html
	@! grep -rlE '<(script|link|img)[^>]* (src|href)="https?://' site/html --include=*.html
	@echo "Open site/html/index.html"

# The tracked figures of README and docs, from the demonstration. The screenshots need Chromium and Ghostscript.
figures: demo
	$(BIN)/python docs/figures.py

# Hours: all tables of benchmarks/RESULTS.md anew. One of them: .venv/bin/python benchmarks/run.py training
bench: install
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf results .snakemake site docs/_generated docs/examples docs/reference/api
