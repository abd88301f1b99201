"""Long work is a bar on a terminal, lines at intervals in a log, and nothing for those who import the package."""

from __future__ import annotations

import io
import logging
import subprocess
import sys

import pytest

from brainpid.core import logs, progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """Let the program log to a stream, and undo it."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setenv("TERM", "xterm")

    def start(stream):
        root.handlers[:] = []
        logs.start(stream)
        return stream

    yield start
    root.handlers[:], level = before
    root.setLevel(level)
    progress.show_on(None)


def test_a_terminal_gets_a_bar_and_lines_above_it(shown):
    terminal = shown(Terminal())
    done = []
    for step in progress.progress(range(3), "training"):
        logging.getLogger("brainpid.somewhere").info("step %d", step)
        assert list(progress.progress("ab", "within")) == ["a", "b"]  # the outer one is shown
        done.append(step)
    assert done == [0, 1, 2]
    text = terminal.getvalue()
    assert "training" in text
    assert "within" not in text
    assert "INFO brainpid.somewhere: step 1\n" in text
    assert not progress.say_above("no bar is left")


def test_a_log_gets_lines_at_intervals(shown, monkeypatch):
    clock = iter([0, 1, 31, 40, 61, 70])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = shown(io.StringIO())
    assert list(progress.progress(iter("abcde"), "permuting", 5)) == list("abcde")
    first, second = stream.getvalue().splitlines()
    assert 'message="permuting: 1 of 5 done, about 2.1 min left" done=1 of=5' in first
    assert 'message="permuting: 3 of 5 done, about 0.7 min left" done=3 of=5' in second


def test_work_that_is_broken_off_leaves_no_bar(shown):
    shown(Terminal())
    work = progress.progress(range(3), "training")
    next(work)
    with pytest.raises(KeyboardInterrupt):
        work.throw(KeyboardInterrupt)
    assert list(progress.progress(range(2), "training")) == [0, 1]
    assert not progress.say_above("no bar is left")


def test_who_imports_the_package_sees_no_progress():
    code = "from brainpid.core.progress import progress; print(list(progress(range(2), 'x')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[0, 1]\n", "")
