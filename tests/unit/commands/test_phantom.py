"""The phantom's options are checked before anything is written."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from brainpid.cli import main
from brainpid.commands import phantom


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--voxel-size", "9"], "--voxel-size: expected 4 to 8 mm, found 9"),
        (["--voxel-size", "3"], "--voxel-size: expected 4 to 8 mm, found 3"),
        (["--subjects", "19"], "expected at least 10 people a site, found 19 for 2 site(s)"),
    ],
)
def test_an_impossible_cohort_is_refused_and_nothing_written(tmp_path, capsys, options, words):
    assert main(["phantom", "--out", str(tmp_path / "data"), *options]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "data").exists()


def test_every_person_is_made_at_the_size_that_is_asked_for_and_the_truth_last(tmp_path, monkeypatch):
    made = []

    class Pool:
        def __init__(self, *args, **more): ...

        def __enter__(self):
            return self

        def __exit__(self, *fault): ...

        def map(self, call, people, chunksize):
            for person in people:
                assert not (tmp_path / "truth.json").exists()
                made.append((person.participant_id, call.args))
                yield None

    monkeypatch.setattr(phantom, "ProcessPoolExecutor", Pool)
    assert main(["phantom", "--out", str(tmp_path), "--subjects", "20", "--voxel-size", "8"]) == 0
    assert made == [(f"sub-{k:04d}", (tmp_path, 8)) for k in range(1, 21)]
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["voxel_size_mm"] == 8
    assert truth["information"]["t1+dwi"] == pytest.approx(1.091, abs=0.001)


@pytest.mark.slow
def test_an_interrupt_ends_it_in_one_sentence_with_whole_files(tmp_path):
    command = [sys.executable, "-m", "brainpid.cli", "phantom", "--out", str(tmp_path / "d"), "--voxel-size", "8"]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, process_group=0)
    while not list(tmp_path.rglob("*_bold.nii.gz")):
        assert started.poll() is None
        time.sleep(0.1)
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does
    assert started.communicate()[1] == (
        "Stopped by Ctrl-C: no file is half-written, and the same command starts the work again.\n"
    )
    assert started.returncode == 130
    assert not (tmp_path / "d" / "truth.json").exists()
    for image in tmp_path.rglob("*.nii.gz"):
        if image.parts[-3:-1] != ("sub-0003", "dwi"):  # one of whom an image is broken on purpose
            gzip.decompress(image.read_bytes())
