"""Check one cohort's participants table and write the sheet that every later step reads."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

from brainpid.cohort.participants import SHEET_COLUMNS, read_participants
from brainpid.commands.options import add_settings, read_settings
from brainpid.config.slices import ParticipantsSettings
from brainpid.core.files import read_header, require_column, write_json, write_tsv
from brainpid.features.between_cohorts import warn_of_target
from brainpid.features.tables import read_units
from brainpid.features.units import UNKNOWN_UNIT

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--cohort", required=True, help="name of the cohort")
    add_settings(parser)
    parser.add_argument("--keep", nargs="*", metavar="COLUMN", help="further columns that are used (default: all)")
    parser.add_argument(
        "--expect",
        type=json.loads,
        default=[],
        metavar="JSON",
        help="list of columns that later steps read in the table",
    )
    parser.add_argument("--out", required=True, type=Path, help="sheet to write (.tsv); its units go to a .json beside")


def run(args: argparse.Namespace) -> None:
    """Read, check, write."""
    settings = read_settings(args, ParticipantsSettings)
    sheet, units = read_participants(args.cohort, settings), read_units(settings.path)
    header = read_header(settings.path) if settings.visits is None else list(sheet)
    for column in args.keep or []:
        require_column(settings.path, header, column, "of splits.group, train_on or divide_by")
    for column in args.expect:
        require_column(settings.path, header, column, "of groups")
    column = settings.columns.target or settings.target.column
    warn_of_target(args.cohort, column, units.get(column, UNKNOWN_UNIT), settings.target.units)
    if args.keep is not None:
        # A column that nothing uses is not kept, so that the sheet stays true where such a column changes.
        own = [*SHEET_COLUMNS, *(column for column in sheet if column in args.keep and column not in SHEET_COLUMNS)]
        sheet, units = sheet[own], {name: unit for name, unit in units.items() if name in args.keep}
    write_json(args.out.with_suffix(".json"), {name: {"Units": unit} for name, unit in units.items()})
    write_tsv(args.out, sheet)
    log.info("%s: %d people, %d without target", args.cohort, len(sheet), int(sheet["age"].isna().sum()))
