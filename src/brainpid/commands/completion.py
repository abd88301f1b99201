"""Print what makes a shell complete verbs, options and files.

The text is made once and is the shell's own: nothing of this program is started where somebody presses Tab.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import shtab


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "shell",
        choices=shtab.SUPPORTED_SHELLS,
        help='the shell; for bash, add the line `eval "$(brainpid completion bash)"` to ~/.bashrc, or keep what is '
        "printed in ~/.local/share/bash-completion/completions/brainpid; for zsh, as _brainpid in a folder of $fpath",
    )


def run(args: argparse.Namespace) -> None:
    """Print; the command line hands down the parser of all verbs, which lies above this room."""
    parser: argparse.ArgumentParser = args.whole_parser()
    for action in _actions(parser):
        if action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    sys.stdout.write(shtab.complete(parser, args.shell) + "\n")


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All options and operands of a parser and of its verbs."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for verb in dict.fromkeys(action.choices.values()):
                yield from _actions(verb)
