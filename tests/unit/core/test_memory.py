"""The smallest limit that holds for a process is found, whatever tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainpid.core.memory import memory_budget, slurm_allocation

GB = 10**9
V1 = "34 30 0:31 {top} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
V2 = "35 30 0:32 {top} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
HYBRID = V1.format(top="/") + "36 30 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
NONE_V1 = "9223372036854771712"


def machine(root: Path, groups: str = "", mounts: str = "", limits: dict[str, object] | None = None) -> Path:
    """A machine of 64 GB of which 40 are free."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text("MemTotal: 62500000 kB\nMemFree: 1000 kB\nMemAvailable: 39062500 kB\n")
    (root / "proc/self/cgroup").write_text(groups)
    (root / "proc/self/mountinfo").write_text("31 23 0:28 / /proc rw - proc proc rw\n" + mounts)
    for file, text in (limits or {}).items():
        path = root / "sys/fs/cgroup" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def test_without_any_limit_it_is_what_the_machine_has_left(tmp_path):
    found = memory_budget(machine(tmp_path), {})
    assert (found.mb, found.origin) == (40_000, "memory of this machine that is free now")
    assert found.sentence() == (
        "memory: jobs may ask for 40 GB together (memory of this machine that is free now); "
        "--resources mem_mb=... for another"
    )


CGROUPS = {
    "v2": ("0::/a/b\n", V2.format(top="/"), {"a/b/memory.max": 6 * GB}),
    "v2, a level above": ("0::/a/b\n", V2.format(top="/"), {"a/b/memory.max": "max", "a/memory.max": 6 * GB}),
    "v2, throttled": ("0::/a\n", V2.format(top="/"), {"a/memory.max": 9 * GB, "a/memory.high": 6 * GB}),
    "v2, in a container": ("0::/\n", V2.format(top="/"), {"memory.max": 6 * GB}),
    "v2, a part is mounted": ("0::/host/c/d\n", V2.format(top="/host/c"), {"d/memory.max": 6 * GB}),
    "v2, of another part": ("0::/../x\n", V2.format(top="/host/c"), {"memory.max": 6 * GB}),
    "v1": ("4:memory:/a/b\n0::/\n", V1.format(top="/"), {"memory/a/b/memory.limit_in_bytes": 6 * GB}),
    "v1, a level above": (
        "5:cpu:/z\n4:hugetlb,memory:/slurm/uid_1/job_2/step_0\n",
        V1.format(top="/"),
        {
            "memory/slurm/uid_1/job_2/step_0/memory.limit_in_bytes": NONE_V1,
            "memory/slurm/uid_1/job_2/memory.limit_in_bytes": 6 * GB,
            "memory/memory.limit_in_bytes": NONE_V1,
        },
    ),
    "v1, docker": ("4:memory:/docker/f\n", V1.format(top="/docker/f"), {"memory/memory.limit_in_bytes": 6 * GB}),
    "both": ("4:memory:/a\n0::/b\n", HYBRID, {"memory/a/memory.limit_in_bytes": 6 * GB}),
}


@pytest.mark.parametrize("name", CGROUPS)
def test_the_limit_of_a_cgroup_is_found_at_every_level(tmp_path, name):
    found = memory_budget(machine(tmp_path, *CGROUPS[name]), {})
    assert (found.mb, found.origin) == (6000, "limit of the cgroup")


def test_a_cgroup_without_limit_is_none(tmp_path):
    limits = {"memory/a/memory.limit_in_bytes": NONE_V1}
    assert memory_budget(machine(tmp_path, "4:memory:/a\n", V1.format(top="/"), limits), {}).mb == 40_000


@pytest.mark.parametrize(
    ("environment", "mib"),
    [
        ({}, None),
        ({"SLURM_MEM_PER_NODE": "8192"}, 8192),
        ({"SLURM_MEM_PER_NODE": "0"}, None),  # --mem=0: all that the node has
        ({"SLURM_MEM_PER_CPU": "2000", "SLURM_CPUS_ON_NODE": "4"}, 8000),
        ({"SLURM_MEM_PER_CPU": "2000", "SLURM_JOB_CPUS_PER_NODE": "4(x2),1"}, 8000),
        ({"SLURM_MEM_PER_GPU": "9000", "SLURM_GPUS_ON_NODE": "2"}, 18000),
        ({"SLURM_MEM_PER_CPU": "2000"}, None),
    ],
)
def test_the_allocation_of_slurm(tmp_path, environment, mib):
    assert slurm_allocation(environment) == (None if mib is None else mib * 2**20)
    found = memory_budget(machine(tmp_path), environment)
    assert found.origin == ("allocation of Slurm" if mib else "memory of this machine that is free now")


def test_a_system_without_proc_has_the_memory_that_it_tells_of(tmp_path):
    found = memory_budget(tmp_path, {})
    assert found.origin == "memory of this machine"
    assert found.mb > 100
