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
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NamedTuple

from brainpid.commands.run_bids import BidsCall, bids_call, extract_named, prepare
from brainpid.config.schema import parse_config
from brainpid.config.yaml_files import read_yaml
from brainpid.core.environment import take_out_shadows
from brainpid.core.errors import InputError, MachineError, NumericalError
from brainpid.core.machine import of_errno
from brainpid.core.project import snakefile
from brainpid.core.run_display import Display, command_again, counted, failed_ending, planning_error
from brainpid.core.run_owner import PARENT
from brainpid.core.workflow_events import EVENTS
from brainpid.core.workflow_state import Study

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OF_EXECUTION = frozenset(
    {
        "--resources", "--set-resources", "--default-resources", "--set-threads", "--max-threads", "--cores", "-c",
        "--jobs", "-j", "--local-cores", "--profile", "--workflow-profile", "--executor", "-e", "--retries", "-T",
        "--latency-wait", "-w", "--forceall", "-F", "--force", "-f", "--forcerun", "-R", "--until", "-U", "--omit-from",
        "-O", "--keep-going", "-k", "--rerun-incomplete", "--rerun-triggers", "--config", "-C", "--scheduler",
    }
)  # fmt: skip
"""Options of Snakemake that change what is run and how, and not what it says: with others its own output is shown."""
EXIT_CODES = (InputError.exit_code, NumericalError.exit_code)
PLANNING = frozenset({"-n", "--dry-run", "--dryrun"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.usage = (
        "brainpid run [--cores N] [--verbose] CONFIG [options of Snakemake]\n"
        "       brainpid run BIDS_DIR OUT participant|group [--participant-label LABEL ...] [--cores N]"
    )
    parser.description = (
        "Run the whole workflow of a configuration, show how far it is, and say what came of it. What is done already "
        "and still fits is not done again: after a stop or a failure, run the same again. The second form is that of "
        "a BIDS App: a configuration of what BIDS_DIR holds is written into OUT, unless one is there, and run."
    )
    parser.add_argument("config", metavar="CONFIG", type=Path, help="configuration (.yaml)")
    parser.add_argument("--cores", help="CPUs to use (default: those that this process may use)")
    parser.add_argument("--verbose", action="store_true", help="show Snakemake's own output")
    parser.add_argument(
        "further",
        nargs=argparse.REMAINDER,
        help="options of Snakemake after CONFIG: -n shows what would be run; with those that make it print, such as "
        "--summary, its own output is shown",
    )


def run(args: argparse.Namespace) -> int:
    """Start Snakemake on the project's workflow, show it, pass signals on to it, and say what came of it.

    Returns
    -------
    int
        0 where all is done, 2 or 3 where the configuration or the input is refused before the start, 128 and the
        number of a signal where one ended it, else 1.
    """
    if (call := bids_call(args.config, args.further, args.cores)) is not None:
        return _run_bids(call, args)
    verbose = args.verbose or "--verbose" in args.further
    further = [word for word in args.further if word != "--verbose"]
    again = ["run", str(args.config), *(["--cores", args.cores] if args.cores else []), *further]
    if not args.config.is_file():
        raise InputError(f"{args.config}: the configuration does not exist; expected a .yaml file")
    return start(args.config, args.cores, further, again, shown=not verbose)


def _run_bids(call: BidsCall, args: argparse.Namespace) -> int:
    """Run one level of a BIDS App."""
    if call.level == "group" and call.labels:
        raise InputError(
            "--participant-label: expected at the level participant; the group is everybody in the participants tables"
        )
    config = prepare(call)
    if call.level == "participant":
        if not (workers := call.cores or str(allowed_cpus())).isdecimal() or not int(workers):
            raise InputError(f"--cores: expected a whole number from 1 on, found '{workers}'")
        return extract_named(call, config, int(workers))
    shown = not args.verbose and "--verbose" not in call.further
    again = ["run", str(args.config), *args.further]
    return start(config, call.cores, [word for word in call.further if word != "--verbose"], again, shown)


def start(config: Path, cores: str | None, further: list[str], again: list[str], shown: bool = True) -> int:
    """Run the workflow of a configuration.

    Parameters
    ----------
    config : path
    cores : str or None
        CPUs; None for those that this process may use.
    further : list of str
        Options and targets for Snakemake.
    again : list of str
        Words of the command line that goes on with a run that stopped.
    shown : bool
        Whether its progress is shown in place of Snakemake's output, where `further` allows it.

    Returns
    -------
    int
        As of `run`.
    """
    environment, sentences = environment_of(os.environ)
    for sentence in sentences:
        sys.stderr.write(f"warning: {sentence}\n")
    command = [
        *(sys.executable, "-m", "snakemake"),
        *("--snakefile", str(snakefile())),
        *("--cores", cores or str(allowed_cpus())),
        *further,
        *("--configfile", str(config)),
    ]
    environment[PARENT] = str(os.getpid())
    options = {word.partition("=")[0] for word in further if word.startswith("-")}
    if not shown or options - OF_EXECUTION - PLANNING:
        code = _wait(command, environment)
        return code if code in (0, *EXIT_CODES) else 1
    if options & PLANNING:
        with tempfile.TemporaryDirectory(prefix="brainpid-") as folder:
            return _show(command, environment, config, Path(folder, "plan.log"), again, plan=True)
    parsed = parse_config(read_yaml(config), str(config))
    log = Path(parsed.output_dir, "logs", "run", f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}_{os.getpid()}.log")
    return _show(command, environment, config, log, again)


def _show(
    command: list[str], environment: dict[str, str], config: Path, log: Path, again: list[str], plan: bool = False
) -> int:
    """Run Snakemake with its output in a log, show how far it is, and say how it ended."""
    display = Display(sys.stderr, announces=not plan)
    if not plan:
        display.say(f"Snakemake's own output goes to {log}")
    received: list[int] = []
    ours, theirs = os.pipe()
    environment[EVENTS] = str(theirs)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output, os.fdopen(ours, "rb") as source:
            code = _wait(command, environment, Shown(display, source, output, theirs, received))
    except OSError as fault:
        raise of_errno(fault.errno or 0, log) from fault
    study = display.study
    if received:
        name = signal.Signals(received[0]).name
        how = "by Ctrl-C" if received[0] == signal.SIGINT else f"by the signal {name}"
        far = f" after {study.done.total()} of {study.total} steps" if study.counts else ""
        sys.stderr.write(
            f"Stopped {how}{far}. What is done is kept and nothing is half-written; the same command goes on "
            f"from here: {command_again(again)}\n"
        )
        return 128 + received[0]
    if code == 0:
        _say_done(study, config, plan)
        return 0
    if study.failed:
        sys.stderr.write(failed_ending(study, None if plan else log, command_again(again)) + "\n")
    else:
        sys.stderr.write(planning_error(log) + "\n")
    return code if code in EXIT_CODES else 1


def _say_done(study: Study, config: Path, plan: bool) -> None:
    """Say what came of a run that did all that it was to do."""
    if plan:
        what = f"{study.total} steps would be run: {counted(study)}." if study.counts else "Everything is done already."
        sys.stdout.write(f"{what}\n")
        return
    sys.stderr.write(f"Done: {study.total} steps.\n" if study.counts else "Everything is done already.\n")
    report = Path(study.output_dir, "report.html")
    if report.is_file() and (study.whole or study.counts is None):
        from brainpid.commands.summary import say

        say(config, study.output_dir)


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


class Shown(NamedTuple):
    """How a command is followed.

    Attributes
    ----------
    display : Display
    source : file
        What the command tells.
    output : file
        Where its output goes.
    tells_to : int
        Number of the open file at the other end of `source`, which is closed here.
    received : list of int
        Signals that came, in order; filled while it runs.
    """

    display: Display
    source: BinaryIO
    output: BinaryIO
    tells_to: int
    received: list[int]


def _wait(command: list[str], environment: Mapping[str, str], shown: Shown | None = None) -> int:
    """Run a command in a group of processes of its own, and give its exit code.

    A terminal sends an interrupt to all processes in front of it; passed on as well it would be a second one, after
    which Snakemake does not tidy up. It does not know that a terminal can hang up, and is told to end.
    """

    def pass_on(number: int, frame: FrameType | None) -> None:
        if shown is not None:
            if not shown.received:
                shown.display.is_stopping = True
                shown.display.say("Stopping: jobs at work are ended, and what is done is kept.")
            shown.received.append(number)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM if number == signal.SIGHUP else number)

    if shown is None:
        child = subprocess.Popen(command, env=environment, process_group=0)
    else:
        child = subprocess.Popen(
            command,
            env=environment,
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=shown.output,
            stderr=subprocess.STDOUT,
            pass_fds=[shown.tells_to],
        )
        os.close(shown.tells_to)
    with child:
        # Who was started by nohup is not to hear of a terminal that hangs up.
        heard = [one for one in PASSED_ON if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN]
        before = {number: signal.signal(number, pass_on) for number in heard}
        if shown is not None:
            shown.display.start(shown.source)
        try:
            return child.wait()
        finally:
            if shown is not None:
                shown.display.stop()
            for number, handler in before.items():
                signal.signal(number, handler)
