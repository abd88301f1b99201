r"""Nulls of the information of all modalities, and of what each of them adds.

Under the null that features and target are independent, all permutations of the target are equally likely, and

    p = (1 + #{b : T_b >= T}) / (1 + B)

is a valid one-sided p-value for any statistic T that is computed in the same way each time, cross-fitting included.
The null of `total`, the information of all modalities, permutes the target and fits every encoder anew. That of
`added`, what a modality adds beyond all the others, draws the modality given the others and fits its encoder anew
(`brainpid.crossfit.conditional`). Where rows are of groups, such as the visits of a person, whole groups are exchanged
(`brainpid.crossfit.exchange`) and held out: features that only tell who it is would otherwise tell the target of the
person's other visits. Nothing cheaper is valid: out-of-fold predictions and target are dependent under the null,
because the people who are predicted are missing from the mean that predicts them, so that a parametric test, or
permuting the target against latents that stay fixed, rejects a useless modality far too often.

Folds are drawn without regard to the target, unlike those of the models: folds that are stratified by the target would
have to be drawn anew for each permutation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from brainpid.core.arrays import Blocks, FloatArray
from brainpid.core.errors import InputError
from brainpid.core.modalities import subsets_of
from brainpid.core.names import SITE
from brainpid.core.progress import progress
from brainpid.core.seeds import derive
from brainpid.crossfit.conditional import latents_of_draws
from brainpid.crossfit.controls import ControlDesign
from brainpid.crossfit.encoders import Encoder
from brainpid.crossfit.exchange import exchange_of, exchange_of_rows
from brainpid.crossfit.folds import random_folds
from brainpid.crossfit.latents import cross_fit
from brainpid.crossfit.minima import why_no_null
from brainpid.crossfit.transforms import normal_scores
from brainpid.pid.estimation import information_from_sample_covariance

TOTAL, ADDED, GIVEN = "total", "added_", "given"
_CHUNK = 250  # permutations at a time: bounds the memory


@dataclass(frozen=True)
class Null:
    """Statistics in bits, shape (1 + B,) each: the observed one first, then those of the draws.

    Attributes
    ----------
    total : ndarray
        Information of all modalities.
    added : dict of str to ndarray
        What each modality adds to the information of all the others; NaN in the draws where no two groups of rows have
        one size, and none can take each other's residuals.
    n : int
        Number of people.
    """

    total: FloatArray
    added: dict[str, FloatArray]
    n: int


def null_table(null: Null, given: str = "") -> pd.DataFrame:
    """One line a permutation, the observed first: permutation, n, given, total, and added_<modality> in bits."""
    columns = {"permutation": np.arange(len(null.total)), "n": null.n, GIVEN: given, TOTAL: null.total}
    return pd.DataFrame(columns | {ADDED + name: values for name, values in null.added.items()})


def empty_null_table(modalities: Sequence[str]) -> pd.DataFrame:
    """`null_table` of a cohort that has too few people with every modality."""
    return pd.DataFrame(columns=["permutation", "n", GIVEN, TOTAL, *(ADDED + modality for modality in modalities)])


def nulls_of_table(table: pd.DataFrame) -> dict[str, Null]:
    """Undo `null_table` of several joined, by what is given."""
    parts = table.groupby(table[GIVEN].astype(object).fillna("").astype(str), sort=False)
    return {str(given): null_of_table(rows) for given, rows in parts}


def null_of_table(table: pd.DataFrame) -> Null:
    """Undo `null_table` of one."""
    added = {name.removeprefix(ADDED): table[name].to_numpy(float) for name in table if name.startswith(ADDED)}
    return Null(table[TOTAL].to_numpy(float), added, int(table["n"].iloc[0]))


def p_value(statistics: FloatArray) -> float:
    """One-sided p-value of the first of the statistics (1 + B,) among all of them; NaN where there are no draws."""
    if np.isnan(statistics).any():
        return float("nan")
    # Equal up to rounding counts as reached: permutations of tied targets give the observed statistic again.
    reached = statistics >= statistics[0] - 1e-12
    return float(np.mean(reached))


def permutation_null(
    blocks: Blocks,
    target: FloatArray,
    encoder: Encoder,
    *,
    permutations: int,
    folds: int,
    seed: int,
    groups: ArrayLike | None = None,
    controls: ControlDesign | None = None,
) -> Null:
    """Permute the target, and draw each modality given the others, with refitting.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Features of people who have every modality, in any unit; NaN is a missing cell.
    target : ndarray, shape (n,)
        In any unit; only its ranks count.
    encoder : Encoder
        Gives one scalar latent a modality.
    permutations : int
        Number B of permutations of the target, and of draws of each modality.
    folds : int
    seed : int
        One for each cohort: permutations of two cohorts that are to be pooled have to be independent.
    groups : array_like, shape (n,), optional
        Rows of one group are permuted and held out together.
    controls : ControlDesign, optional
        Statistics are then of what latents and target have beyond what is linear in these; what is permuted is the
        normal score of the target less that (Freedman & Lane 1983), and what the controls tell of a modality is kept in
        its draws. Where the site is a control, people are exchanged within sites.

    Raises
    ------
    InputError
        Where there are too few people for the folds or the latents, all have the same target, no groups can be
        exchanged, or the encoder gives more than one latent a modality.
    NumericalError
        Where a permutation has no trustworthy answer.
    """
    n = len(target)
    if reason := why_no_null(target, list(blocks), folds, groups):
        raise InputError(reason)
    rng = np.random.default_rng(seed)
    scores = normal_scores(target)
    less = (lambda values: values) if controls is None else controls.less
    level = None if controls is None else controls.levels.get(SITE)
    free = less(scores)
    exchange = exchange_of(target if controls is None else free, groups, level)
    fold = random_folds(exchange.member, folds, rng)
    orders = np.concatenate([np.arange(n)[None], exchange.orders(permutations, rng)])
    total = []
    observed: dict[str, FloatArray] = {}
    for chunk in progress(np.array_split(orders, -(-len(orders) // _CHUNK)), "permuting the target"):
        targets = target[chunk] if controls is None else scores - free + free[chunk]
        latents = {
            name: less(latent) for name, latent in _scalars(cross_fit(blocks, targets, fold, encoder, seed)).items()
        }
        observed = observed or {name: latent[:1] for name, latent in latents.items()}
        told = scores[chunk] if controls is None else less(normal_scores(targets))
        total.append(informations(told, latents)[frozenset(blocks)])
    rows, added = exchange_of_rows(n, groups, level), {}
    for name in blocks:
        drawn = rows.orders(permutations, np.random.default_rng(derive(seed, "added", name)))
        orders = np.concatenate([np.arange(n)[None], drawn if rows.sets else drawn[:0]])
        latent = less(latents_of_draws(blocks, name, target, fold, orders, encoder, seed, less))
        added[name] = np.full(1 + permutations, np.nan)
        for start in range(0, len(latent), _CHUNK):
            bits = informations(free[None], observed | {name: latent[start : start + _CHUNK]})
            more = bits[frozenset(blocks)] - bits[frozenset(blocks) - {name}]
            added[name][start : start + len(more)] = more
    return Null(np.concatenate(total), added, n)


def _scalars(latents: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Latents (T, n) of encoders that give one each."""
    if wide := [name for name, latent in latents.items() if latent.shape[-1] != 1]:
        raise InputError(f"the null needs one latent a modality, found {latents[wide[0]].shape[-1]} of '{wide[0]}'")
    return {name: latent[..., 0] for name, latent in latents.items()}


def informations(scores: FloatArray, latents: Mapping[str, FloatArray]) -> dict[frozenset[str], FloatArray]:
    """Information (T,) in bits of each subset; normal scores of targets and latents are (T, n), or (1, n) for all T."""
    names = tuple(latents)
    variables = np.stack(np.broadcast_arrays(scores, *latents.values()), axis=1)
    variables -= variables.mean(axis=-1, keepdims=True)
    covariance = variables @ np.swapaxes(variables, -1, -2)
    found = information_from_sample_covariance(covariance, dict.fromkeys(names, 1), scores.shape[1])
    return dict(zip(map(frozenset, subsets_of(names)), np.moveaxis(found.bits, -1, 0), strict=True))


def pool_nulls(nulls: Mapping[str, Null]) -> Null:
    """Average the cohorts' statistics, permutation by permutation, with weights proportional to the cohorts' sizes.

    The cohorts' permutations are independent, so that the b-th of all of them together is one permutation of the target
    within cohorts.

    Parameters
    ----------
    nulls : mapping of str to Null
        Of each cohort, with the same modalities and number of permutations.
    """
    n = np.array([null.n for null in nulls.values()])
    total = np.average([null.total for null in nulls.values()], axis=0, weights=n)
    names = next(iter(nulls.values())).added
    added = {name: np.average([null.added[name] for null in nulls.values()], axis=0, weights=n) for name in names}
    return Null(total, added, int(n.sum()))
