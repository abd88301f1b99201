"""Who runs the workflow into an output folder: a file a run beside Snakemake's locks, which tells dead from live ones.

Snakemake's own locks name files and nobody: one that a kill left behind looks like that of a run at work. A run writes
its own file before it looks for those of others, so that of two that start at the same time none overlooks the other.
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from brainpid.core.errors import MachineError
from brainpid.core.files import write_text

FOLDER = "running"
PARENT = "BRAINPID_PARENT"
"""Variable of the environment: the process that started Snakemake and ends it when it ends itself."""


class State(Enum):
    """What is known of a run."""

    AT_WORK = "at work"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Process:
    """A process of some machine, as nobody else can be mistaken for it.

    Attributes
    ----------
    host, boot, space : str
        Name of the machine, when it was started, and the space of its numbers of processes (a container has its own).
    pid, start : int
        Number of the process, and when it began, in ticks of the machine's clock: numbers are used again.
    """

    host: str
    boot: str
    space: str
    pid: int
    start: int

    @classmethod
    def of(cls, pid: int) -> Process:
        """A process of this machine; one that has ended has the start 0."""
        return cls(socket.gethostname(), _boot(), _space(), pid, _start(pid))

    @property
    def state(self) -> State:
        """Whether it is at work, as far as this machine can tell."""
        if self.host != socket.gethostname():
            return State.UNKNOWN
        if self.boot != _boot():
            return State.ENDED
        if self.space != _space():
            return State.UNKNOWN
        return State.AT_WORK if self.start and self.start == _start(self.pid) else State.ENDED


@dataclass(frozen=True)
class Owner:
    """A run: its process, the one that started it if that ends it with itself, and since when."""

    process: Process
    parent: Process | None
    since: str

    @classmethod
    def this_process(cls) -> Owner:
        """The run that this process is."""
        parent = os.environ.get(PARENT, "")
        return cls(
            Process.of(os.getpid()),
            Process.of(int(parent)) if parent.isdecimal() else None,
            datetime.now(UTC).isoformat(timespec="seconds"),
        )

    @property
    def is_ending(self) -> bool:
        """Whether it is at work, and who started it is not, so that it will end soon."""
        own, parent = self.process.state, self.parent and self.parent.state
        return own is State.AT_WORK and parent is State.ENDED

    def write(self, records: Path) -> Path:
        """Leave its file in the folder of Snakemake's records; the file's path."""
        path = records / FOLDER / f"{self.process.pid}_{self.process.start}.json"
        write_text(path, json.dumps(asdict(self), indent=2, sort_keys=True) + "\n")
        return path


def read_owners(records: Path) -> dict[Path, Owner]:
    """Runs that left a file in the folder of Snakemake's records, by file; one that tells nothing is left out."""
    found = {}
    for path in sorted((records / FOLDER).glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            parent = content["parent"]
            found[path] = Owner(
                Process(**content["process"]), Process(**parent) if parent else None, str(content["since"])
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            continue
    return found


def clear_ended(records: Path, own: Path, folder: str) -> bool:
    """Take away the files of runs that have ended, and say whether there were any; raise where another is at work.

    Parameters
    ----------
    records : path
        The folder of Snakemake's records.
    own : path
        This run's file.
    folder : str
        The output folder, for messages.

    Raises
    ------
    MachineError
        Where another run is at work, or on another machine.
    """
    others = {path: owner for path, owner in read_owners(records).items() if path != own}
    for owner in others.values():
        check_ended(owner, folder)
    for path in others:
        path.unlink(missing_ok=True)
    return bool(others)


def check_ended(owner: Owner, folder: str, patience: float = 60.0) -> None:
    """Return once a run has ended, and raise where it has not: at once, unless it is ending.

    Parameters
    ----------
    owner : Owner
    folder : str
        The output folder, for the message.
    patience : float
        Seconds to wait for a run whose starter was killed.

    Raises
    ------
    MachineError
        Where it is at work, or on another machine.
    """
    until = time.monotonic() + patience
    while owner.is_ending and time.monotonic() < until:
        time.sleep(0.2)
    one = owner.process
    if one.state is State.AT_WORK:
        raise MachineError(
            f"{folder}: another run is at work there (process {one.pid} on this machine, since {owner.since}); wait "
            f"until it has ended, or end it with: kill {one.pid}"
        )
    if one.state is State.UNKNOWN:
        raise MachineError(
            f"{folder}: a run on another machine has it locked (process {one.pid} on {one.host}, since {owner.since}), "
            "and whether it is at work cannot be seen from here; if it has ended, remove the lock with --unlock"
        )


def _start(pid: int) -> int:
    """When a process began, in ticks since the machine did; 0 where there is no such process, or a dead one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def _boot() -> str:
    """When the machine was started, as a name."""
    return _one_line("/proc/sys/kernel/random/boot_id")


def _space() -> str:
    """Space of the numbers of processes."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _one_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""
