"""From a folder that nobody prepared to a report: `init`, two edits, `check` and `run`.

The phantom under other names, with visits, runs and acquisitions; then derivatives of its people alone; then tables
exported from what was extracted.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import ROOT, write_cohort
from diffusion_maps import maps_of_a_brain, write_maps
from freesurfer_files import APARC, ASEG, freesurfer, varied

from brainpid.cli import main
from brainpid.features.store import read_features

pytestmark = pytest.mark.slow

PEOPLE = 20
ONCE = ("repeats: 5", "repeats: 1")
"""The first edit: the folds are drawn once."""
COARSE = "extraction: {structural: {resolution: 8, registration: affine, n4: false}, diffusion: {resolution: 8}}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """Working folder of all runs, with the phantom in ``phantom`` and the stranger's dataset in ``Lab_Study``."""
    root = tmp_path_factory.mktemp("strangers")
    command = ["phantom", "--out", f"{root}/phantom", "--subjects", str(PEOPLE), "--sites", "1", "--voxel-size", "8"]
    assert main([*command, "--workers", "1"]) == 0
    rename(root / "phantom/site-01", root / "Lab_Study")
    (root / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root / "work")
        patch.setenv("PYTHONPATH", str(ROOT / "src"))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield root


def rename(phantom: Path, study: Path) -> None:
    """Copy a site with other labels and another site, visits, runs and acquisitions; of a second visit T1w alone."""
    people = pd.read_csv(phantom / "participants.tsv", sep="\t", dtype=str, keep_default_na=False)
    labels = {old: f"sub-SH{101 + 10 * k}" for k, old in enumerate(people["participant_id"])}
    for base, target in ((phantom, study), (phantom / "derivatives/fmriprep", study / "derivatives/fmriprep")):
        for old, new in labels.items():
            for path in [path for path in (base / old).rglob("*") if path.is_file()]:
                place = target / new / "ses-baseline" / path.parent.name
                place.mkdir(parents=True, exist_ok=True)
                name = path.name.replace(old, f"{new}_ses-baseline").replace("_task-rest", "_task-rest_run-1")
                name = name.replace("_T1w", "_acq-mprage_run-1_T1w").replace("_dwi.", "_acq-b1000_run-1_dwi.")
                shutil.copy(path, place / name)
                if path.name.endswith("_T1w.nii.gz"):
                    later = target / new / "ses-followup/anat"
                    later.mkdir(parents=True)
                    shutil.copy(path, later / f"{new}_ses-followup_acq-mprage_run-1_T1w.nii.gz")
    people = people.assign(participant_id=people["participant_id"].map(labels), site="Sheffield-3T")
    people.to_csv(study / "participants.tsv", sep="\t", index=False)


def to_report(study: str, capsys, *edits: tuple[str, str]) -> Path:
    """`init` on a folder beside the working folder, edits of what it wrote, `check` and `run`; the output folder."""
    assert main(["init", f"../{study}"]) == 0
    config = Path(f"{study}.yaml")
    text = config.read_text()
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    config.write_text(text)
    capsys.readouterr()
    assert main(["check", "--config", str(config)]) == 0
    foreseen = re.search(r"from its beginning: (\d+) jobs", capsys.readouterr().out)
    assert foreseen is not None
    assert main(["run", str(config), "--cores", "1"]) == 0
    out = Path("results") / study
    done = list((out / "benchmarks").rglob("*.tsv"))
    assert len(done) == int(foreseen[1])
    assert (out / "report.html").is_file()
    pid = pd.read_csv(out / "aggregate/pid.tsv", sep="\t")
    assert {"total", "unique", "redundant", "synergy", "alone", "added"} <= set(pid["atom"])
    return out


def test_the_phantom_under_other_names(folder, capsys):
    # Two of the 18 people with every image fail on purpose; five folds leave enough of the others.
    out = to_report("Lab_Study", capsys, ONCE, ("\nmodels:", f"\n{COARSE}models:"))
    people = pd.read_csv(out / "participants.tsv", sep="\t")
    assert set(people["site"]) == {"Sheffield-3T"}
    assert people["participant_id"].str.startswith("sub-SH").all()
    index = pd.read_csv(out / "index/Lab_Study.tsv", sep="\t")
    assert index.loc[index["modality"] == "t1", "path"].dropna().str.contains("ses-baseline").all()
    assert (people["t1_status"] == "SUCCESS").sum() >= PEOPLE - 4


def test_derivatives_of_its_people_alone(folder, capsys):
    study, maps = folder / "Derived", maps_of_a_brain()
    people = pd.read_csv(folder / "Lab_Study/participants.tsv", sep="\t")
    study.mkdir()
    people.to_csv(study / "participants.tsv", sep="\t", index=False)
    shutil.copytree(folder / "Lab_Study/derivatives/fmriprep", study / "derivatives/fmriprep")
    for k, (label, age) in enumerate(zip(people["participant_id"], people["age"].fillna(50), strict=True)):
        rng = np.random.default_rng(k)
        aseg = ASEG.replace("4100.0", f"{5000 - 15 * age:.1f}")
        freesurfer(study / "derivatives/freesurfer", varied(aseg, rng), label, varied(APARC, rng))
        write_maps(study / f"derivatives/qsirecon/{label}/dwi", label, maps, 1 - 0.002 * age + 0.02 * rng.normal())
    out = to_report("Derived", capsys, ONCE, ("\nmodels:", "\nextraction: {diffusion: {resolution: 4}}\nmodels:"))
    names = read_features(out / "features/Derived.h5", "t1").names
    assert "volume_Left-Hippocampus" in names


def test_tables_exported_from_it(folder, capsys):
    file = Path("results/Lab_Study/features/Lab_Study.h5")
    if not file.is_file():
        pytest.skip("the run on the images did not come so far")
    people = pd.read_csv(folder / "Lab_Study/participants.tsv", sep="\t")
    tables = {"demographics": people.rename(columns={"participant_id": "Subject", "age": "Age", "sex": "Gender"})}
    for modality, name in (("t1", "volumes"), ("dwi", "tracts"), ("fmri", "connectivity")):
        block = read_features(file, modality)
        own = pd.DataFrame(block.values, columns=list(block.names)).iloc[:, :60]
        own.insert(0, "participant_id", [label.removeprefix("sub-") for label in block.participant_id])
        tables[name] = own[block.present]
    write_cohort(folder / "Exported", tables)
    out = to_report("Exported", capsys, ONCE, ("models: [ridge, gradient_boosting]", "models: [ridge]"))
    accuracy = pd.read_csv(out / "aggregate/accuracy.tsv", sep="\t")
    assert set(accuracy["model"]) == {"ridge"}
    assert "connectivity+tracts+volumes" in {"+".join(sorted(one.split("+"))) for one in accuracy["modalities"]}
