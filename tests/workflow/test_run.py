"""`brainpid run` from start to end: shown, killed, refused, resumed, and in the form of a BIDS App."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from snakemake_runs import CORES

pytestmark = pytest.mark.slow


@pytest.fixture
def config(tmp_path):
    """A study of a minute, in its own folder."""
    write_cohort(tmp_path / "one", make_tables(60))
    changes = {"explain": {"permutations": 0}, "null": {"permutations": 0}, "final_model": False}
    return write_config(tmp_path / "c.yaml", make_config(Path(), ["one"], Path("out"), **changes))


def start(config: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "brainpid.cli", "run", *(words or (config.name,)), "--cores", CORES]
    return subprocess.Popen(
        command, cwd=config.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )


def until(started: subprocess.Popen[str], path: Path) -> None:
    """Wait for a file of a run."""
    end = time.monotonic() + 300
    while not path.exists():
        assert started.poll() is None, started.communicate()
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_killed_run_is_resumed_and_a_second_one_refused(config):
    out = config.parent / "out"
    first = start(config)
    until(first, out / "splits.tsv")
    second = start(config)
    said = second.communicate()[1]
    assert second.returncode == 1
    assert re.search(r"error: out: another run is at work there \(process \d+ on this machine, since ", said)
    assert first.poll() is None
    (record,) = (out / ".snakemake" / "running").glob("*.json")
    os.killpg(int(record.name.partition("_")[0]), signal.SIGKILL)  # Snakemake and its jobs, as at a loss of power
    first.kill()
    first.communicate()
    assert list((out / ".snakemake" / "locks").iterdir())
    split = (out / "splits.tsv").stat().st_mtime_ns
    third = start(config)
    printed, said = third.communicate()
    assert third.returncode == 0, said
    assert "lock" not in said.lower()
    assert (out / "splits.tsv").stat().st_mtime_ns == split
    done = re.search(r"^Done: (\d+) steps\.$", said, re.MULTILINE)
    assert done is not None
    assert int(done[1]) < 12
    assert printed.startswith("Accuracy: Ridge misses the age of held-out people by ")
    assert "Information: " in printed
    assert "Open out/report.html" in printed
    assert not (out / ".snakemake" / "locks").exists()


def test_a_run_whose_starter_is_killed_ends_with_it_and_is_resumed(config):
    out = config.parent / "out"
    first = start(config)
    until(first, out / "features" / "one.h5")
    first.kill()
    again = start(config, config.name, "--until", "split")
    said = again.communicate()[1]
    assert again.returncode == 0, said
    assert (out / "splits.tsv").exists()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_run_leaves_nothing_half_done(config, sent):
    out = config.parent / "out"
    first = start(config)
    until(first, out / "features" / "one.h5")
    os.killpg(first.pid, sent)  # as a terminal does
    said = first.communicate()[1]
    assert first.returncode == 128 + sent
    assert re.search(r"^Stopped by .+ after \d of 13 steps\. What is done is kept", said.splitlines()[-1])
    assert not (out / ".snakemake" / "locks").exists()
    assert not list(out.rglob("*.part"))
    again = start(config, config.name, "--until", "split")
    assert again.communicate()[1].rstrip().endswith("steps.")
    assert again.returncode == 0


def test_a_failed_step_is_told_and_what_mends_it_goes_on(config):
    table = config.parent / "one" / "t1.tsv"
    whole = table.read_text()
    table.write_text(whole.replace("sub-003\t", "sub-003\tabc", 1))
    first = start(config)
    said = first.communicate()[1]
    assert first.returncode == 1
    assert "Failed: reading features from a table (cohort one, modality t1).\n  the end of out/logs/extract/" in said
    assert "error: one/t1.tsv: line 5 (sub-003), column 't1_0': expected a number" in " ".join(said.split())
    table.write_text(whole)
    again = start(config, config.name, "--until", "split")
    assert again.communicate()[1].rstrip().endswith("Done: 3 steps.")


def test_the_group_level_of_a_bids_app_runs_the_configuration_in_its_output(config):
    out = config.parent / "out"
    out.mkdir()
    text = config.read_text().replace("one/", "../one/").replace("output_dir: out", f"output_dir: {out}")
    (out / "brainpid.yaml").write_text(text)
    started = start(config, "one", "out", "group", "--until", "split")
    said = started.communicate()[1]
    assert started.returncode == 0, said
    assert said.rstrip().endswith("Done: 5 steps.")
    assert (out / "splits.tsv").exists()
