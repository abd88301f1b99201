"""Faults of a machine at random moments of an extraction: the next try gives what an undisturbed run gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fmriprep_runs import fmriprep_runs
from freesurfer_files import freesurfer
from shims import shim

from brainpid.config.schema import parse_config
from brainpid.config.slices import ExtractSettings

pytestmark = pytest.mark.slow

PEOPLE = ("sub-0", "sub-1", "sub-2")
CODES = (116, 5, 24, 12, 110, 107, 121, 103)
CALLS = {
    "data": ("SHIM_OPEN", "SHIM_READ", "SHIM_OPENDIR"),
    "kept": ("SHIM_OPEN", "SHIM_WRITE", "SHIM_FSYNC", "SHIM_RENAME"),
    "tmp": ("SHIM_OPEN", "SHIM_WRITE"),
    "atlas.nii": ("SHIM_OPEN", "SHIM_READ"),
}
"""Calls that fail, by the folder or file below the study that they fail on."""

DRIVER = """
import contextlib, io, json, os, shutil, sys
from pathlib import Path
import numpy as np
from brainpid.cli import main
from brainpid.features import extraction
from brainpid.features.store import read_features

def here(function, tasks, workers, fresh=False):
    return ((task, function(task)) for task in tasks)

def once(study, options):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = main(options)
    made = None
    if (study / "features.h5").is_file():
        block = read_features(study / "features.h5", options[options.index("--modality") + 1])
        quality = [line.split("\\t") for line in (study / "quality.tsv").read_text().splitlines()]
        places = [k for k, name in enumerate(quality[0]) if name not in ("seconds", "peak_mb")]
        made = [block.names, block.values.tobytes().hex(), block.status, [[row[k] for k in places] for row in quality]]
    return code, [line for line in said.getvalue().splitlines() if line.startswith("error: ")], made

def run():
    study, options, faults, processes = json.loads(sys.stdin.read())
    study = Path(study)
    if not processes:
        extraction.outcomes = here
    for fault in [{}, *faults]:
        for name in ("features.h5", "quality.tsv"):
            (study / name).unlink(missing_ok=True)
        for name in ("kept", "kept.files"):
            shutil.rmtree(study / name, ignore_errors=True)
        os.environ.update(fault)
        first = once(study, options)
        for name in fault:
            del os.environ[name]
        print(json.dumps([first, once(study, options)]), flush=True)

if __name__ == "__main__":
    run()
"""


@pytest.fixture(params=["freesurfer", "fmriprep"])
def study(request, tmp_path) -> tuple[Path, str, list[str]]:
    """Three people, and the command that extracts them."""
    kind = request.param
    if kind == "freesurfer":
        for person in PEOPLE:
            freesurfer(tmp_path / "data", label=person)
    else:
        _fmriprep(tmp_path)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-0\t30\nsub-1\t31\nsub-2\t32\n")
    atlas = {"image": str(tmp_path / "atlas.nii.gz"), "labels": str(tmp_path / "atlas.tsv")}
    config = {
        "output_dir": str(tmp_path / "out"),
        "modalities": ["x", "y"],
        "cohorts": {
            "a": {
                "participants": str(tmp_path / "participants.tsv"),
                "sources": {
                    "x": {"kind": kind, "path": str(tmp_path / "data")},
                    "y": {"kind": "table", "path": "y.tsv"},
                },
            }
        },
        "shards": 1,
        "extraction": {"functional": {"strategy": "6P", "atlas": atlas}},
    }
    settings = ExtractSettings.of(parse_config(config, "test"), "a", "x").model_dump_json()
    options = ["extract", "--cohort", "a", "--modality", "x", "--participants", f"{tmp_path}/participants.tsv"]
    options += ["--settings", settings, "--out", f"{tmp_path}/features.h5", "--shard", "0"]
    options += ["--keep", f"{tmp_path}/kept", "--quality", f"{tmp_path}/quality.tsv"]
    return tmp_path, kind, options


def _fmriprep(folder: Path) -> None:
    """Small preprocessed runs, and an atlas of two regions."""
    fmriprep_runs(folder / "data", PEOPLE, folder)


def faults(folder: Path, kind: str, number: int) -> list[dict[str, str]]:
    """Faults by a fixed seed: which call on which files, by which errno, from which moment on and how often."""
    rng = np.random.default_rng(7)
    found = []
    while len(found) < number:
        place = str(rng.choice([name for name in CALLS if name != "atlas.nii" or kind == "fmriprep"]))
        call = str(rng.choice(CALLS[place]))
        code = int(rng.choice((28, 122, 5) if call in ("SHIM_WRITE", "SHIM_FSYNC", "SHIM_RENAME") else CODES))
        part = f"{folder}/{place}" + (f"/{rng.choice(PEOPLE)}" if place == "data" else "")
        fault = {call: str(code), "SHIM_PATH": part, "SHIM_AFTER": str(rng.integers(0, 6))}
        found.append(fault | ({"SHIM_TIMES": "1"} if rng.random() < 0.4 else {}))
    return found


def test_after_a_fault_at_random_the_next_try_gives_what_an_undisturbed_run_gives(study, tmp_path_factory):
    folder, kind, options = study
    library = shim(tmp_path_factory.mktemp("library"))
    (folder / "driver.py").write_text(DRIVER)
    injected = faults(folder, kind, 10)
    ran = subprocess.run(
        [sys.executable, folder / "driver.py"],
        input=json.dumps([str(folder), options, injected, kind == "freesurfer"]),
        env={**os.environ, "LD_PRELOAD": str(library), "TMPDIR": str(folder / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    undisturbed, *disturbed = [json.loads(line) for line in ran.stdout.splitlines()]
    whole = undisturbed[0][2]
    assert undisturbed[0] == [0, [], whole]
    assert whole[2] == ["SUCCESS"] * 3
    for fault, ((code, said, made), again) in zip(injected, disturbed, strict=True):
        assert (code, made) == (0, whole) or (code, len(said), made) == (1, 1, None), fault
        assert again == [0, [], whole], fault
    assert sum(code == 1 for (code, _, _), _ in disturbed) >= 4  # faults were met at all
