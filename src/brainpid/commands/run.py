"""Run the whole workflow of a configuration: Snakemake, in an environment in which it works."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

from brainpid.core.environment import take_out_shadows
from brainpid.core.errors import InputError, MachineError
from brainpid.core.project import snakefile

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("config", type=Path, help="configuration (.yaml)")
    parser.add_argument("--cores", help="CPUs to use (default: those that this process may use)")
    parser.add_argument("further", nargs=argparse.REMAINDER, help="further options of Snakemake, such as -n")


def run(args: argparse.Namespace) -> int:
    """Start Snakemake on the project's workflow, pass signals on to it, and give 0 where all is done, else 1."""
    if not args.config.is_file():
        raise InputError(f"{args.config}: the configuration does not exist; expected a .yaml file")
    environment, sentences = environment_of(os.environ)
    for sentence in sentences:
        sys.stderr.write(f"warning: {sentence}\n")
    command = [
        *(sys.executable, "-m", "snakemake"),
        *("--snakefile", str(snakefile())),
        *("--cores", args.cores or str(allowed_cpus())),
        *args.further,
        *("--configfile", str(args.config)),
    ]
    return 0 if _wait(command, environment) == 0 else 1


def environment_of(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Environment for Snakemake, and a sentence about each thing that differs from the given one.

    Other versions of its libraries are taken out of PYTHONPATH. Snakemake keeps sources in a cache in the home folder
    and stops where it cannot; it gets one among the temporary files then.
    """
    environment = dict(given)
    sentences = take_out_shadows(environment)
    home = given.get("HOME") or os.path.expanduser("~")  # which stays "~" where nobody knows the user
    if not given.get("XDG_CACHE_HOME") and not _can_be_made(Path(home, ".cache", "snakemake")):
        folder = Path(tempfile.gettempdir()) / f"brainpid-cache-{os.getuid()}"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as fault:
            raise MachineError(f"{folder}: {fault.strerror}; set XDG_CACHE_HOME to a folder for a cache") from fault
        if folder.stat().st_uid != os.getuid():
            raise MachineError(f"{folder} belongs to somebody else; set XDG_CACHE_HOME to a folder for a cache")
        environment["XDG_CACHE_HOME"] = str(folder)
        sentences.append(f"{home} cannot be written into; Snakemake's cache is in {folder} (XDG_CACHE_HOME)")
    return environment, sentences


def _can_be_made(folder: Path) -> bool:
    """Whether a folder is there, or can be made, and can be written into."""
    if not folder.is_absolute():
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def allowed_cpus() -> int:
    """CPUs that this process may use: those it is bound to, and no more than the quota of its control group."""
    bound = len(os.sched_getaffinity(0))
    quotas = [quota for quota in map(_quota, _control_groups()) if quota is not None]
    return max(1, min([bound, *(int(quota) for quota in quotas)]))


def _control_groups() -> list[Path]:
    """Folders of this process's control group and of those around it."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders: list[Path] = []
    for line in lines:
        _, kinds, name = line.split(":", 2)
        if kinds in ("", "cpu", "cpu,cpuacct", "cpuacct,cpu"):
            top = Path("/sys/fs/cgroup") / ("cpu" if kinds else "")
            own = top / name.lstrip("/")
            folders += [folder for folder in (own, *own.parents) if folder.is_relative_to(top)]
    return folders


def _quota(folder: Path) -> float | None:
    """CPUs that a control group may use; None where it has no limit."""
    for files in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            limit, period = " ".join((folder / file).read_text(encoding="ascii") for file in files).split()
        except (OSError, ValueError):
            continue
        return int(limit) / int(period) if limit.isdecimal() and int(period) else None
    return None


def _wait(command: list[str], environment: Mapping[str, str]) -> int:
    """Run a command in a group of processes of its own, and give its exit code.

    A terminal sends an interrupt to all processes in front of it; passed on as well it would be a second one, after
    which Snakemake does not tidy up. It does not know that a terminal can hang up, and is told to end.
    """

    def pass_on(number: int, frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM if number == signal.SIGHUP else number)

    with subprocess.Popen(command, env=environment, process_group=0) as child:
        before = {number: signal.signal(number, pass_on) for number in PASSED_ON}
        try:
            return child.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
