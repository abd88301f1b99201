"""Read every fold's log scores anew for the reference distribution of the target."""

from __future__ import annotations

import argparse
import hashlib
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from brainpid.cohort.reference_ages import read_reference
from brainpid.commands.options import add_settings, add_threads, read_settings, set_threads
from brainpid.config.slices import RescoreSettings
from brainpid.core.arrays import FloatArray
from brainpid.core.files import read_own_tsv, write_json, write_tsv
from brainpid.core.modalities import subsets_of
from brainpid.core.names import WITHOUT_LATENTS
from brainpid.core.provenance import record
from brainpid.evaluation.predictions import LOG_SCORE, SUBSET
from brainpid.evaluation.reference_weights import WEIGHT, refuse_no_cohort, weights_for
from brainpid.model.registry import MODELS

log = logging.getLogger(__name__)

KEYS = ["participant_id", "cohort", "model", "repeat", "fold"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--participants", required=True, type=Path, help="participants.tsv from `split`")
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv from `split`")
    parser.add_argument("--folds", required=True, type=Path, help="folder with <model>/repeat-<r>_fold-<k>")
    add_threads(parser)
    add_settings(parser)
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")


def run(args: argparse.Namespace) -> None:
    """Load every fold's model, score its test people relative to the reference, weight people, write."""
    settings = read_settings(args, RescoreSettings)
    people = read_own_tsv(args.participants)
    reference = read_reference(settings.reference_ages, people, settings.target_range)
    models = [model for model in settings.models if model not in WITHOUT_LATENTS]
    splits = read_own_tsv(args.splits)
    folds = splits.loc[splits["role"] == "test", ["repeat", "fold"]].drop_duplicates()
    tables = []
    for model in models:
        set_threads(args.threads, MODELS[model].packages)
        for repeat, fold in folds.itertuples(index=False):
            folder = args.folds / model / f"repeat-{repeat}_fold-{fold}"
            tables.append(_scored(model, folder, settings, reference))
    scores = pd.concat(tables, ignore_index=True)
    everything = LOG_SCORE + "+".join(settings.modalities)
    complete = scores.dropna(subset=[everything]).drop_duplicates(["cohort", "participant_id"])
    told, scores[WEIGHT] = {}, np.nan
    for cohort, own in complete.groupby("cohort", sort=False):
        found = weights_for(own["age"].to_numpy(dtype=float), reference, settings.target_units)
        told[str(cohort)] = {"n": found.n, "n_effective": found.n_effective, "reason": found.reason}
        if found.reason:
            log.warning("cohort '%s' has no rows for reference_ages: %s", cohort, found.reason)
            continue
        weights = pd.Series(found.weights, own["participant_id"].to_numpy())
        rows = scores["cohort"] == cohort
        scores.loc[rows, WEIGHT] = scores.loc[rows, "participant_id"].map(weights)
        log.info("cohort '%s': %d people within the reference stand for %.0f", cohort, found.n, found.n_effective)
    refuse_no_cohort({cohort: str(own["reason"]) for cohort, own in told.items()})
    write_tsv(args.out / "scores.tsv", scores)
    digest = hashlib.sha256(np.sort(reference).tobytes()).hexdigest()
    about = {"words": settings.reference_ages.words, "digest": digest, "cohorts": told}
    write_json(args.out / "ages.json", about | record(__name__, settings.model_dump(mode="json")))


def _scored(model: str, folder: Path, settings: RescoreSettings, reference: FloatArray) -> pd.DataFrame:
    """Log scores of one fold's test people relative to the reference; NaN where they lack a modality."""
    rows = read_own_tsv(folder / "predictions.tsv")
    fitted = MODELS[model].load_class().load(folder)
    subsets = subsets_of(settings.modalities)
    predictions = {subset: rows[SUBSET + "+".join(subset)].to_numpy(dtype=float) for subset in subsets}
    sites = rows["site"].to_numpy(dtype=object)
    told = fitted.rescored(predictions, rows["age"].to_numpy(dtype=float), reference, sites)
    return rows[[*KEYS, "age"]].assign(**{LOG_SCORE + "+".join(subset): told[subset] for subset in subsets})
