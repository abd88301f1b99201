"""Command line: ``brainpid VERB``; each verb reads, calls pure functions and writes.

Exit codes: 0 done, 2 bad input or configuration, 3 numerical failure, 1 anything unforeseen.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from importlib import import_module

from brainpid import __version__
from brainpid.core import logs
from brainpid.core.errors import BrainpidError

VERBS = {
    "phantom": "make a synthetic cohort whose true information is known",
    "check": "check a configuration and its inputs, and show who has what; run nothing",
    "participants": "check one cohort's participants table",
    "index": "list the image files of one cohort's people",
    "extract": "extract one modality of one cohort into named features",
    "quality": "flag who stands out in the quality measures of a modality",
    "collect": "merge a cohort's modalities into one feature file",
    "split": "decide who takes part and on which side of every split",
    "train": "train one model on one fold and predict its test people",
    "explain": "ask what one fold's model rests on",
    "final": "train one model on everybody, for people who are not in the study",
    "predict": "predict new people with a saved model, from any subset of its modalities",
    "null": "permute one cohort's target with refitting, for p-values",
    "aggregate": "join all folds into accuracy, predictions and decomposition",
    "pid": "decompose what groups of columns of any table tell about one of its columns",
    "report": "draw the figures and write the report",
}


def main(argv: list[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    args = _parse(argv)
    logs.start()
    try:
        import_module(f"brainpid.commands.{args.verb}").run(args)
    except BrainpidError as error:
        if args.debug:
            raise
        sys.stderr.write(textwrap.fill(f"error: {error}", 120, break_long_words=False, break_on_hyphens=False) + "\n")
        return error.exit_code
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    """Parse the command line; the options of a verb are declared by its own module, which alone is imported."""
    parser = argparse.ArgumentParser(prog="brainpid", description=__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=f"brainpid {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    chosen = next((word for word in argv if not word.startswith("-")), None)
    for verb, summary in VERBS.items():
        subparser = verbs.add_parser(verb, help=summary, description=summary.capitalize() + ".")
        subparser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if verb == chosen:
            import_module(f"brainpid.commands.{verb}").add_arguments(subparser)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
