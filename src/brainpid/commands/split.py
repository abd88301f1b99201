"""Decide who and which features take part, and who is on which side of every split."""

from __future__ import annotations

import argparse
from pathlib import Path

from brainpid.cohort.participants import read_sheet
from brainpid.cohort.training_group import in_training_group
from brainpid.commands.options import add_settings, parse_json, read_settings
from brainpid.config.slices import LimitSettings, SplitSettings
from brainpid.core.files import write_tsv
from brainpid.features.block import FeatureBlock
from brainpid.features.chosen import choose_features, of_training_group, without_chosen
from brainpid.features.inclusion import plan
from brainpid.features.matrix import read_notes
from brainpid.features.store import read_cohort, read_features, read_modalities, read_provenance, read_summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--participants", required=True, nargs="+", type=Path, help="sheet of every cohort")
    parser.add_argument("--features", required=True, nargs="+", type=Path, help="feature file of every cohort")
    add_settings(parser)
    parser.add_argument("--limits", help="JSON of what later steps need, to refuse what they would (default: nothing)")
    parser.add_argument(
        "--out-participants", required=True, type=Path, help="table of everybody with status and reason"
    )
    parser.add_argument(
        "--out-features", required=True, type=Path, help="table of all features, and which are left out and why"
    )
    parser.add_argument("--out-splits", required=True, type=Path, help="table of roles by repeat and fold")


def run(args: argparse.Namespace) -> None:
    """Join the cohorts, choose the features, deal the folds, write the tables.

    Values are read only where a person may have none of the features that are chosen, or a part is trained on.
    """
    settings = read_settings(args, SplitSettings)
    sheets = {sheet["cohort"].iloc[0]: sheet for sheet in map(read_sheet, args.participants)}
    paths = {read_cohort(path): path for path in args.features}
    blocks = {
        (cohort, modality): read_summary(path, modality)
        for cohort, path in paths.items()
        for modality in read_modalities(path)
        if modality in settings.modalities
    }
    parts = {cohort: read_provenance(path).get("settings", {}).get("parts", {}) for cohort, path in paths.items()}
    divided = {
        (cohort, modality): part["divided"]
        for cohort, own in parts.items()
        for modality, part in own.items()
        if "divided" in part
    }

    def values_of(cohort: str, modality: str) -> FeatureBlock:
        return read_features(paths[cohort], modality)

    counted = blocks
    if settings.train_on is not None:
        own = in_training_group({cohort: sheets[cohort] for cohort in settings.cohorts}, settings.train_on)
        counted = of_training_group(blocks, own, values_of)
    features = choose_features(counted, settings.modalities, divided)
    features["note"] = read_notes(args.features, features)
    blocks = without_chosen(blocks, features, values_of)
    limits = None if args.limits is None else parse_json(args.limits, LimitSettings, "--limits")
    people, splits = plan(sheets, blocks, settings, limits)
    write_tsv(args.out_features, features)
    write_tsv(args.out_participants, people)
    write_tsv(args.out_splits, splits)
