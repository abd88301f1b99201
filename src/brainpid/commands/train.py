"""Train one model on one fold's training people and predict its test people."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from brainpid.cohort.splits import group_codes
from brainpid.commands.options import add_settings, read_settings
from brainpid.config.models import WITHOUT_LATENTS
from brainpid.config.slices import TrainSettings
from brainpid.core.arrays import IntArray, Modalities
from brainpid.core.errors import InputError
from brainpid.core.files import read_own_tsv, write_json, write_tsv
from brainpid.core.provenance import code_digest, record
from brainpid.core.seeds import fold_seed
from brainpid.evaluation.decomposition import PID_COLUMNS, decompose_cohort
from brainpid.evaluation.predictions import decomposable, predict_table
from brainpid.features.matrix import read_divisors, read_roles, read_tables
from brainpid.model.age_bias import AgeBias
from brainpid.model.registry import MODELS, MultimodalRegressor

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--model", required=True, choices=list(MODELS), help="model to train")
    parser.add_argument("--repeat", required=True, type=int, help="repeat of the splits")
    parser.add_argument("--fold", required=True, type=int, help="fold whose test people are predicted")
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv from `split`")
    add_training_arguments(parser)
    parser.add_argument("--out", required=True, type=Path, help="folder of the fold")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every training needs."""
    parser.add_argument("--participants", required=True, type=Path, help="participants.tsv from `split`")
    parser.add_argument("--features", required=True, nargs="+", type=Path, help="feature file of every cohort")
    parser.add_argument("--sheets", nargs="*", default=[], type=Path, help="sheets with the column of the groups")
    parser.add_argument("--threads", type=int, default=1, help="threads of the numerical libraries")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Read the fold's people and features; fit on the training people; write what the test people give."""
    settings = read_settings(args, TrainSettings)
    people = read_roles(args.participants, args.splits, args.repeat, args.fold)
    tables = read_tables(args.features, people, settings.modalities)
    training = (people["role"] == "train").to_numpy()
    seed = fold_seed(settings.seed, args.repeat, args.fold)
    fitted = fit(
        args, settings, {modality: table[training] for modality, table in tables.items()}, people[training], seed
    )
    predictions = predict_table(
        fitted.model,
        {modality: table[~training].to_numpy() for modality, table in tables.items()},
        people[~training],
        fitted.bias,
        settings.interval_coverage,
    ).assign(model=args.model, repeat=args.repeat, fold=args.fold)
    write_tsv(args.out / "predictions.tsv", predictions)
    write_tsv(args.out / "pid.tsv", _decompose(predictions, settings, args.model))
    half_width = float((predictions["pi_high"] - predictions["pi_low"]).mean() / 2)
    own = {"repeat": args.repeat, "fold": args.fold, "n_test": int((~training).sum())}
    write_fitted(args, settings, fitted, __name__, own | {"mean_interval_half_width": half_width})


@dataclass(frozen=True)
class Fitted:
    """A fitted model, the seed it had, and the line of predicted on true target among its n training people."""

    model: MultimodalRegressor
    seed: int
    bias: AgeBias
    n: int


def fit(args: argparse.Namespace, settings: TrainSettings, X: Modalities, people: pd.DataFrame, seed: int) -> Fitted:
    """Fit the model of ``args.model`` to people; features keep their names, by which new people's will be matched."""
    entry = MODELS[args.model]
    if "torch" in entry.packages:
        import torch

        torch.set_num_threads(args.threads)
    try:
        model = entry.load_class()(**settings.hyperparameters, random_state=seed)
    except TypeError as fault:
        raise InputError(f"hyperparameters of {args.model}: {fault}") from fault
    age = people["age"].to_numpy(dtype=float)
    groups = None if settings.group is None else _groups(args.sheets, people, settings.group)
    model.fit(X, age, groups=groups)
    bias = AgeBias.fit(model.out_of_fold_prediction_, age)
    if not bias.correctable:
        log.warning("slope of predicted on true age is %.3f: the age-bias correction is not defined", bias.slope)
    return Fitted(model, seed, bias, len(people))


def write_fitted(
    args: argparse.Namespace, settings: TrainSettings, fitted: Fitted, stage: str, more: Mapping[str, Any]
) -> None:
    """Write the model, the course of its training, and where it comes from, with all that prediction needs."""
    entry = MODELS[args.model]
    fitted.model.save(args.out)
    write_tsv(args.out / "history.tsv", pd.DataFrame(fitted.model.history() or {"epoch": []}))
    provenance = record(stage, settings.model_dump(mode="json"), entry.packages)
    provenance["generated_by"]["model_code"] = code_digest(entry.module)
    provenance |= {
        "model": args.model,
        "seed": fitted.seed,
        "n_train": fitted.n,
        "age_bias": {"intercept": fitted.bias.intercept, "slope": fitted.bias.slope},
        "divided": read_divisors(args.features, settings.modalities),
        "chosen": fitted.model.chosen(),
    }
    write_json(args.out / "provenance.json", provenance | dict(more))
    log.info(
        "%s is trained on %d people", args.model, fitted.n,
        extra={"model": args.model, "n_train": fitted.n, "bias_slope": fitted.bias.slope} | dict(more),
    )  # fmt: skip


def _groups(sheets: Sequence[Path], people: pd.DataFrame, column: str) -> IntArray:
    """Number the groups that have to share a side of every split, shape (n,)."""
    labels = pd.concat([read_own_tsv(path)[["cohort", "participant_id", column]] for path in sheets])
    joined = people[["cohort", "participant_id"]].merge(labels, how="left", validate="one_to_one")
    return group_codes(joined[column])


def _decompose(predictions: pd.DataFrame, settings: TrainSettings, model: str) -> pd.DataFrame:
    """Decomposition among one fold's test people with every modality, for each cohort that has enough of them."""
    told = predictions.iloc[:0] if model in WITHOUT_LATENTS else predictions
    frames = [
        decompose_cohort(rows, settings.modalities, settings.pid).assign(cohort=cohort, model=model)
        for cohort, rows in decomposable(told, settings.modalities).groupby("cohort", sort=False)
    ]
    return pd.concat(frames, ignore_index=True)[PID_COLUMNS] if frames else pd.DataFrame(columns=PID_COLUMNS)
