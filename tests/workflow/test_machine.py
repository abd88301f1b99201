"""How many jobs run at a time follows the memory that there is; how Slurm is asked follows what it answers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from cohorts import ROOT, make_config, make_tables, write_cohort, write_config
from freesurfer_files import freesurfer
from snakemake_runs import snakemake

from brainpid.cohort.shards import shard_of

pytestmark = pytest.mark.slow

SHARDS = 6
STARTED, FINISHED = (
    re.compile(r"^(?:local)?rule extract_images:$"),
    re.compile(r"^Finished jobid: \d+ \(Rule: (\w+)\)$"),
)


@pytest.fixture
def config(tmp_path):
    """Six shards with one person each, of FreeSurfer's statistics: jobs that ask for 300 MB."""
    people: dict[int, str] = {}
    for number in range(200):
        people.setdefault(shard_of(f"sub-{number:03d}", SHARDS), f"sub-{number:03d}")
    tables = make_tables(60)
    for table in tables.values():
        table["participant_id"] = [*people.values(), *(f"sub-x{k}" for k in range(60 - SHARDS))]
    tables = {name: table.iloc[:SHARDS] for name, table in tables.items()}
    write_cohort(tmp_path / "a", tables)
    for label in people.values():
        freesurfer(tmp_path / "fs", label=label)
    config = make_config(tmp_path, ["a"], tmp_path / "out", shards=SHARDS)
    config["cohorts"]["a"]["sources"]["t1"] = {"kind": "freesurfer", "path": str(tmp_path / "fs")}
    return write_config(tmp_path / "c.yaml", config)


def most_at_once(text: str) -> int:
    """Most jobs of `extract_images` that ran at a time, by what Snakemake says."""
    running = most = 0
    for line in text.splitlines():
        if STARTED.match(line):
            running += 1
        elif FINISHED.match(line):
            running -= 1
        most = max(most, running)
    return most


def extract(config: Path, *options: str) -> str:
    done = snakemake(config, "--until", "extract_images", "--cores", "32", *options)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize(("mb", "jobs"), [(700, 2), (100_000, SHARDS)])
def test_no_more_jobs_run_at_a_time_than_fit_into_memory(config, mb, jobs):
    said = extract(config, "--resources", f"mem_mb={mb}")
    assert most_at_once(said) == jobs
    assert "memory:" not in said


def test_a_job_that_needs_more_than_there_is_says_so_and_runs_alone(config):
    said = extract(config, "--resources", "mem_mb=200")
    warnings = re.findall(r"^memory: t1 of cohort a, shard (\d), asks for 300 MB and there are 200 MB", said, re.M)
    assert sorted(warnings) == [str(shard) for shard in range(SHARDS)]
    assert most_at_once(said) == 1


def test_a_run_says_what_it_may_take_and_a_plan_does_not(config):
    said = extract(config)
    sentence = r"^memory: jobs may ask for [\d.]+ GB together \(.+\); --resources mem_mb=... for another$"
    assert len(re.findall(sentence, said, re.M)) == 1
    assert "memory:" not in snakemake(config, "--dry-run").stderr


@pytest.mark.skipif(
    find_spec("snakemake_executor_plugin_slurm") is None, reason="the plugin for Slurm is not installed"
)
def test_on_a_cluster_without_accounts_the_profile_asks_squeue(config, tmp_path):
    """Commands of a Slurm that runs a job at once, and whose `sacct` fails as one without accounts does."""
    tools, jobs = tmp_path / "tools", tmp_path / "jobs"
    tools.mkdir()
    jobs.mkdir()
    lines = {
        "sinfo": "exit 0",
        "scontrol": "echo 'MinJobAge               = 300 sec'",
        "sacct": "echo 'Slurm accounting storage is disabled' >&2; exit 1",
        "sacctmgr": "exit 1",
        "squeue": f'cd {jobs}; for job in *; do [ -f "$job" ] && echo "$job|$(cat $job)"; done; exit 0',
        "srun": 'while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"',
        "sbatch": f'exec {sys.executable} {tools}/submit.py "$@"',
    }
    for name, line in lines.items():
        (tools / name).write_text(f"#!/bin/sh\n{line}\n")
        (tools / name).chmod(0o755)
    (tools / "submit.py").write_text(
        "import pathlib, subprocess, sys\n"
        f"jobs = pathlib.Path({str(jobs)!r})\n"
        "command = next(a.split('=', 1)[1] for a in sys.argv if a.startswith('--wrap='))\n"
        "number = str(1 + len(list(jobs.iterdir())))\n"
        "done = subprocess.run(command, shell=True, capture_output=True, text=True)\n"
        "(jobs / number).write_text('FAILED' if done.returncode else 'COMPLETED')\n"
        "sys.stderr.write(done.stdout[-2000:] + done.stderr[-2000:] if done.returncode else '')\n"
        "print(number)\n"
    )
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", str(config)]
    command += ["--profile", str(ROOT / "profiles/slurm"), "--until", "participants", "--latency-wait", "2"]
    command += ["--slurm-init-seconds-before-status-checks", "1", "--slurm-no-account", "--retries", "0"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    said = (
        "slurm: the state of jobs is asked of squeue, as sacct does not tell it (Slurm accounting storage is disabled)"
    )
    assert said in done.stderr
    assert "memory: jobs may ask" not in done.stderr
    assert (tmp_path / "out/participants/a.tsv").is_file()
