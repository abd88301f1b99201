"""Processes that do one piece of work at a time, so that a process that dies costs no work but the one it had.

Each has a pipe of its own, over which a piece of work goes in and its outcome comes out; there is no queue and hence no
semaphore, for which a machine may have no place (``/dev/shm``). A process that dies is replaced by a fresh one.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from brainpid.core.machine import machine_error

log = logging.getLogger(__name__)

Work = TypeVar("Work")
Outcome = TypeVar("Outcome")

CRASHES = frozenset(
    getattr(signal, name)
    for name in ("SIGSEGV", "SIGABRT", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS")
    if hasattr(signal, name)
)
"""Signals that a process brings upon itself by what it does; any other is sent by the system or by people."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Died:
    """How a process ended that had not finished its work.

    Attributes
    ----------
    exitcode : int
        Negative for a signal.
    peak_mb : float
        Largest memory of any process that has ended so far.
    """

    exitcode: int
    peak_mb: float

    @property
    def crashed(self) -> bool:
        """Whether what it was doing ended it, and not the machine."""
        return self.exitcode >= 0 or -self.exitcode in CRASHES

    def __str__(self) -> str:
        if self.exitcode >= 0:
            return f"exit code {self.exitcode}"
        with suppress(ValueError):
            return f"signal {-self.exitcode}, {signal.Signals(-self.exitcode).name}"
        return f"signal {-self.exitcode}"


def outcomes(
    function: Callable[[Work], Outcome], pieces: Iterable[Work], workers: int, fresh: bool = False
) -> Iterator[tuple[Work, Outcome | Died]]:
    """Do pieces of work in processes; yield each with its outcome as it is ready.

    A piece is asked for when there is a process for it, so that whoever gives them can stop. Who stops to ask for
    outcomes, as after an error, ends the processes.

    Parameters
    ----------
    function : callable
        A module's function that raises nothing.
    pieces : iterable
        What it is called with; like its results, they travel between processes.
    workers : int
        Number of processes.
    fresh : bool
        Whether each piece of work has a process of its own.

    Raises
    ------
    MachineError
        Where no process can be started.
    """
    waiting = iter(pieces)
    working: dict[Any, tuple[_Worker, Work]] = {}
    idle: list[_Worker] = []
    try:
        while True:
            for piece in islice(waiting, max(1, workers) - len(working)):
                worker = idle.pop() if idle else _Worker()
                working[worker.pipe] = worker, piece
                worker.give(function, piece)
            if not working:
                return
            for pipe in wait(list(working)):
                worker, piece = working.pop(pipe)
                found = worker.outcome()
                if isinstance(found, Died) or fresh:
                    worker.stop()
                else:
                    idle.append(worker)
                yield piece, found
    finally:
        for worker in [*idle, *(worker for worker, _ in working.values())]:
            worker.stop()


class _Worker:
    """A process and the end of its pipe on this side."""

    def __init__(self) -> None:
        # A fresh interpreter: a fork would copy the threads' locks of numerical libraries.
        context = multiprocessing.get_context("spawn")
        try:
            self.pipe, other = context.Pipe()
            self.process = context.Process(target=_serve, args=(other, os.getpid()), daemon=True)
            self.process.start()
            other.close()
        except OSError as fault:
            raise (machine_error(fault, "a new process") or fault) from fault

    def give(self, function: Callable[..., Any], piece: object) -> None:
        """Hand out a piece of work; a process that is dead already says so by its pipe."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send((function, piece))

    def outcome(self) -> Any:
        """Result of the piece of work, or how the process died."""
        try:
            return self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            return Died(self.process.exitcode or 0, peak)

    def stop(self) -> None:
        """End the process, at once if it works."""
        self.pipe.close()
        self.process.join(0.2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


def _serve(pipe: Connection, parent: int) -> None:
    """Work until the other end of the pipe is closed."""
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, which sends it to all: the parent ends its workers
    while True:
        try:
            function, piece = pipe.recv()
        except EOFError:
            return
        pipe.send(function(piece))


def _die_with(parent: int) -> None:
    """Ask the system to end this process once its parent is gone; elsewhere it ends after the work that it has."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
