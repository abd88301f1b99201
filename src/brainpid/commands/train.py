"""Train one model on the training people of a fold, or of several, and predict its test people."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from brainpid.cohort.groups import read_groups
from brainpid.cohort.schemes import BY_SITE, SCHEME
from brainpid.cohort.training_group import OTHER, TRAIN, TRAINED
from brainpid.commands.options import add_settings, add_threads, read_settings, set_threads
from brainpid.config.slices import TrainSettings
from brainpid.core.errors import InputError
from brainpid.core.files import write_json, write_tsv
from brainpid.core.imports import foreign_code
from brainpid.core.names import DEVICES, WITHOUT_LATENTS
from brainpid.core.provenance import code_digest, record
from brainpid.core.seeds import derive
from brainpid.evaluation.decomposition import PID_COLUMNS, decompose_cohort
from brainpid.evaluation.predictions import GROUP, decomposable, not_decomposable, predict_table, without_rows
from brainpid.features.matrix import read_chosen, read_divisors, read_roles, read_tables
from brainpid.features.pipelines import read_pipelines
from brainpid.model.fitting import Fitted, fit_model
from brainpid.model.harmonised import Harmoniser, harmonise
from brainpid.model.registry import MODELS
from brainpid.model.sites import several_sites
from brainpid.pid.decompose import OUT_OF_FOLD_SE_FACTOR

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--model", required=True, choices=list(MODELS), help="model to train")
    parser.add_argument("--repeat", required=True, type=int, help="repeat of the splits")
    parser.add_argument("--fold", required=True, type=int, nargs="+", help="folds whose test people are predicted")
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv from `split`")
    add_training_arguments(parser)
    parser.add_argument("--out", required=True, type=Path, nargs="+", help="folder of each fold")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every training needs."""
    parser.add_argument("--participants", required=True, type=Path, help="participants.tsv from `split`")
    parser.add_argument("--features", required=True, nargs="+", type=Path, help="feature file of every cohort")
    parser.add_argument("--chosen", required=True, type=Path, help="features.tsv from `split`: which of them to use")
    parser.add_argument("--sheets", nargs="*", default=[], type=Path, help="sheets with the column of the groups")
    parser.add_argument(
        "--device", choices=DEVICES, default="auto", help="where networks are trained (default: a GPU, if there is one)"
    )
    add_threads(parser)
    add_settings(parser)


def options_of(args: argparse.Namespace, settings: TrainSettings) -> dict[str, Any]:
    """Options of the model's class: its hyperparameters, and the device where it has a network of torch."""
    on = {"device": args.device} if "torch" in MODELS[args.model].packages else {}
    return dict(settings.hyperparameters) | on


def run(args: argparse.Namespace) -> None:
    """Train one fold after the other, each from its own people and with its own seed."""
    if len(args.fold) != len(args.out):
        raise InputError(f"--out: expected a folder for each of {len(args.fold)} folds, found {len(args.out)}")
    settings = read_settings(args, TrainSettings.of_model(args.model))
    set_threads(args.threads, MODELS[args.model].packages)
    for fold, folder in zip(args.fold, args.out, strict=True):
        _train_fold(args, settings, fold, folder)


def _train_fold(args: argparse.Namespace, settings: TrainSettings, fold: int, folder: Path) -> None:
    """Read the fold's people and features; fit on the training people; write what the test people give."""
    everybody = read_roles(args.participants, args.splits, args.repeat, fold)
    people = everybody[everybody["role"] != OTHER].reset_index(drop=True)
    tables = read_tables(args.features, people, read_chosen(args.chosen, settings.modalities))
    training = (people["role"] == TRAIN).to_numpy()
    tables, harmoniser = harmonise(settings.harmonise, tables, people, training)
    if harmoniser is not None:
        harmoniser.save(folder)
    fitted = fit_model(
        args.model,
        options_of(args, settings),
        {modality: table[training] for modality, table in tables.items()},
        people.loc[training, "age"].to_numpy(dtype=float),
        read_groups(args.sheets, people[training], settings.group),
        derive(settings.seed, "train", args.repeat, fold),
        several_sites(people, training),
    )
    # What a left-out site tells is told beside its whole cohort, as in other folds, not beside the other sites.
    beside = people if SCHEME in people and people[SCHEME].str.contains(BY_SITE).any() else people[training]
    if TRAINED in everybody:
        others = everybody[everybody["role"] == OTHER].reset_index(drop=True)
        write_tsv(folder / "others.tsv", _predict_others(others, args, settings, fitted, harmoniser, beside, fold))
    if training.all():
        whom = " who is trained on elsewhere" if TRAINED in everybody else ""
        log.warning(
            "repeat %d, fold %d: nobody is tested, because nobody of its site%s takes part", args.repeat, fold, whom
        )
        write_tsv(folder / "predictions.tsv", people.iloc[:0][["participant_id", "cohort"]])
        write_tsv(folder / "pid.tsv", pd.DataFrame(columns=PID_COLUMNS))
        write_fitted(folder, args, settings, fitted, __name__, {"repeat": args.repeat, "fold": fold, "n_test": 0})
        return
    predictions = predict_table(
        fitted.model,
        {modality: table[~training].to_numpy() for modality, table in tables.items()},
        people[~training],
        fitted.biases,
        settings.interval_coverage,
        beside,
    ).assign(model=args.model, repeat=args.repeat, fold=fold)
    write_tsv(folder / "predictions.tsv", predictions)
    groups = read_groups(args.sheets, people[~training], settings.group)
    told = predictions if groups is None else predictions.assign(**{GROUP: groups})
    write_tsv(folder / "pid.tsv", _decompose(told, settings, args.model))
    half_width = float((predictions["pi_high"] - predictions["pi_low"]).mean() / 2)
    own = {"repeat": args.repeat, "fold": fold, "n_test": int((~training).sum())}
    write_fitted(folder, args, settings, fitted, __name__, own | {"mean_interval_half_width": half_width})


def _predict_others(
    others: pd.DataFrame,
    args: argparse.Namespace,
    settings: TrainSettings,
    fitted: Fitted,
    harmoniser: Harmoniser | None,
    beside: pd.DataFrame,
    fold: int,
) -> pd.DataFrame:
    """Predictions of people who are never trained on, with columns as of the people held out."""
    if others.empty:
        return others[["participant_id", "cohort"]]
    tables = read_tables(args.features, others, read_chosen(args.chosen, settings.modalities))
    if harmoniser is not None:
        tables = harmoniser.apply(tables, others["site"].tolist(), others["sex"].tolist())
    values = {modality: table.to_numpy() for modality, table in tables.items()}
    found = predict_table(fitted.model, values, others, fitted.biases, settings.interval_coverage, beside)
    return found.assign(model=args.model, repeat=args.repeat, fold=fold)


def write_fitted(
    folder: Path, args: argparse.Namespace, settings: TrainSettings, fitted: Fitted, stage: str, more: Mapping[str, Any]
) -> None:
    """Write the model, the course of its training, and where it comes from, with all that prediction needs."""
    entry = MODELS[fitted.name]
    fitted.model.save(folder)
    write_tsv(folder / "history.tsv", pd.DataFrame(fitted.model.history() or {"epoch": []}))
    own = foreign_code(settings.hyperparameters.foreign_classes)
    provenance = record(stage, settings.model_dump(mode="json"), (*entry.packages, *own.packages))
    provenance["generated_by"] |= {"model_code": code_digest(entry.module), "own_code": own.digests}
    provenance |= {
        "model": fitted.name,
        "seed": fitted.seed,
        "n_train": fitted.n,
        **fitted.biases.written(),
        "divided": read_divisors(args.features, read_chosen(args.chosen, settings.modalities)),
        "pipelines": read_pipelines(args.features, settings.modalities),
        "chosen": fitted.model.chosen(),
    }
    write_json(folder / "provenance.json", provenance | dict(more))
    slopes = {subset: bias.slope for subset, bias in fitted.biases.known.items()}
    log.info(
        "%s is trained on %d people", fitted.name, fitted.n,
        extra={"model": fitted.name, "n_train": fitted.n, "bias_slopes": slopes} | dict(more),
    )  # fmt: skip


def _decompose(predictions: pd.DataFrame, settings: TrainSettings, model: str) -> pd.DataFrame:
    """Decomposition among one fold's test people with every modality, for each cohort that can be."""
    told = predictions.iloc[:0] if model in WITHOUT_LATENTS else predictions
    for cohort, reason in not_decomposable(told, settings.modalities).items():
        log.warning("cohort '%s' of this fold is not decomposed: %s", cohort, reason)
    frames = []
    for cohort, rows in decomposable(told, settings.modalities).groupby("cohort", sort=False):
        with without_rows(cohort, "its decomposition in this fold"):
            # A fold's test people took no part in the fit, but are too few to estimate a factor from.
            found = decompose_cohort(rows, settings.modalities, settings.pid, OUT_OF_FOLD_SE_FACTOR)
            frames += [one.to_frame().assign(cohort=cohort, model=model) for one in found]
    return (
        pd.concat(frames, ignore_index=True).reindex(columns=PID_COLUMNS)
        if frames
        else pd.DataFrame(columns=PID_COLUMNS)
    )
