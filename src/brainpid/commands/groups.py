"""Compare groups of people in brain-PAD, and tell how well people are predicted who are not trained on."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import pandas as pd

from brainpid.cohort.groups import read_cells, read_groups
from brainpid.cohort.participants import read_sheet
from brainpid.cohort.schemes import SCHEME
from brainpid.cohort.training_group import TRAINED
from brainpid.commands.options import add_settings, read_settings
from brainpid.config.designs import column_of
from brainpid.config.slices import GroupsSettings
from brainpid.core.files import read_own_tsv, write_tsv
from brainpid.evaluation.group_tables import KEYS, group_table, others_table

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--aggregate", required=True, type=Path, help="folder with predictions.tsv and person.tsv")
    parser.add_argument("--sheets", nargs="+", required=True, type=Path, help="sheet of every cohort, with the columns")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Read people and predictions, write one line a group and reference, and of a training group one a group."""
    settings = read_settings(args, GroupsSettings)
    persons = read_own_tsv(args.aggregate / "person.tsv")
    sheets = pd.concat([read_sheet(path) for path in args.sheets]).set_index(KEYS)
    own = read_cells(settings.people, settings.alone) if settings.alone else sheets
    cells = {column: (own if column in settings.alone else sheets)[column] for column in settings.compared}
    people = sheets[["sex"]]
    clusters = read_groups(args.sheets, sheets.reset_index()[KEYS], settings.group)
    if clusters is not None:
        people = people.assign(cluster=clusters)
    trained = settings.train_on or {}
    table = group_table(persons, cells, people, trained, confidence=settings.confidence, seed=settings.seed)
    for row in table[table["reason"] != ""].drop_duplicates(["cohort", "column", "group"]).itertuples():
        log.warning("%s: '%s' of %s is not compared with '%s': %s", row.cohort, row.group, row.column, row.reference,
                    row.reason)  # fmt: skip
    write_tsv(args.aggregate / "groups.tsv", table)
    if (column := column_of(settings.train_on)) is None:
        return
    predictions = read_own_tsv(args.aggregate / "predictions.tsv")
    if SCHEME in predictions:
        predictions = predictions[predictions[SCHEME] == predictions[SCHEME].iloc[0]]
    told = [one if TRAINED in one else one.assign(**{TRAINED: True}) for one in (predictions, persons)]
    write_tsv(args.aggregate / "others.tsv", others_table(told[0], told[1], cells[column], settings.confidence))
