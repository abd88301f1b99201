"""`brainpid run`: Snakemake in an environment in which it works, with signals passed on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from brainpid.cli import main
from brainpid.commands import run
from brainpid.commands.run import allowed_cpus, environment_of
from brainpid.core import project
from brainpid.core.project import snakefile


@pytest.fixture
def started(monkeypatch):
    """What would be started, and in which environment; it ends as `code` says."""
    found = {"code": 0}

    def wait(command, environment):
        found.update(command=command, environment=environment)
        return found["code"]

    monkeypatch.setattr(run, "_wait", wait)
    return found


def test_the_workflow_of_the_project_is_started(started, tmp_path, monkeypatch):
    (tmp_path / "c.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["run", "c.yaml", "-n", "--cores", "3", "aggregate"]) == 0
    assert started["command"] == [
        sys.executable, "-m", "snakemake", "--snakefile", str(snakefile()), "--cores", str(allowed_cpus()),
        "-n", "--cores", "3", "aggregate", "--configfile", "c.yaml",
    ]  # fmt: skip
    assert main(["run", "--cores", "2", "c.yaml"]) == 0
    assert started["command"][5:7] == ["--cores", "2"]
    started["code"] = -9
    assert main(["run", "c.yaml"]) == 1


def test_what_is_not_there_is_named(started, capsys, monkeypatch, tmp_path):
    assert main(["run", "nowhere.yaml"]) == 2
    assert "error: nowhere.yaml: the configuration does not exist" in capsys.readouterr().err
    (tmp_path / "c.yaml").touch()
    monkeypatch.setattr(project, "PACKAGE_FOLDER", tmp_path / "lib/site-packages/brainpid")
    assert main(["run", str(tmp_path / "c.yaml")]) == 2
    assert "Snakefile: a file of the project is neither there nor at" in " ".join(capsys.readouterr().err.split())
    assert "command" not in started


@pytest.mark.parametrize("home", ["/proc/nowhere", "~"])
def test_a_home_that_cannot_be_written_gets_another_cache(tmp_path, monkeypatch, home):
    monkeypatch.setattr(run.tempfile, "tempdir", str(tmp_path))
    environment, sentences = environment_of({"HOME": home})
    cache = Path(environment["XDG_CACHE_HOME"])
    assert (cache.parent, cache.stat().st_mode & 0o777) == (tmp_path, 0o700)
    assert sentences == [f"{home} cannot be written into; Snakemake's cache is in {cache} (XDG_CACHE_HOME)"]


def test_a_home_that_can_be_written_is_left_alone(tmp_path):
    for given in ({"HOME": str(tmp_path)}, {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": "/own"}):
        assert environment_of(given) == (given, [])


def test_cpus_are_those_of_the_control_group(monkeypatch, tmp_path):
    groups = {"none": {}, "max": {"cpu.max": "max 100000"}, "half": {"cpu.max": "50000 100000"},
              "three": {"cpu.max": "350000 100000"},
              "old": {"cpu.cfs_quota_us": "200000", "cpu.cfs_period_us": "100000"},
              "unlimited": {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}}  # fmt: skip
    for name, files in groups.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(f"{text}\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    for names, expected in (("none", 8), ("max", 8), ("half", 1), ("three", 3), ("old", 2), ("unlimited", 8),
                            ("max three", 3), ("three old", 2)):  # fmt: skip
        monkeypatch.setattr(run, "_control_groups", lambda names=names: [tmp_path / name for name in names.split()])
        assert allowed_cpus() == expected, names


PARENT = """
import os, sys
from brainpid.commands.run import _wait
child = '''
import signal, sys, time
def end(number, frame):
    print("child", number, flush=True)
    sys.exit(7)
signal.signal(signal.SIGINT, end)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
'''
print("parent", _wait([sys.executable, "-c", child], os.environ), flush=True)
"""


@pytest.mark.parametrize(("sent", "received"), [("SIGINT", "SIGINT"), ("SIGTERM", "SIGTERM"), ("SIGHUP", "SIGTERM")])
def test_signals_are_passed_on_once(sent, received):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, process_group=0)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    os.killpg(parent.pid, getattr(signal, sent))  # as a terminal does
    output, _ = parent.communicate()
    assert output == f"child {int(getattr(signal, received))}\nparent 7\n"
    assert parent.returncode == 0
