"""Tell what harmonisation costs or brings in this study, by the cheap model in the same folds both ways."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from brainpid.cohort.groups import read_groups
from brainpid.cohort.schemes import BY_SITE, of_scheme
from brainpid.cohort.training_group import training_group
from brainpid.commands.options import add_settings, add_threads, read_settings, set_threads
from brainpid.config.analysis import schemes_of
from brainpid.config.harmonisation_slice import HarmonisationSettings
from brainpid.core.errors import InputError
from brainpid.core.files import read_own_tsv, write_tsv
from brainpid.evaluation.harmonisation_cost import READER, CostStudy, Folds, cost_of_scheme
from brainpid.features.matrix import read_chosen, read_tables
from brainpid.model.registry import MODELS

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--participants", required=True, type=Path, help="participants.tsv from `split`")
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv from `split`")
    parser.add_argument("--features", required=True, nargs="+", type=Path, help="feature file of every cohort")
    parser.add_argument("--chosen", required=True, type=Path, help="features.tsv from `split`: which of them to use")
    parser.add_argument("--sheets", nargs="*", default=[], type=Path, help="sheets with the column of the groups")
    add_threads(parser)
    add_settings(parser)
    parser.add_argument("--out", required=True, type=Path, help="table to write")


def run(args: argparse.Namespace) -> None:
    """Read people and features; fit both ways in the folds of each scheme's first repeat; write the differences."""
    settings = read_settings(args, HarmonisationSettings)
    if not settings.harmonise.used:
        raise InputError("harmonise.method: 'none' changes nothing; expected location or location_scale")
    set_threads(args.threads, MODELS[READER].packages)
    people = read_own_tsv(args.participants)
    people = training_group(people[people["included"].astype(bool)]).reset_index(drop=True)
    study = CostStudy(
        people,
        read_tables(args.features, people, read_chosen(args.chosen, settings.modalities)),
        read_groups(args.sheets, people, settings.group),
        settings.harmonise,
        dict(settings.hyperparameters),
        settings.seed,
    )
    splits = read_own_tsv(args.splits)
    tables = [
        cost_of_scheme(study, scheme, _folds(people, of_scheme(splits, scheme), scheme), settings.confidence)
        for scheme in schemes_of(settings.scheme)
    ]
    table = pd.concat(tables, ignore_index=True)
    for row in table.itertuples():
        log.info(
            "%s, %s: %.3f as they are, %.3f harmonised, difference %.3f [%.3f, %.3f]",
            row.scheme, row.quantity, row.as_they_are, row.harmonised, row.difference, row.ci_low, row.ci_high,
        )  # fmt: skip
    write_tsv(args.out, table)


def _folds(people: pd.DataFrame, splits: pd.DataFrame, scheme: str) -> Folds:
    """Folds of a scheme's first repeat in which somebody is tested, with the role of each person."""
    index = pd.MultiIndex.from_frame(people[["cohort", "participant_id"]])
    first = splits[splits["repeat"] == splits["repeat"].min()]
    found = []
    for (repeat, fold), own in first.groupby(["repeat", "fold"], sort=True):
        role = own.set_index(["cohort", "participant_id"])["role"].reindex(index).fillna("").to_numpy(dtype=str)
        if (role == "test").any():
            found.append((int(repeat), int(fold), np.asarray(role), scheme == BY_SITE))
    return found
