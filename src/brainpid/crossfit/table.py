"""The information that groups of columns have about one column of any table: cross-fit, decompose, test, diagnose."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import Blocks, FloatArray
from brainpid.core.errors import InputError
from brainpid.core.names import Measure
from brainpid.core.seeds import derive
from brainpid.crossfit.encoders import Encoder
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.latents import cross_fit
from brainpid.crossfit.transforms import normal_scores
from brainpid.pid.decompose import decompose, decompose_folds, decompose_repeats
from brainpid.pid.estimation import MIN_PEOPLE_PER_DIMENSION
from brainpid.pid.result import Decomposition

log = logging.getLogger(__name__)

MANY_PEOPLE = 1000
"""From here on one repeat of the folds is enough."""


@dataclass(frozen=True)
class Latents:
    """Out-of-fold latents of the sources.

    Attributes
    ----------
    values : dict of str to ndarray, shape (R, n, d)
        In each repeat.
    fold : ndarray of int, shape (R, n)
    """

    values: dict[str, FloatArray]
    fold: np.ndarray


def repeats_for(n: int) -> int:
    """Repeats of the folds that a table of n people needs."""
    return 5 if n < MANY_PEOPLE else 1


def out_of_fold_latents(
    blocks: Blocks,
    target: FloatArray,
    encoder: Encoder,
    *,
    folds: int,
    repeats: int,
    seed: int,
    groups: ArrayLike | None = None,
) -> Latents:
    """Cross-fit an encoder in repeated folds that are stratified by the target.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
    target : ndarray, shape (n,)
    encoder : Encoder
    folds, repeats, seed : int
    groups : array_like, shape (n,), optional
        Rows of one group share a fold.

    Raises
    ------
    InputError
        Where there are fewer than two people a fold, or all are of one group.
    """
    if len(target) < 2 * folds:
        raise InputError(f"n = {len(target)} people are too few for {folds} folds; expected at least {2 * folds}")
    draws = [np.random.default_rng(derive(seed, "folds", repeat)) for repeat in range(repeats)]
    fold = np.stack([stratified_folds(target, folds, rng, groups) for rng in draws])
    fitted = [
        cross_fit(blocks, target[None], assigned, encoder, derive(seed, "encoder", repeat))
        for repeat, assigned in enumerate(fold)
    ]
    return Latents({name: np.concatenate([once[name] for once in fitted]) for name in blocks}, fold)


def folds_are_large_enough(n: int, folds: int, dimensions: int) -> bool:
    """Whether each fold has people enough for latents of so many dimensions in total."""
    return n // folds >= MIN_PEOPLE_PER_DIMENSION * dimensions


def decompose_latents(
    latents: Latents,
    target: FloatArray,
    measures: Sequence[Measure],
    confidence: float,
    se_factor: float,
    groups: ArrayLike | None = None,
) -> list[Decomposition]:
    """Decompose cross-fitted latents under every measure: pooled over folds where d = 1, in each fold where d > 1.

    Standard errors are widened by `se_factor`, and clustered by `groups` (n,), where they are given.
    """
    score = normal_scores(target)
    if all(values.shape[-1] == 1 for values in latents.values.values()):
        return [
            decompose_repeats(latents.values, score, measure, confidence, se_factor, groups) for measure in measures
        ]
    return [
        decompose_folds(latents.values, score, latents.fold, measure, confidence, se_factor, groups)
        for measure in measures
    ]


def decompose_columns(
    blocks: Blocks,
    target: FloatArray,
    measures: Sequence[Measure],
    confidence: float,
    groups: ArrayLike | None = None,
) -> list[Decomposition]:
    """Decompose columns as they stand, without an encoder: for latents that no encoder fitted to these people.

    Standard errors are clustered by `groups` (n,), where they are given.
    """
    score = normal_scores(target)
    return [decompose(blocks, score, measure, confidence, groups=groups) for measure in measures]
