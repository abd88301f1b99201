"""Processes that do one piece of work at a time, and how they end."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_extractors import told

from brainpid.core.errors import MachineError
from brainpid.features.workers import Died, outcomes

TESTS = Path(__file__).parents[2]


def test_who_dies_costs_the_work_it_had_and_says_how():
    words = ["a", f"signal {signal.SIGKILL}", "b", f"signal {signal.SIGSEGV}", "exit 3", "c"]
    found = dict(outcomes(told, words, 2))
    assert found.keys() == set(words)
    died = {word: found[word] for word in words if isinstance(found[word], Died)}
    assert {word: (str(end), end.crashed) for word, end in died.items()} == {
        words[1]: ("signal 9, SIGKILL", False),
        words[3]: ("signal 11, SIGSEGV", True),
        "exit 3": ("exit code 3", True),
    }
    assert all(end.peak_mb > 5 for end in died.values())
    assert [found[word].split()[0] for word in "abc"] == ["a", "b", "c"]


def test_one_process_does_one_after_another_and_a_fresh_one_each_where_asked():
    pids = [outcome.split()[1] for _, outcome in outcomes(told, ["a", "b", "c"], 1)]
    assert len(set(pids)) == 1
    pids = [outcome.split()[1] for _, outcome in outcomes(told, ["a", "b"], 1, fresh=True)]
    assert len(set(pids)) == 2


def test_work_is_asked_for_when_there_is_a_process_for_it():
    asked = []

    def words():
        for word in "abcd":
            asked.append(word)
            yield word

    for _, outcome in outcomes(told, words(), 1):
        assert isinstance(outcome, str)
        break
    assert asked == ["a"]
    assert list(outcomes(told, [], 3)) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process ends after the work that it has")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path, end):
    pid = tmp_path / "pid"
    code = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "from fake_extractors import told\nfrom brainpid.features.workers import outcomes\n"
        f"if __name__ == '__main__': list(outcomes(told, ['sleep {pid}'], 1))\n"
    )
    (tmp_path / "parent.py").write_text(code)
    parent = subprocess.Popen([sys.executable, tmp_path / "parent.py"], stderr=subprocess.DEVNULL)
    until(lambda: pid.is_file() and pid.read_text())
    os.kill(parent.pid, end)
    parent.wait(10)
    until(lambda: not Path(f"/proc/{pid.read_text()}/cmdline").is_file() or ended(pid.read_text()))


def ended(pid: str) -> bool:
    """Whether a process is nothing but an entry that nobody has taken away."""
    return " Z " in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:4]


def until(met) -> None:
    """Wait for a condition, 20 s at most."""
    start = time.monotonic()
    while not met():
        assert time.monotonic() - start < 20
        time.sleep(0.05)


@pytest.mark.parametrize("mount", ["mount -t tmpfs -o ro none /dev/shm", "mount -t tmpfs none /dev"])
def test_no_place_for_semaphores_is_needed(tmp_path, mount):
    """As in containers without /dev/shm."""
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("mounts need root and unshare")
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespace can be made here")
    code = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "from fake_extractors import told\nfrom brainpid.features.workers import outcomes\n"
        "if __name__ == '__main__':\n"
        "    import multiprocessing\n"
        "    try:\n        multiprocessing.get_context('spawn').Lock()\n"
        "    except OSError: print('no semaphores')\n"
        "    print(sorted(outcome.split()[0] for _, outcome in outcomes(told, ['a', 'b'], 2)))\n"
    )
    (tmp_path / "run.py").write_text(code)
    save = f"mkdir -p {tmp_path}/keep && cp -a /dev/null /dev/urandom /dev/random {tmp_path}/keep/ && "
    back = f" && cp -a {tmp_path}/keep/* /dev/" if mount.endswith("/dev") else ""
    script = f"{save}{mount}{back} && {sys.executable} {tmp_path}/run.py"
    found = subprocess.run(["unshare", "-m", "bash", "-c", script], capture_output=True, text=True, check=False)
    assert found.stdout.splitlines() == ["no semaphores", "['a', 'b']"], found.stderr


def test_no_process_can_be_started(monkeypatch):
    """As under a limit of processes."""

    def refused(self: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.get_context("spawn").Process, "start", refused)
    with pytest.raises(MachineError, match=r"EAGAIN \(.*\) at a new process"):
        list(outcomes(told, ["a"], 1))
