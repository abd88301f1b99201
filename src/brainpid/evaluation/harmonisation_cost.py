"""What harmonisation costs or brings in a study: the cheap model in the same folds, on features with and without it.

Both trainings of a fold see its training people alone, and so do the effects of sites. Every quantity is a mean over
people, whose own differences give the interval: over sites too, where there are five or more
(`brainpid.evaluation.transfer`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brainpid.config.harmonise import Harmonise
from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.seeds import derive
from brainpid.evaluation.predictions import LOG_SCORE, reading_table
from brainpid.evaluation.transfer import FEWEST_SITES, PEOPLE, SITES, mean_with_interval
from brainpid.model.fitting import fit_model
from brainpid.model.harmonised import harmonise

READER = "ridge"
"""Model that is fitted both ways: a fit takes a tenth to a second, whatever the model of the study takes."""
COLUMNS = [
    "scheme", "model", "quantity", "n", "as_they_are", "harmonised", "difference", "ci_low", "ci_high", "sites",
    "interval_over",
]  # fmt: skip
MAE, BITS, WITHIN = "mae", "bits", "r2_within_site"
"""Quantities: mean absolute error, information in the prediction from all modalities, R2 within sites."""
Folds = Sequence[tuple[int, int, Any, bool]]


@dataclass(frozen=True)
class CostStudy:
    """A study whose features are taken both ways.

    Attributes
    ----------
    people : DataFrame
        The n people who take part: participant_id, cohort, site, sex, age.
    tables : dict of str to DataFrame, shape (n, p_m)
        Features as they are; a row of NaN is a missing modality.
    groups : ndarray of int, shape (n,), or None
    harmonise : Harmonise
        With a method.
    hyperparameters : mapping of str to object
        Of the cheap model.
    seed : int
    """

    people: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    groups: IntArray | None
    harmonise: Harmonise
    hyperparameters: Mapping[str, Any]
    seed: int


def cost_of_scheme(study: CostStudy, scheme: str, folds: Folds, confidence: float) -> pd.DataFrame:
    """Error, information and R2 within sites under one scheme, with and without harmonisation.

    Parameters
    ----------
    study : CostStudy
    scheme : str
    folds : sequence of (int, int, ndarray of str, bool)
        Repeat and fold, role of each of the n people in it (``train``, ``test`` or empty), and whether it leaves sites
        out, where bits are relative to the targets of the whole cohort. Everybody is tested once.
    confidence : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, one row a quantity: mae in the target's units, bits, and the part of the variance within
        sites. A difference is what harmonisation changes: above 0 it costs error, below 0 bits or R2.

    Raises
    ------
    InputError, NumericalError
        As a training of the model does.
    """
    parts = [_fold(study, place) for place in folds]
    people = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(_rows(people, confidence), columns=COLUMNS[2:]).assign(scheme=scheme, model=READER)[COLUMNS]


def _fold(study: CostStudy, place: tuple[int, int, Any, bool]) -> pd.DataFrame:
    """Tested people of one fold: error and bits of both ways."""
    repeat, fold, role, whole_cohort = place
    taking = role != ""
    people = study.people[taking].reset_index(drop=True)
    training = role[taking] == "train"
    raw = {modality: table[taking].reset_index(drop=True) for modality, table in study.tables.items()}
    changed, _ = harmonise(study.harmonise, raw, people, training)
    groups = None if study.groups is None else study.groups[taking][training]
    seed = derive(study.seed, "harmonisation", repeat, fold)
    tested = people[~training].reset_index(drop=True)
    reference = people if whole_cohort else people[training]
    age = people["age"].to_numpy(dtype=float)
    for name, tables in (("raw", raw), ("changed", changed)):
        X = {modality: table.to_numpy(dtype=float) for modality, table in tables.items()}
        fitted = fit_model(
            READER, study.hyperparameters, {m: values[training] for m, values in X.items()}, age[training], groups, seed
        )
        read = fitted.model.read({m: values[~training] for m, values in X.items()})
        told = reading_table(fitted.model, read, tested, reference)
        tested[f"error_{name}"] = fitted.model.predict(read) - age[~training]
        tested[f"bits_{name}"] = told[LOG_SCORE + "+".join(study.tables)]
    return tested


def _rows(people: pd.DataFrame, confidence: float) -> list[tuple[Any, ...]]:
    """Quantities both ways and their paired differences."""
    site = pd.factorize(people["site"])[0]
    n_sites = int(site.max(initial=-1)) + 1
    clusters, over = (site, SITES) if n_sites >= FEWEST_SITES else (None, PEOPLE)
    raw, changed = (people[f"error_{name}"].to_numpy(dtype=float) for name in ("raw", "changed"))
    values = {
        MAE: (np.abs(raw), np.abs(changed)),
        BITS: (people["bits_raw"].to_numpy(dtype=float), people["bits_changed"].to_numpy(dtype=float)),
    }
    age = _less_sites(people["age"].to_numpy(dtype=float), site)
    if n_sites > 1 and (spread := float(age @ age)) > 0:
        n = len(people)
        values[WITHIN] = (
            1 - n * _less_sites(raw, site) ** 2 / spread, 1 - n * _less_sites(changed, site) ** 2 / spread,
        )  # fmt: skip
    rows = []
    for quantity, (first, second) in values.items():
        known = np.isfinite(first) & np.isfinite(second)
        own = None if clusters is None else clusters[known]
        difference = mean_with_interval((second - first)[known], own, confidence)
        told = (float(first[known].mean()), float(second[known].mean())) if known.any() else (np.nan, np.nan)
        rows.append((quantity, int(known.sum()), *told, *difference, n_sites, over))
    return rows


def _less_sites(values: FloatArray, site: IntArray) -> FloatArray:
    """Values (n,) less the mean of their site."""
    counts = np.maximum(np.bincount(site), 1)
    return np.asarray(values - (np.bincount(site, weights=values) / counts)[site])
