"""Command line: ``brainpid VERB``; each verb reads, calls pure functions and writes.

Exit codes: 0 done, 2 bad input or configuration, 3 numerical failure, 1 a fault of the machine or anything unforeseen,
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import textwrap
from collections.abc import Callable, Collection, Sequence
from importlib import import_module

from brainpid import __version__
from brainpid.core import logs
from brainpid.core.environment import refuse_shadowing
from brainpid.core.errors import BrainpidError, InputError, MachineError
from brainpid.core.machine import machine_error, name_of

INTERRUPTED = 130  # 128 and the number of the signal, as shells say
ABOUT = "Each verb reads, calls pure functions and writes."
VERBS = {
    "run": "run the whole workflow of a configuration",
    "init": "write a configuration of what a folder holds",
    "demo": "run the demonstration: a synthetic cohort, from its images to a report",
    "phantom": "make a synthetic cohort whose true information is known",
    "check": "check a configuration and its inputs, and show who has what; run nothing",
    "participants": "check one cohort's participants table",
    "index": "list the image files of one cohort's people",
    "extract": "extract one modality of one cohort into named features",
    "quality": "flag who stands out in the quality measures of a modality",
    "collect": "merge a cohort's modalities into one feature file",
    "split": "decide who takes part and on which side of every split",
    "leakage": "look for what makes results too good: people twice, features that are the target, others",
    "train": "train one model on a fold, or on several, and predict its test people",
    "explain": "ask what one fold's model rests on",
    "final": "train one model on everybody, for people who are not in the study",
    "harmonisation": "tell what harmonisation costs or brings, by a cheap model both ways",
    "predict": "predict new people with a saved model, from any subset of its modalities",
    "calibrate": "correct a saved model at new sites by a few of their people",
    "null": "permute one cohort's target with refitting, for p-values",
    "groups": "compare groups of people in brain-PAD",
    "rescore": "read every fold's log scores anew for the reference ages",
    "aggregate": "join all folds into accuracy, predictions and decomposition",
    "pid": "decompose what groups of columns of any table tell about one of its columns",
    "report": "draw the figures and write the report",
    "summary": "say in three sentences what a finished run found",
    "pool": "pool finished runs of sites that cannot share their people",
    "plan": "tell what a finished run is expected to find with more people",
    "completion": "print what makes a shell complete verbs, options and files",
}


STARTERS = ("run", "demo")
"""Verbs that start the others in an environment without what is refused to those."""


def main(argv: list[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    if argv is None and sys.flags.optimize > 1:
        # Libraries that read images work on docstrings while they are imported, and these are gone.
        own = {name: value for name, value in os.environ.items() if name != "PYTHONOPTIMIZE"}
        os.execve(sys.executable, [sys.executable, "-P", "-m", "brainpid.cli", *sys.argv[1:]], own)
    argv = sys.argv[1:] if argv is None else argv
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files hold whatever bytes their makers liked
            stream.reconfigure(errors="backslashreplace")
    try:
        args = _parse(argv)
        logs.start()
        code: int | None = import_module(f"brainpid.commands.{args.verb}").run(args)
    except KeyboardInterrupt:
        if "--debug" in argv:
            raise
        sys.stderr.write("Stopped by Ctrl-C: no file is half-written, and the same command starts the work again.\n")
        return INTERRUPTED
    except (BrainpidError, OSError, MemoryError) as fault:
        error = fault if isinstance(fault, BrainpidError) else _in_words(fault)
        if error is None or "--debug" in argv:
            raise
        sys.stderr.write(textwrap.fill(f"error: {error}", 120, break_long_words=False, break_on_hyphens=False) + "\n")
        return error.exit_code
    return code or 0


def _in_words(fault: OSError | MemoryError) -> BrainpidError | None:
    """What the machine refused, in one sentence; None for an error of a library that is no answer of the system."""
    if isinstance(fault, BrokenPipeError) and fault.filename is None:
        # Nobody listens: not even the interpreter, as it ends, has anything to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return MachineError("the program that the output went to has ended")
    if (found := machine_error(fault)) is not None:
        return found
    if isinstance(fault, OSError) and fault.errno is not None:
        return InputError(f"{fault.filename or 'a file'}: {fault.strerror} ({name_of(fault.errno)})")
    return None


def whole_parser() -> argparse.ArgumentParser:
    """Parser with the options of every verb (imports all verbs)."""
    return _parser(VERBS)


def _parse(argv: list[str]) -> argparse.Namespace:
    """Parse the command line; the options of a verb are declared by its own module, which alone is imported."""
    chosen = next((word for word in argv if not word.startswith("-")), None)
    if chosen in VERBS and chosen not in STARTERS:
        refuse_shadowing()
    return _parser([verb for verb in VERBS if verb == chosen]).parse_args(argv)


def _parser(whole: Collection[str]) -> argparse.ArgumentParser:
    """Parser of the command line, with the options of some verbs."""
    parser = argparse.ArgumentParser(prog="brainpid", description=ABOUT)
    parser.add_argument("--version", action="version", version=f"brainpid {__version__}")
    parser.add_argument("--citation", action=_Told, told=_citation, help="how to cite the program: APA and BibTeX")
    parser.add_argument(
        "--snakefile", action=_Told, told=_snakefile, help="where the workflow lies, for `snakemake --snakefile`"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, summary in VERBS.items():
        subparser = verbs.add_parser(verb, help=summary, description=summary.capitalize() + ".")
        subparser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if verb in whole:
            import_module(f"brainpid.commands.{verb}").add_arguments(subparser)
        if verb == "completion":  # which is of all verbs, and below them
            subparser.set_defaults(whole_parser=whole_parser)
    return parser


class _Told(argparse.Action):
    """An option that prints something and ends, as ``--version`` does; what it prints is made when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, told: Callable[[], str], help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)
        self.told = told

    def __call__(self, parser: argparse.ArgumentParser, *given: object) -> None:
        sys.stdout.write(self.told())
        parser.exit()


def _citation() -> str:
    return str(import_module("brainpid.core.citation").citation_text())


def _snakefile() -> str:
    return f"{import_module('brainpid.core.project').snakefile()}\n"


if __name__ == "__main__":
    sys.exit(main())
