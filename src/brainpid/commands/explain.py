"""Ask what one fold's model rests on, by permuting features among the fold's test people."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np

from brainpid.cohort.training_group import OTHER
from brainpid.commands.options import add_settings, add_threads, read_settings, set_threads
from brainpid.config.slices import ExplainSettings
from brainpid.core.files import write_tsv
from brainpid.core.seeds import derive
from brainpid.evaluation.correlated import correlated_groups
from brainpid.evaluation.importance import MOST_PEOPLE, Columns, importances
from brainpid.features.matrix import read_chosen, read_descriptions, read_roles, read_tables
from brainpid.model.harmonised import Harmoniser
from brainpid.model.registry import MODELS
from brainpid.model.sites import several_sites

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--model", required=True, choices=list(MODELS), help="model that was trained")
    parser.add_argument("--folder", required=True, type=Path, help="folder of the fold's model")
    parser.add_argument("--repeat", required=True, type=int, help="repeat of the splits")
    parser.add_argument("--fold", required=True, type=int, help="fold whose test people are looked at")
    parser.add_argument("--participants", required=True, type=Path, help="participants.tsv from `split`")
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv from `split`")
    parser.add_argument("--features", required=True, nargs="+", type=Path, help="feature file of every cohort")
    parser.add_argument("--chosen", required=True, type=Path, help="features.tsv from `split`: which of them to use")
    add_threads(parser)
    add_settings(parser)
    parser.add_argument("--out", required=True, type=Path, help="table to write")


def run(args: argparse.Namespace) -> None:
    """Read the model and the people of its fold; write the importance of what it uses."""
    settings = read_settings(args, ExplainSettings)
    entry = MODELS[args.model]
    set_threads(args.threads, entry.packages)
    model = entry.load_class().load(args.folder)
    people = read_roles(args.participants, args.splits, args.repeat, args.fold)
    people = people[people["role"] != OTHER].reset_index(drop=True)
    chosen = read_chosen(args.chosen, settings.modalities)
    tables = read_tables(args.features, people, chosen)
    described = read_descriptions(args.features, chosen)
    age = people["age"].to_numpy(dtype=float)
    test = (people["role"] == "test").to_numpy()
    columns = {}
    for modality, table in tables.items():
        regions, none = described[modality].regions, [None] * table.shape[1]
        # Of everybody and without the fold in the seed, so that groups are the same in every fold.
        place = derive(settings.seed, "explain", "groups")
        grouped = none if any(regions) else correlated_groups(table.to_numpy(dtype=float), list(table.columns), place)
        columns[modality] = Columns(
            names=list(table.columns),
            units=described[modality].units,
            regions=regions,
            groups=grouped,
            scale=model.scalers_[modality].scale,
        )
    if test.sum() > MOST_PEOPLE:
        log.info("%d of %d test people are looked at", MOST_PEOPLE, int(test.sum()))
    if harmoniser := Harmoniser.load(args.folder):
        tables = harmoniser.apply(tables, people["site"].tolist(), people["sex"].tolist())
    X = {modality: table[test].to_numpy(dtype=float) for modality, table in tables.items()}
    seed = derive(settings.seed, "explain", args.repeat, args.fold)
    explain = settings.explain
    sites = several_sites(people, test)
    table = importances(model.vary, X, age[test], columns, explain.permutations, explain.features, seed, sites)
    features = table[table["scope"] == "feature"]
    for modality, own in features.groupby("modality", sort=False):
        if (read := int(own["exact"].sum())) < own["exact"].notna().sum():
            log.info(
                "%s: the model is read for the %d of %d features with the largest changes; the others have what its "
                "slopes say", modality, read, len(own),
            )  # fmt: skip
    if (unknown := int(np.isnan(table["importance"]).sum())) > 0:
        log.warning("%d rows have no importance: fewer than two test people have the modality", unknown)
    write_tsv(args.out, table)
