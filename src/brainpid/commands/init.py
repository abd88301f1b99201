"""Look at a folder of data and write a configuration of what it holds, with comments wherever there is a choice."""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from brainpid.config.schema import parse_config
from brainpid.core.errors import InputError
from brainpid.core.files import write_text
from brainpid.features.draft import draft
from brainpid.features.recognisers import RECOGNISERS
from brainpid.features.survey import CohortFound, survey

ENDINGS = (".yaml", ".yml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.description = (
        "Look at a folder and write a configuration of what it holds, with comments wherever there is a choice. "
        "Looked for: " + "; ".join(one.looks_for for one in RECOGNISERS) + "."
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a dataset, or a folder that holds several")
    parser.add_argument("--out", type=Path, help="file to write (default: FOLDER's name with .yaml, in this folder)")
    parser.add_argument("--participants", type=Path, help="table of the people, where it is not in FOLDER or above it")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")


def run(args: argparse.Namespace) -> None:
    """Survey the folder, write the configuration, and say what was found and what comes next."""
    name = args.folder.resolve().name or "study"
    out = args.out or Path(f"{name}.yaml")
    if out.suffix not in ENDINGS:
        raise InputError(f"--out: expected a file with the ending {ENDINGS[0]}, found '{out}'")
    if out.exists() and not args.force:
        raise InputError(f"{out}: the file is there already; --force writes over it, --out names another")
    logging.getLogger("brainpid").setLevel(logging.ERROR)  # `check` warns of the same
    cohorts = survey(args.folder, args.participants)
    output_dir = f"results/{out.stem}"
    text = draft(cohorts, name, shlex.quote(str(out)), output_dir)
    parse_config(yaml.safe_load(text), str(out))  # before anybody else says that it is none
    write_text(out, text)
    Console(markup=False, emoji=False).print(_overview(cohorts))
    told = shlex.quote(str(out))
    sys.stdout.write(
        f"Written to {out}: read it, and change what its comments offer. Then\n"
        f"  brainpid check --config {told}\n"
        f"  brainpid run {told}\n"
        f"and open {output_dir}/report.html\n"
    )


def _overview(cohorts: list[CohortFound]) -> Table:
    """What was found, for how many people, and what is taken."""
    table = Table("cohort", "modality", "kind", "people", "where")
    for cohort in cohorts:
        n = len(cohort.people.sheet)
        table.add_row(cohort.name, "", "participants", str(n), str(cohort.people.path))
        for modality, offer in cohort.taken.items():
            table.add_row(cohort.name, modality, offer.kind, f"{len(offer.people)} of {n}", str(offer.folder))
        for offer in cohort.others:
            words = f"not used: {offer.why_not}" if offer.why_not else f"instead: {len(offer.people)} of {n}"
            table.add_row(cohort.name, offer.modality, offer.kind, words, str(offer.folder))
        table.add_section()
    return table
