# Everything a user or a developer starts. Needs Python 3.11 or newer with venv; pip brings the rest.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo test lint docs site figures bench clean
.DELETE_ON_ERROR:

install: $(STAMP)

# The stamp is made last: an installation that was interrupted is started again, a whole one is not touched.
$(STAMP): envs/lock.txt envs/slurm.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "brainpid needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r envs/lock.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r envs/slurm.txt
	$(BIN)/pip install --no-compile --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# The cohort of the demonstration; made once, on the user's disk.
results/demo_data/truth.json: src/brainpid/phantom/people.py src/brainpid/phantom/images.py | $(STAMP)
	@echo "Making the images of 200 people: T1, diffusion and BOLD, with a known truth."
	rm -rf results/demo_data
	$(BIN)/brainpid phantom --out results/demo_data --subjects 200 --sites 2 --seed 0 --voxel-size 8

demo: install results/demo_data/truth.json
	@echo "From the images to a report: features of everybody, five folds of two models, tests, figures."
	@$(BIN)/brainpid run --cores 2 config/demo.yaml
	@echo
	@echo "Your own data, in a folder of BIDS, derivatives or tables:"
	@echo "    $(BIN)/brainpid init FOLDER --out mine.yaml"
	@echo "    $(BIN)/brainpid check --config mine.yaml"
	@echo "    $(BIN)/brainpid run mine.yaml"

test: install
	$(BIN)/pytest

lint: install results/demo_data/truth.json
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
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
