"""The wheel by itself: built, installed and used where there is no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from cohorts import ROOT, make_config, make_tables, write_cohort, write_config

from brainpid.core.provenance import code_digest

pytestmark = pytest.mark.slow

BUILT_FROM = ("Snakefile", "CITATION.cff", "LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py",
              "config", "envs", "profiles", "src", "workflow")  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(ROOT / name, folder)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run([*command, "--wheel-dir", folder / "dist", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """Python of an environment with the wheel in it, and the libraries of this one behind it."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    own = folder / "bin/python"
    command = [sys.executable, "-m", "pip", "--python", own, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(command, check=True)
    place = [own, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(place, capture_output=True, text=True, check=True).stdout.strip())
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return own


def call(python: Path, folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in a folder, as a user does who has nothing else."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    command = [str(word) for word in words]
    return subprocess.run([python, *command], cwd=folder, env=environment, capture_output=True, text=True)


def test_the_wheel_holds_the_workflow_once(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for top in ("Snakefile", "workflow", "profiles", "config"):
        place = ROOT / top
        files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
        for path in files:
            assert names.count(f"brainpid/project/{path.relative_to(ROOT)}") == 1, path
    assert not [name for name in names if name.startswith(("workflow/", "config/")) or "__pycache__" in name]


def test_a_study_runs_from_any_folder_to_its_report(python, tmp_path):
    write_cohort(tmp_path / "a", make_tables(40))
    config = make_config(Path(), ["a"], Path("out"), splits={"folds": 2, "repeats": 1}, final_model=False,
                         explain={"permutations": 0}, null={"permutations": 19})  # fmt: skip
    write_config(tmp_path / "c.yaml", config)
    done = call(python, tmp_path, "-m", "brainpid.cli", "run", "c.yaml", "--cores", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "<h1>" in (tmp_path / "out/report.html").read_text()
    # The same workflow by Snakemake itself, which has nothing left to do.
    told = call(python, tmp_path, "-m", "brainpid.cli", "--snakefile").stdout.strip()
    assert Path(told).is_relative_to(python.parents[1])
    planned = call(python, tmp_path, "-m", "snakemake", "--snakefile", told, "--configfile", "c.yaml", "--dry-run")
    assert "Nothing to be done" in planned.stdout + planned.stderr


def test_the_code_of_the_wheel_is_that_of_the_checkout(python, tmp_path):
    verbs = [f"brainpid.commands.{verb}" for verb in ("train", "report", "demo")]
    code = f"from brainpid.core.provenance import code_digest; print(*map(code_digest, {verbs}))"
    assert call(python, tmp_path, "-c", code).stdout.split() == [code_digest(verb) for verb in verbs]


def test_the_demonstration_and_the_citation_need_no_checkout(python, tmp_path):
    assert "@software{brainpid" in call(python, tmp_path, "-m", "brainpid.cli", "--citation").stdout
    (tmp_path / "results/demo_data/own").mkdir(parents=True)  # which the demonstration does not work over
    done = call(python, tmp_path, "-m", "brainpid.cli", "demo")
    assert done.returncode == 2, done.stderr
    code = "from brainpid.core.project import project_file; from brainpid.config.schema import load_config\n"
    code += "print(load_config(project_file('config', 'demo.yaml')).output_dir)"
    assert call(python, tmp_path, "-c", code).stdout == "results/demo\n"
