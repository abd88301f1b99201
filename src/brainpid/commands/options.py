"""Options that verbs share: their settings as JSON, which the workflow passes on the command line.

A verb sees its own slice of the configuration and nothing else, so that an unrelated key cannot change its result,
and the line that the workflow runs can be pasted into a terminal as it is.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from brainpid.config.section import SectionT, parse_section
from brainpid.core.errors import InputError
from brainpid.core.rows import DELIMITERS


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--settings``."""
    parser.add_argument("--settings", required=True, help="this verb's settings as JSON, or @FILE to read them from")


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--threads``."""
    parser.add_argument("--threads", type=int, default=1, help="threads of the numerical libraries")


def set_threads(threads: int, packages: Sequence[str]) -> None:
    """Give torch its threads, where it is among the packages that are used; the others read ``OMP_NUM_THREADS``."""
    if "torch" in packages:
        import torch

        torch.set_num_threads(threads)


def read_settings(args: argparse.Namespace, section: type[SectionT]) -> SectionT:
    """Settings of a verb, checked against its section.

    Raises
    ------
    InputError
        Where the text is not JSON or breaks the schema.
    """
    text, origin = args.settings, "--settings"
    if text.startswith("@"):
        origin = text[1:]
        try:
            text = Path(origin).read_text(encoding="utf-8")
        except OSError as fault:
            raise InputError(f"{origin}: cannot be read: {fault.strerror}") from fault
    return parse_json(text, section, origin)


def parse_json(text: str, section: type[SectionT], origin: str) -> SectionT:
    """Settings that stand in a text, checked against their section; `origin` says where, for messages.

    Raises
    ------
    InputError
        Where the text is not JSON or breaks the schema.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as fault:
        raise InputError(f"{origin}: not JSON: {fault}") from fault
    return parse_section(section, content, origin)


def check_out_table(path: Path) -> None:
    """Raise an `InputError` where a table cannot be written to a path, before anything is computed for it."""
    if path.suffix not in DELIMITERS:
        raise InputError(f"--out {path}: expected a table with the ending .tsv or .csv, found '{path.suffix}'")
    if path.is_dir():
        raise InputError(f"--out {path}: expected a file, found a folder")
    _check_writable(path.parent)


def check_out_folder(path: Path) -> None:
    """Raise an `InputError` where files cannot be written into a folder, before anything is computed for it."""
    _check_writable(path)


def _check_writable(folder: Path) -> None:
    """Whether a folder can be written into, or be made."""
    nearest = folder.absolute()
    while not nearest.exists():
        nearest = nearest.parent
    if not nearest.is_dir():
        raise InputError(f"--out: expected a folder, found that {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(f"--out: {nearest} cannot be written into; expected a folder that can")
