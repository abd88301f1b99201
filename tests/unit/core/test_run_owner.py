"""A run that was killed is told from one at work, and from one on another machine."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from brainpid.core.errors import MachineError
from brainpid.core.run_owner import Owner, Process, State, check_ended, clear_ended, read_owners


@pytest.fixture
def process():
    """A process that lives until the test ends."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


def test_a_process_is_at_work_until_it_ends(process):
    one = Process.of(process.pid)
    assert one.state is State.AT_WORK
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet taken away
    assert one.state is State.ENDED
    process.wait()
    assert one.state is State.ENDED


@pytest.mark.parametrize(
    ("change", "state"),
    [({"host": "elsewhere"}, State.UNKNOWN), ({"space": "pid:[1]"}, State.UNKNOWN), ({"boot": "before"}, State.ENDED),
     ({"start": 1}, State.ENDED), ({"start": 0}, State.ENDED), ({}, State.AT_WORK)],
)  # fmt: skip
def test_what_can_be_seen_from_here(change, state):
    assert replace(Process.of(os.getpid()), **change).state is state


def test_the_files_of_ended_runs_are_taken_away_and_a_live_one_is_told(process, tmp_path, monkeypatch):
    monkeypatch.setenv("BRAINPID_PARENT", str(os.getpid()))
    own = Owner.this_process()
    assert own.parent == own.process
    mine = own.write(tmp_path)
    assert clear_ended(tmp_path, mine, "out") is False
    other = Owner(Process.of(process.pid), None, "2030-01-02T03:04:05+00:00")
    path = other.write(tmp_path)
    assert read_owners(tmp_path) == {mine: own, path: other}
    message = rf"^out: another run .*process {process.pid} on this machine, since 2030.*kill {process.pid}$"
    with pytest.raises(MachineError, match=message):
        clear_ended(tmp_path, mine, "out")
    process.kill()
    process.wait()
    assert clear_ended(tmp_path, mine, "out") is True
    assert read_owners(tmp_path) == {mine: own}
    (tmp_path / "running" / "broken.json").write_text("{")
    assert read_owners(tmp_path) == {mine: own}


def test_a_run_elsewhere_is_told_with_its_machine(tmp_path):
    process = replace(Process.of(os.getpid()), host="node-7")
    path = Owner(process, None, "2030").write(tmp_path)
    with pytest.raises(MachineError, match=r"on another machine.*on node-7, since 2030.*--unlock"):
        clear_ended(tmp_path, tmp_path / "own.json", "out")
    assert path.exists()


def test_a_run_whose_starter_was_killed_is_waited_for(process):
    ended = replace(Process.of(os.getpid()), start=1)
    owner = Owner(Process.of(process.pid), ended, "2030")
    assert owner.is_ending
    with pytest.raises(MachineError, match="another run is at work"):
        check_ended(owner, "out", patience=0.3)
    code = f"import os, time; time.sleep(.5); os.kill({process.pid}, 9)"
    with subprocess.Popen([sys.executable, "-c", code]):
        check_ended(owner, "out", patience=30)
