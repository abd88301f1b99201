"""How much memory the jobs of one machine may take together: the smallest of the limits that hold for this process.

A kernel kills what goes over a limit of its cgroup, and on a cluster the allocation of a job is such a limit. Which
levels of a hierarchy have one differs from site to site, so that every level counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MB = 10**6
MIB = 2**20
FITTING_MB = 2000
"""What a job asks for that fits a model, or asks it or its null."""
OTHER_JOBS_MB = 500
"""What a job counts as whose rule does not say; they take 100 to 400 MB."""


@dataclass(frozen=True)
class MemoryBudget:
    """What jobs may take together.

    Attributes
    ----------
    mb : int
        In MB of 10^6 bytes, as Snakemake counts them.
    origin : str
        Which limit it is, for people.
    """

    mb: int
    origin: str

    def sentence(self) -> str:
        """One line for the start of a run."""
        size = f"{self.mb / 1000:.0f} GB" if self.mb >= 10_000 else f"{self.mb / 1000:.1f} GB"
        return f"memory: jobs may ask for {size} together ({self.origin}); --resources mem_mb=... for another"


def memory_budget(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> MemoryBudget:
    """Memory for all jobs that run on this machine at a time.

    The smallest of the limit of the cgroup, the allocation of Slurm, and the memory that nothing else takes at this
    time. Not the whole memory of the machine: on a login node, or beside another run, much of that is not to be had.

    Parameters
    ----------
    root : path
        Where ``proc`` and the cgroups are.
    environment : mapping of str to str
    """
    limits = list(_cgroup_limits(root))
    found = [(min(limits), "limit of the cgroup")] if limits else []
    if (allocated := slurm_allocation(environment)) is not None:
        found.append((allocated, "allocation of Slurm"))
    found.append(_machine(root))
    size, origin = min(found)
    return MemoryBudget(max(1, size // MB), origin)


def slurm_allocation(environment: Mapping[str, str]) -> int | None:
    """Bytes that Slurm has given to a job on this node; None outside of one, or where it set no limit.

    Slurm writes the one of three variables that the job was asked with, in MiB; 0 is all that the node has.
    """
    each = {
        "SLURM_MEM_PER_NODE": 1,
        "SLURM_MEM_PER_CPU": _count(environment, "SLURM_CPUS_ON_NODE", "SLURM_JOB_CPUS_PER_NODE"),
        "SLURM_MEM_PER_GPU": _count(environment, "SLURM_GPUS_ON_NODE", "SLURM_GPUS"),
    }
    sizes = [_count(environment, name) * number * MIB for name, number in each.items()]
    return min((size for size in sizes if size > 0), default=None)


def _count(environment: Mapping[str, str], *names: str) -> int:
    """First number of the first of some variables that has one, such as 4 of ``4(x2)``; 0 where none has."""
    for name in names:
        if digits := re.match(r"\d+", environment.get(name, "").strip()):
            return int(digits.group())
    return 0


def _machine(root: Path) -> tuple[int, str]:
    """Bytes that can be taken without swapping, or where the kernel does not say so, those that there are."""
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
        sizes = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
        if "MemAvailable" in sizes:
            return sizes["MemAvailable"], "memory of this machine that is free now"
        return sizes["MemTotal"], "memory of this machine"
    except (OSError, ValueError, IndexError, KeyError):  # as on a system without /proc
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), "memory of this machine"


def _cgroup_limits(root: Path) -> Iterator[int]:
    """Limits in bytes of this process's cgroup and of all that hold it, of both versions."""
    for group, folder, top in _cgroup_places(root):
        # The group as it is seen from here: in a container, what is mounted may be a part of the host's hierarchy,
        # and the group may lie outside of what is mounted.
        place = PurePosixPath(group)
        inside = place.relative_to(top) if place.is_relative_to(top) else PurePosixPath()
        for level in [folder / inside, *(folder / parent for parent in inside.parents)]:
            for file in ("memory.max", "memory.high", "memory.limit_in_bytes"):
                try:
                    text = (level / file).read_text(encoding="ascii").strip()
                except (OSError, UnicodeDecodeError):
                    continue
                if text.isdigit():  # else "max"
                    yield int(text)


def _cgroup_places(root: Path) -> Iterator[tuple[str, Path, str]]:
    """Group of this process, folder where its hierarchy is mounted, and which part of the hierarchy that is."""
    try:
        groups = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        mounts = (root / "proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    own = {}
    for line in groups:
        _, controllers, group = line.split(":", 2)
        if not controllers or "memory" in controllers.split(","):
            own["cgroup" if controllers else "cgroup2"] = group
    for line in mounts:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 5 or len(kinds) < 3 or kinds[0] not in own:
            continue
        if kinds[0] == "cgroup" and "memory" not in kinds[2].split(","):
            continue
        yield own[kinds[0]], root / fields[4].lstrip("/"), fields[3]
