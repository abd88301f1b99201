"""`brainpid run`: Snakemake in an environment in which it works, with signals passed on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cohorts import make_config, make_tables, write_cohort, write_config

from brainpid.cli import main
from brainpid.commands import run, summary
from brainpid.commands.run import allowed_cpus, environment_of
from brainpid.core import project
from brainpid.core.project import snakefile


@pytest.fixture
def started(monkeypatch):
    """What would be started, and in which environment; it ends as `code` says."""
    found = {"code": 0}

    def wait(command, environment, shown=None):
        found.update(command=command, environment=environment, shown=shown is not None)
        if shown is not None:
            os.close(shown.tells_to)
        return found["code"]

    monkeypatch.setattr(run, "_wait", wait)
    return found


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A configuration of a study, `c.yaml` in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_cohort(tmp_path / "one", make_tables(20))
    return write_config(tmp_path / "c.yaml", make_config(Path(), ["one"], Path("out")))


def test_the_workflow_of_the_project_is_started(started, config):
    assert main(["run", "c.yaml", "-n", "--cores", "3", "aggregate"]) == 0
    assert started["command"] == [
        sys.executable, "-m", "snakemake", "--snakefile", str(snakefile()), "--cores", str(allowed_cpus()),
        "-n", "--cores", "3", "aggregate", "--configfile", "c.yaml",
    ]  # fmt: skip
    assert main(["run", "--cores", "2", "c.yaml"]) == 0
    assert started["command"][5:7] == ["--cores", "2"]
    started["code"] = -9
    assert main(["run", "c.yaml"]) == 1


@pytest.mark.parametrize(
    ("words", "shown"),
    [([], True), (["--resources", "mem_mb=800", "--until=split"], True), (["-n"], True), (["--summary"], False),
     (["-n", "--quiet"], False), (["--unlock"], False)],
)  # fmt: skip
def test_what_makes_snakemake_print_shows_its_own_output(started, config, words, shown):
    assert main(["run", "c.yaml", *words]) == 0
    assert started["shown"] is shown
    assert main(["run", "c.yaml", *words, "--verbose"]) == 0
    assert started["shown"] is False
    assert "--verbose" not in started["command"]


def test_a_configuration_that_is_none_is_refused_before_anything_starts(started, config, capsys):
    config.write_text(config.read_text().replace("folds:", "fold:"))
    assert main(["run", "c.yaml"]) == 2
    assert "unknown key 'splits.fold'; did you mean 'folds'?" in capsys.readouterr().err
    assert "command" not in started


@pytest.mark.parametrize(("ends_with", "code"), [(2, 2), (3, 3), (1, 1), (-9, 1)])
def test_what_snakemake_refuses_is_said_with_its_code(started, config, capsys, monkeypatch, ends_with, code):
    def wait(command, environment, shown):
        shown.output.write(b"Building DAG of jobs...\nerror: the sentence\ngoes on\n\nno more\n")
        os.close(shown.tells_to)
        return ends_with

    monkeypatch.setattr(run, "_wait", wait)
    assert main(["run", "c.yaml"]) == code
    assert capsys.readouterr().err.endswith("error: the sentence\ngoes on\n")


def _telling(*events, then="sys.exit(0)"):
    """A program that tells what Snakemake would."""
    lines = "".join(json.dumps(event) + "\n" for event in events).encode()
    return f"import os, sys, time\nos.write(int(os.environ['BRAINPID_EVENTS']), {lines!r})\n{then}"


TOLD = (
    {"event": "study", "output_dir": "out"},
    {"event": "run_info", "stats": {"split": 1, "train_baseline": 1, "all": 1, "total": 3}},
    {"event": "job_info", "job": 1, "rule": "split", "of": {}, "log": []},
    {"event": "job_finished", "job": 1},
    {"event": "job_info", "job": 2, "rule": "train_baseline", "of": {"model": "ridge", "fold": "1"}, "log": ["l.log"]},
)


@pytest.fixture
def telling(monkeypatch):
    """Let a program stand for Snakemake."""
    real = run._wait

    def stand_in(code):
        monkeypatch.setattr(run, "_wait", lambda _, *others: real([sys.executable, "-c", code], *others))

    return stand_in


def test_a_failure_is_told_with_the_end_of_its_log_and_what_to_do(telling, config, capsys):
    Path("l.log").write_text("first\n" * 9 + 'time=2030 level=ERROR module=a message="no \\"age\\"" n=3\n')
    failed = {"event": "job_error", "job": 2, "rule": "train_baseline", "log": ["l.log"]}
    telling(_telling(*TOLD, failed, then="sys.exit(1)"))
    assert main(["run", "--cores", "2", "c.yaml", "--until", "report"]) == 1
    said = capsys.readouterr().err
    assert "2 steps to do: splitting people into folds (1), training (1).\n" in said
    ending = said.partition("Failed: ")[2]
    log = next(Path("out/logs/run").glob("*.log"))
    assert ending == (
        "training (model ridge, fold 1).\n  the end of l.log:\n" + "    first\n" * 5 + '    ERROR no "age"\n'
        "1 of 2 steps are done and kept; what rests on a failed one waits.\n"
        f"Snakemake's own output: {log}\nMend the cause and run the same again; it goes on from there:\n"
        "  brainpid run c.yaml --cores 2 --until report\n"
    )


def test_a_run_that_is_done_says_what_was_found(telling, config, capsys, monkeypatch):
    report = Path("out/report.html")
    report.parent.mkdir()
    report.touch()
    found = []
    monkeypatch.setattr(summary, "say", lambda *given: found.append(given))
    telling(_telling(*TOLD, {"event": "job_finished", "job": 2}))
    assert main(["run", "c.yaml"]) == 0
    assert capsys.readouterr().err.endswith("Done: 2 steps.\n")
    telling(_telling({"event": "study", "output_dir": "out"}))
    assert main(["run", "c.yaml"]) == 0
    assert capsys.readouterr().err.endswith("Everything is done already.\n")
    assert found == [(Path("c.yaml"), "out")] * 2


@pytest.mark.parametrize(
    ("sent", "how"), [("SIGINT", "Ctrl-C"), ("SIGTERM", "the signal SIGTERM"), ("SIGHUP", "the signal SIGHUP")]
)
def test_a_stopped_run_says_that_it_goes_on(config, sent, how):
    told = _telling(*TOLD, then="time.sleep(60)")
    code = (
        "import sys\nfrom brainpid import cli\nfrom brainpid.commands import run\nreal = run._wait\n"
        f"run._wait = lambda _, *others: real([sys.executable, '-c', {told!r}], *others)\n"
        "sys.exit(cli.main(['run', 'c.yaml']))"
    )
    started = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, process_group=0)
    assert started.stderr is not None
    while "steps to do" not in started.stderr.readline():
        pass
    os.killpg(started.pid, getattr(signal, sent))
    said = started.stderr.read()
    assert started.wait() == 128 + getattr(signal, sent)
    assert said == (
        "Stopping: jobs at work are ended, and what is done is kept.\n"
        f"Stopped by {how} after 1 of 2 steps. What is done is kept and nothing is half-written; the same command goes "
        "on from here: brainpid run c.yaml\n"
    )


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
