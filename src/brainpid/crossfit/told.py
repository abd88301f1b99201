"""How well labels, such as the site, are told from features: balanced accuracy of a held-out linear classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainpid.core.arrays import FloatArray
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.ridge import ridge
from brainpid.crossfit.transforms import Standardizer

FEWEST_OF_LABEL = 10
"""People of a label that is to be told, at least."""
FOLDS = 5


@dataclass(frozen=True)
class Told:
    """How well labels are told.

    Attributes
    ----------
    balanced_accuracy : float
        Part of the people of a label who are given it, mean over labels.
    chance : float
        One in the number of labels.
    n : int
        People.
    """

    balanced_accuracy: float
    chance: float
    n: int


def labels_told(features: FloatArray, labels: pd.Series, seed: int) -> Told | None:
    """Tell labels from features by ridges of each label's indicator, standardised so that rare labels count alike.

    Parameters
    ----------
    features : ndarray, shape (n, p)
        NaN is a missing cell.
    labels : Series, shape (n,)
        Those of fewer than `FEWEST_OF_LABEL` people are left out.
    seed : int
        Of the folds, in which labels are spread evenly.

    Returns
    -------
    Told or None
        None where fewer than two labels are left.

    Raises
    ------
    NumericalError
        Where features cannot be decomposed.
    """
    counts = labels.map(labels.value_counts())
    rows = (counts >= FEWEST_OF_LABEL).to_numpy()
    codes, known = pd.factorize(labels[rows], sort=True)
    if len(known) < 2:
        return None
    x, indicators = features[rows], np.eye(len(known))[codes].T
    fold = stratified_folds(codes.astype(float), FOLDS, np.random.default_rng(seed))
    given = np.empty(len(codes), dtype=np.int64)
    for k in range(FOLDS):
        own = fold == k
        scale = Standardizer.fit(x[~own])
        found = ridge(scale.transform(x[~own]), indicators[:, ~own], scale.transform(x[own]))
        part = indicators[:, ~own].mean(axis=1, keepdims=True)
        given[own] = ((found - part) / np.sqrt(part * (1 - part))).argmax(axis=0)
    right = [float((given[codes == k] == k).mean()) for k in range(len(known))]
    return Told(float(np.mean(right)), 1 / len(known), len(codes))
