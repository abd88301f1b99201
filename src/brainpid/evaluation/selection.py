r"""Which modalities are worth their cost: the paired one-standard-error rule on held-out predictions.

Every non-empty subset of the modalities has a held-out prediction of the same people. Let ``l_i(A)`` be person i's
squared error with subset A, averaged over repeats, and B the subset of the smallest mean. Subset A is as good as B, as
far as these people can tell, where

    mean_i d_i  <=  se(d),    d_i = l_i(A) - l_i(B),    se(d) = sd(d) / sqrt(n),

and the cheapest such subset is recommended; of equally cheap ones that with fewer modalities, then that with the
smaller error. The difference is paired because errors of one person with two subsets are much alike: intervals of two
means overlap long before their difference is in doubt.

A modality that tells nothing is not bought: it would have to lower the loss by a standard error. For one more linear
predictor with test statistic t the gain over its standard error is near ``(t^2 - 2) / (2 |t|)``, which exceeds 1 where
``|t| > 2.73``: in 0.6% of draws (0.5 to 1% in simulations, ``tests/statistical/test_selection.py``). The worst case is
a cheap copy of a dear modality that just misses the standard error, and a useless one that brings it within: 5%.

References
----------
Breiman, Friedman, Olshen and Stone 1984, Classification and Regression Trees, section 3.4.3 (the rule, unpaired);
Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, section 7.10.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from brainpid.core.arrays import BoolArray, FloatArray, IntArray
from brainpid.core.errors import InputError
from brainpid.core.modalities import subsets_of
from brainpid.evaluation.metrics import Accuracy, accuracy
from brainpid.evaluation.predictions import LOG_SCORE, SUBSET, by_repeat

SELECTION_COLUMNS = [
    "modalities", "cost", "n", "mae", "mae_ci_low", "mae_ci_high", "information_bits", "recommended",
]  # fmt: skip


FEWEST_TO_CHOOSE = 2
"""Fewest people whose paired differences have a standard error."""


@dataclass(frozen=True)
class NestedChoice:
    """What the rule gives on people whose errors had no part in the choice.

    Attributes
    ----------
    chosen : ndarray of int, shape (R, F)
        Subset that the people outside each fold chose, in each repeat.
    errors : ndarray, shape (R, n)
        Errors of each person with the subset that the others chose.
    """

    chosen: IntArray
    errors: FloatArray


@dataclass(frozen=True, eq=False)
class Selection:
    """What the choice among subsets of the modalities came to.

    Attributes
    ----------
    table : DataFrame
        One row a subset, with `SELECTION_COLUMNS`.
    best : str
        Subset of the smallest mean squared error.
    nested : Accuracy or None
        Of the whole procedure, choice included; None where a fold leaves nobody, or one person, to choose by.
    chosen : dict of str to int
        How often each subset was chosen by the people outside a fold.
    """

    table: pd.DataFrame
    best: str
    nested: Accuracy | None
    chosen: dict[str, int]


def select(
    predictions: pd.DataFrame, modalities: Sequence[str], costs: Mapping[str, float], confidence: float
) -> Selection:
    """Compare all subsets of the modalities on the same people, and recommend one.

    Parameters
    ----------
    predictions : DataFrame
        One model's out-of-fold rows of people who have every modality: cohort, participant_id, age, repeat, fold,
        latents, and predictions from every subset. People of all cohorts count alike.
    modalities : sequence of str
    costs : mapping of str to float
        Of each modality; a subset costs their sum.
    confidence : float
        Coverage of the intervals of the mean absolute error.

    Raises
    ------
    InputError
        Where nobody is left, or a subset has no predictions.
    """
    if predictions.empty:
        raise InputError("no cohort can be decomposed, and no subset of the modalities chosen; see the log of `split`")
    subsets = subsets_of(modalities)
    names = ["+".join(subset) for subset in subsets]
    if absent := [name for name in names if SUBSET + name not in predictions]:
        raise InputError(f"predictions: no column {SUBSET}{absent[0]}; train the folds again")
    errors, fold, scores = [], [], []
    for _, rows in predictions.groupby("cohort", sort=False):
        values, age, _ = by_repeat(rows, [*(start + name for start in (SUBSET, LOG_SCORE) for name in names), "fold"])
        errors.append(np.stack([values[SUBSET + name] - age for name in names], axis=-1))
        fold.append(values["fold"].astype(np.int64))
        scores.append(np.stack([values[LOG_SCORE + name] for name in names], axis=-1))
    error, assigned = np.concatenate(errors, axis=1), np.concatenate(fold, axis=1)
    losses = (error**2).mean(axis=0)
    prices = [sum(costs[modality] for modality in subset) for subset in subsets]
    counts = [len(subset) for subset in subsets]
    recommended = recommend(losses, prices, counts)
    read = [accuracy(error[..., k], np.zeros(error.shape[1]), confidence) for k in range(len(subsets))]
    table = pd.DataFrame(
        {
            "modalities": names, "cost": prices, "n": error.shape[1], "mae": [one.mae for one in read],
            "mae_ci_low": [one.mae_ci_low for one in read], "mae_ci_high": [one.mae_ci_high for one in read],
            "information_bits": np.concatenate(scores, axis=1).mean(axis=(0, 1)),
            "recommended": np.arange(len(subsets)) == recommended,
        }
    )  # fmt: skip
    best = names[int(np.argmin(losses.mean(axis=0)))]
    if fewest_outside(assigned) < FEWEST_TO_CHOOSE:
        return Selection(table[SELECTION_COLUMNS], best, None, {})
    found = choose_without_own_fold(error, assigned, prices, counts)
    nested = accuracy(found.errors, np.zeros(error.shape[1]), confidence)
    chosen = Counter(names[k] for k in found.chosen.ravel())
    return Selection(table[SELECTION_COLUMNS], best, nested, {name: chosen[name] for name in names if chosen[name]})


def recommend(losses: ArrayLike, costs: ArrayLike, sizes: ArrayLike) -> int:
    """Pick the cheapest subset whose loss is within one standard error of the smallest.

    Parameters
    ----------
    losses : array_like, shape (n, K)
        Each person's loss with each subset; people are independent.
    costs : array_like, shape (K,)
        Cost of each subset, in any unit.
    sizes : array_like of int, shape (K,)
        Number of modalities of each subset, for ties of the cost.

    Returns
    -------
    int
        Place of the recommended subset.

    Raises
    ------
    InputError
        Where there are fewer than two people, or a loss is not finite.
    """
    losses = np.asarray(losses, dtype=float)
    if len(losses) < FEWEST_TO_CHOOSE or not np.isfinite(losses).all():
        raise InputError(f"the choice needs finite losses of 2 or more people, found {losses.shape[0]} people")
    mean = losses.mean(axis=0)
    # Costs such as 0.1 + 0.2 and 0.3 are the same.
    order = np.lexsort([mean, np.asarray(sizes), np.round(np.asarray(costs, dtype=float), 9)])
    good = as_good_as_the_best(losses)
    return int(next(k for k in order if good[k]))


def as_good_as_the_best(losses: FloatArray) -> BoolArray:
    """Mark the columns of (n, K) losses whose mean is within one standard error of the smallest mean."""
    best = int(np.argmin(losses.mean(axis=0)))
    difference = losses - losses[:, [best]]
    error = difference.std(axis=0, ddof=1) / np.sqrt(len(losses))
    return np.asarray(difference.mean(axis=0) <= error)


def fewest_outside(fold: IntArray) -> int:
    """Fewest people outside any one fold of a repeat, from folds (R, n)."""
    return min(int((assigned != k).sum()) for assigned in fold for k in np.unique(assigned))


def choose_without_own_fold(errors: FloatArray, fold: IntArray, costs: ArrayLike, sizes: ArrayLike) -> NestedChoice:
    """Choose for each fold by the errors of everybody outside it, and read the fold's own errors there.

    The error of a recommended subset among the people who recommended it is optimistic. Here the choice has seen no
    error of the people whom it is judged on; the models behind the others' predictions were trained on them, though. A
    fold in which a subset does well is missing where that subset is chosen for it, so that the estimate errs, if at
    all, on the careful side.

    Parameters
    ----------
    errors : ndarray, shape (R, n, K)
        Held-out prediction minus target, of each subset in each repeat.
    fold : ndarray of int, shape (R, n)
        Fold in which each person was held out in each repeat.
    costs, sizes : array_like, shape (K,)
        As in `recommend`.
    """
    folds = np.unique(fold)
    chosen = np.empty((len(errors), len(folds)), dtype=np.int64)
    own = np.empty(fold.shape)
    for repeat, (values, assigned) in enumerate(zip(errors, fold, strict=True)):
        for place, k in enumerate(folds):
            held = assigned == k
            chosen[repeat, place] = recommend(values[~held] ** 2, costs, sizes)
            own[repeat, held] = values[held, chosen[repeat, place]]
    return NestedChoice(chosen, own)
