"""What the README and the pages tell to type is typed, in a small study that is prepared for it, and works.

A command of a code block is run as it stands, but for the names in `INSTEAD`; what cannot be run here is in `ELSEWHERE`
with the reason. Commands of the pages on one's own data are run, folder by folder, in the tests of `init`.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import ROOT, make_config, make_tables, write_cohort, write_config
from snakemake_runs import CORES, SOURCES

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", DOCS / "index.md", *sorted(DOCS.glob("*/*.md"))]
COMMAND = re.compile(r"(brainpid|snakemake|make|rm|git|chmod|source|cd|export|sbatch|pip|python3?) ")
INSTEAD = {
    "results/camcan_dev": "results/mine",
    "results/my_study": "results/mine",
    "--cores 32": f"--cores {CORES}",
    "--cores 8": f"--cores {CORES}",
    "--subjects 40 --sites 2": "--subjects 10 --sites 1",
    "snakemake ": f"{sys.executable} -m snakemake --snakefile {ROOT}/Snakefile ",
    "brainpid ": f"{sys.executable} -m brainpid.cli ",
}
"""What stands for names and sizes of the pages, in this order."""
ELSEWHERE = {
    r"make ": "makes an environment; CI runs it",
    r"(git|chmod|source|sbatch|export|cd) ": "installs or reserves a machine",
    r".*profiles/slurm": "needs Slurm",
    r"brainpid pool ": "needs runs of several sites; its own tests have them",
    r"brainpid (init|check --config my_study|run my_study)": "is run in the tests of init, for each kind of folder",
}
"""Commands that are not run here, and why."""
FOLDS = 4


def commands() -> list[str]:
    """Commands of all code blocks without comments, each once, in the order of the pages."""
    found = []
    for page in PAGES:
        language = None  # of the block, None outside
        for line in map(str.strip, page.read_text().splitlines()):
            if line.startswith("```"):
                language = line.removeprefix("```") if language is None else None
            elif language in ("", "sh", "bash", "plain") and COMMAND.match(line):
                found.append(line.partition(" #")[0].strip())
    return list(dict.fromkeys(found))


HERE = [line for line in commands() if not any(re.match(pattern, line) for pattern in ELSEWHERE)]


def test_commands_are_found_and_reasons_are_of_some():
    assert {"make demo", "brainpid run mine.yaml", "snakemake --unlock --configfile mine.yaml"} <= set(commands())
    assert len(HERE) >= 10
    for pattern in ELSEWHERE:
        assert any(re.match(pattern, line) for line in commands()), pattern


@pytest.mark.parametrize("page", [page for page in PAGES if ">>> " in page.read_text()], ids=lambda page: page.stem)
def test_examples_in_python_give_what_the_page_says(page):
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted > 0
    assert found.failed == 0


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder as the pages presume it: ``mine.yaml`` and others, tables of several sites, and a run of them."""
    folder = tmp_path_factory.mktemp("docs")
    tables = make_tables(60)
    tables["participants"]["site"] = np.repeat(["a", "b", "c", "d", "e"], 12)
    write_cohort(folder / "mine", tables)
    new = make_tables(8, 1, "sub-new")
    write_cohort(folder / "new_cohort", new)
    for seed, site in enumerate(("north", "south"), start=2):
        there = make_tables(12, seed, f"sub-{site}")
        write_cohort(folder / site, there | {"participants": there["participants"].assign(site=site)})
    everything = tables["participants"].merge(tables["t1"]).merge(tables["dwi"])
    everything.assign(fmri_1=np.sqrt(everything["age"])).to_csv(folder / "people.tsv", sep="\t", index=False)
    for modality in ("t1", "dwi"):
        new[modality].to_csv(folder / f"new_{modality}.tsv", sep="\t", index=False)
    quick = {"members": 2, "epochs": 1, "hidden": [4], "latent_dim": 2, "recipe": "compact"}
    config = make_config(
        Path(), ["mine", "new_cohort"], Path("results/mine"), models=["pidreg", "ridge"], null={"permutations": 0},
        splits={"scheme": ["kfold", "leave_one_site_out"], "folds": FOLDS, "repeats": 1},
        explain={"permutations": 0}, hyperparameters={"pidreg": quick},
        folds_per_job=FOLDS,
    )  # fmt: skip
    (folder / "config").mkdir()
    write_config(folder / "mine.yaml", config)
    write_config(folder / "config/config.yaml", config)
    for name, cohorts in (("north", ["north"]), ("south", ["south"]), ("everybody", ["north", "south"])):
        write_config(folder / f"{name}.yaml", make_config(Path(), cohorts, Path("results/elsewhere")))
    shell(f"brainpid run mine.yaml --cores {CORES}", folder)
    return folder


def shell(line: str, folder: Path) -> None:
    """Run a command in a folder and expect it to succeed."""
    for name, here in INSTEAD.items():
        line = line.replace(name, here, 1)
    environment = {**os.environ, "PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


@pytest.mark.slow
def test_commands_work_in_a_study(study):
    for line in HERE:
        shell(line, study)
    assert len(pd.read_csv(study / "predictions.tsv", sep="\t")) == 8
    assert (study / "results/mine/folds/pidreg/repeat-0_fold-3/model.pt").is_file()  # deleted, and made again
    assert (study / "results/mine/report.html").is_file()


@pytest.mark.slow
def test_python_of_the_readme_runs():
    tables = make_tables(80)
    age = tables["participants"]["age"].to_numpy()
    t1, dwi = (tables[modality].drop(columns="participant_id").to_numpy() for modality in ("t1", "dwi"))
    names = {"t1": t1, "dwi": dwi, "age": age}
    found = {f"{name}_{part}": values[rows] for name, values in names.items()
             for part, rows in (("train", slice(0, 60)), ("test", slice(60, 80)))}  # fmt: skip
    (block,) = re.findall(r"(?s)```python\n(.*?)```", (ROOT / "README.md").read_text())
    exec(block, found)
    assert found["age_predicted"].shape == (20,)
