"""Check one cohort's participants table and write the sheet that every later step reads."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from brainpid.cohort.participants import read_participants
from brainpid.commands.options import add_settings, read_settings
from brainpid.config.slices import ParticipantsSettings
from brainpid.core.files import write_json, write_tsv
from brainpid.features.tables import read_units

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--cohort", required=True, help="name of the cohort")
    add_settings(parser)
    parser.add_argument("--out", required=True, type=Path, help="sheet to write (.tsv); its units go to a .json beside")


def run(args: argparse.Namespace) -> None:
    """Read, check, write."""
    settings = read_settings(args, ParticipantsSettings)
    sheet = read_participants(args.cohort, settings)
    write_json(
        args.out.with_suffix(".json"), {name: {"Units": unit} for name, unit in read_units(settings.path).items()}
    )
    write_tsv(args.out, sheet)
    log.info("%s: %d people, %d without target", args.cohort, len(sheet), int(sheet["age"].isna().sum()))
