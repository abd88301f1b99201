"""How a run of the workflow is shown: a line that changes on a terminal, lines at intervals elsewhere, one ending."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from brainpid.core.workflow_state import Study, step

INTERVAL = 30.0
TAIL = 6
MOST_FAILED = 3
FIELD = re.compile(r'^time=\S+ level=(\S+) .*?message=(?:"((?:[^"\\]|\\.)*)"|(\S+))')


class Display:
    """Shows a run while Snakemake tells of it.

    Parameters
    ----------
    stream : file
        Where it is shown.
    interval : float
        Seconds between two lines where the stream is no terminal.
    announces : bool
        Whether it is shown at the start what there is to do.

    Attributes
    ----------
    study : Study
        The run as far as it was told.
    is_stopping : bool
        Whether the run was told to end, so that jobs that fail are no news.
    """

    def __init__(self, stream: TextIO, interval: float = INTERVAL, announces: bool = True) -> None:
        self.study = Study()
        self.is_stopping = False
        self._stream = stream
        self._interval = interval
        self._announces = announces
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._last: tuple[float, str] = (time.monotonic(), "")
        self._threads: list[threading.Thread] = []
        self._failed: set[int] = set()
        self._bar: Any = None
        if stream.isatty():
            self._bar, self._task = _bar(stream)

    def start(self, source: BinaryIO) -> None:
        """Follow what is told in a file of lines, until it ends."""
        if self._bar is not None:
            self._bar.start()
        self._threads = [threading.Thread(target=self._listen, args=(source,), daemon=True)]
        self._threads.append(threading.Thread(target=self._tick, daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Show no more."""
        self._threads[0].join(timeout=5)  # what was told last
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=5)
        if self._bar is not None:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Show a line that stays."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            self._stream.write(f"{text}\n")
            self._stream.flush()

    def _listen(self, source: BinaryIO) -> None:
        for line in source:
            with self._lock:
                before = self.study.counts
                self.study.take(json.loads(line), time.monotonic())
                self._tell_news(self.study.counts is not before)

    def _tell_news(self, planned: bool) -> None:
        """Show at once what should not wait."""
        for warning in self.study.warnings:
            self.say(f"warning: {warning}")
        self.study.warnings.clear()
        if planned and self.study.total and self._announces:
            self.say(f"{self.study.total} steps to do: {counted(self.study)}.")
        for number in () if self.is_stopping else self.study.failed.keys() - self._failed:
            self.say(f"failed: {self.study.failed[number]}; the other steps go on")
        self._failed = set(self.study.failed)

    def _tick(self) -> None:
        while not self._ended.wait(0.25):
            now = time.monotonic()
            with self._lock:
                if self._bar is not None:
                    self._show(now)
                elif now - self._last[0] >= self._interval:
                    line = self.study.line(now)
                    if line != self._last[1]:
                        self.say(f"{time.strftime('%H:%M:%S')} {line}")
                    self._last = now, line

    def _show(self, now: float) -> None:
        study = self.study
        if study.counts is None:
            self._bar.update(self._task, what=study.line(now))
        else:
            done = study.done.total()
            far = f"{done} of {study.total} steps"
            self._bar.update(self._task, total=study.total, completed=done, far=far, what=study.told(now))


def _bar(stream: TextIO) -> tuple[Any, Any]:
    """A line with a bar that fits any width."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
    from rich.table import Column

    what = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[far]}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[what]}", markup=False, table_column=what),
        console=Console(file=stream),
        transient=True,
        expand=True,
        refresh_per_second=4,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    return bar, bar.add_task("", total=None, far="", what="")


def counted(study: Study) -> str:
    """Steps that are to be done, with their numbers.

    Examples
    --------
    >>> counted(Study(counts={"split": 1, "train_pidreg": 5, "train_baseline": 5}))
    'splitting people into folds (1), training (10)'
    """
    numbers: dict[str, int] = {}
    for rule, number in (study.counts or {}).items():
        numbers[step(rule)] = numbers.get(step(rule), 0) + number
    return ", ".join(f"{name} ({number})" for name, number in numbers.items())


def failed_ending(study: Study, log: Path | None, again: str) -> str:
    """What is said of a run of which steps failed.

    Parameters
    ----------
    study : Study
    log : path or None
        Snakemake's own output.
    again : str
        The command that goes on with it.
    """
    jobs = list(study.failed.values())
    parts = []
    for job in jobs[:MOST_FAILED]:
        parts.append(f"Failed: {job}.")
        for path in job.log[:1]:
            lines = last_lines(Path(path))
            parts += [f"  the end of {path}:", *(f"    {line}" for line in lines)] if lines else [f"  its log: {path}"]
    if len(jobs) > MOST_FAILED:
        parts.append(f"Failed too: {'; '.join(str(job) for job in jobs[MOST_FAILED:][:20])}.")
    parts.append(f"{study.done.total()} of {study.total} steps are done and kept; what rests on a failed one waits.")
    if log is not None:
        parts.append(f"Snakemake's own output: {log}")
    parts += ["Mend the cause and run the same again; it goes on from there:", f"  {again}"]
    return "\n".join(parts)


def last_lines(path: Path, most: int = TAIL) -> list[str]:
    """The end of a log in lines that fit; of a line for programs, its message. Empty where there is no such file."""
    try:
        with path.open(encoding="utf-8", errors="backslashreplace") as file:
            lines = deque((line for line in file if line.strip()), maxlen=most)
    except OSError:
        return []
    return [part for line in lines for part in textwrap.wrap(_plain(line), 110) or [""]]


def _plain(line: str) -> str:
    """A line of a log as a person reads it.

    Examples
    --------
    >>> _plain('time=2030 level=INFO module=brainpid.a message="three people" n=3')
    'INFO three people'
    """
    found = FIELD.match(line)
    if not found:
        return line.strip()
    level, quoted, bare = found.groups()
    return f"{level} {bare if quoted is None else json.loads(f'{chr(34)}{quoted}{chr(34)}')}"


def planning_error(log: Path) -> str:
    """What Snakemake stopped with before it did anything: the program's own sentence, else the end of what it said."""
    text = log.read_text(encoding="utf-8", errors="backslashreplace")
    if (found := re.search(r"^error: .*(?:\n(?!\n).+)*", text, re.MULTILINE)) is not None:
        return found.group(0)
    text = text.rpartition("Building DAG of jobs...\n")[2]  # what stands before it is of no fault
    lines = [line for line in text.splitlines() if line.strip()]
    return "error: Snakemake stopped before it did anything:\n" + "\n".join(f"  {line}" for line in lines[-12:])


def command_again(words: list[str]) -> str:
    """A command as one types it."""
    return f"brainpid {shlex.join(words)}"
