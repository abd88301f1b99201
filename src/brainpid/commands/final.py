"""Train one model on everybody who takes part, of the training group where there is one, to predict other people."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np

from brainpid.cohort.groups import read_groups
from brainpid.cohort.training_group import training_group
from brainpid.commands.options import read_settings, set_threads
from brainpid.commands.train import add_training_arguments, options_of, write_fitted
from brainpid.config.slices import TrainSettings
from brainpid.core.errors import InputError
from brainpid.core.files import read_own_tsv
from brainpid.core.seeds import derive
from brainpid.features.matrix import read_chosen, read_tables
from brainpid.model.fitting import fit_model
from brainpid.model.harmonised import harmonise
from brainpid.model.registry import MODELS
from brainpid.model.sites import several_sites

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--model", required=True, choices=list(MODELS), help="model to train")
    add_training_arguments(parser)
    parser.add_argument(
        "--share", action="store_true", help="leave out what keeps training people, so that pidreg can be passed on"
    )
    parser.add_argument("--out", required=True, type=Path, help="folder of the model")


def run(args: argparse.Namespace) -> None:
    """Read everybody who takes part, fit, write the model; its accuracy is that of the folds, unless it is shared."""
    settings = read_settings(args, TrainSettings.of_model(args.model))
    if args.share and args.model != "pidreg":
        raise InputError(f"--share: the file of '{args.model}' keeps training people; expected --model pidreg")
    people = read_own_tsv(args.participants)
    people = training_group(people[people["included"]]).reset_index(drop=True)
    tables = read_tables(args.features, people, read_chosen(args.chosen, settings.modalities))
    set_threads(args.threads, MODELS[args.model].packages)
    everybody = np.ones(len(people), dtype=bool)
    tables, harmoniser = harmonise(settings.harmonise, tables, people, everybody)
    if harmoniser is not None:
        harmoniser.save(args.out)
    fitted = fit_model(
        args.model,
        options_of(args, settings) | ({"share": True} if args.share else {}),
        tables,
        people["age"].to_numpy(dtype=float),
        read_groups(args.sheets, people, settings.group),
        derive(settings.seed, "final"),
        several_sites(people, everybody),
    )
    if args.share:
        log.info("the model can be passed on; those of the folds, whose accuracy is reported, may have more in them")
    write_fitted(args.out, args, settings, fitted, __name__, {"share": args.share})
