"""Train one model on everybody who takes part, to predict people who do not."""

from __future__ import annotations

import argparse
from pathlib import Path

from brainpid.commands.options import read_settings
from brainpid.commands.train import add_training_arguments, fit, write_fitted
from brainpid.config.slices import TrainSettings
from brainpid.core.files import read_own_tsv
from brainpid.core.seeds import fold_seed
from brainpid.features.matrix import read_chosen, read_tables
from brainpid.model.registry import MODELS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--model", required=True, choices=list(MODELS), help="model to train")
    add_training_arguments(parser)
    parser.add_argument("--out", required=True, type=Path, help="folder of the model")


def run(args: argparse.Namespace) -> None:
    """Read everybody who takes part, fit, write the model; its accuracy is that of the folds."""
    settings = read_settings(args, TrainSettings)
    people = read_own_tsv(args.participants)
    people = people[people["included"]].reset_index(drop=True)
    tables = read_tables(args.features, people, read_chosen(args.chosen, settings.modalities))
    fitted = fit(args, settings, tables, people, fold_seed(settings.seed, "final"))
    write_fitted(args, settings, fitted, __name__, {})
