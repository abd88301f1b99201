"""Whether every fold can be trained and its people predicted, decided before anything is.

What a training refuses is refused here, with the fold's name and for all models at once. That a fold can be trained
says nothing about the decomposition, which has its own rule (`brainpid.crossfit.minima`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainpid.cohort.participants import SUCCESS, has_every_modality
from brainpid.config.models import FEWEST_OF_OWN_WEIGHTS
from brainpid.config.slices import LimitSettings
from brainpid.core.arrays import BoolArray
from brainpid.core.errors import InputError, list_some
from brainpid.crossfit.minima import (
    FEWEST_GROUPS,
    fewest_of_baseline,
    fewest_of_ensemble,
    fewest_of_interval,
    fewest_of_own_weights,
    fewest_to_relate,
)


def refuse_untrainable(
    people: pd.DataFrame,
    groups: NDArray[np.int64] | None,
    splits: pd.DataFrame,
    modalities: Sequence[str],
    limits: LimitSettings | None,
) -> None:
    """Raise where a model cannot be fitted to the training people of a fold, or cannot predict those who are tested.

    Parameters
    ----------
    people : DataFrame
        As `brainpid.features.inclusion.join_participants` gives it, n rows.
    groups : ndarray of int, shape (n,), or None
        Number of each person's group.
    splits : DataFrame
        As `brainpid.cohort.splits.make_splits` gives it.
    modalities : sequence of str
    limits : LimitSettings or None
        Models that are to be trained, and the coverage of their intervals; None where that is not known.

    Raises
    ------
    InputError
        Where training people with every modality all have one target, or are too few, or of too few groups, for one of
        the models, or too few have the modalities of a tested person for an interval; or none is of the site of a
        tested person, whom `harmonise.unseen` refuses.
    """
    row = {key: k for k, key in enumerate(zip(people["cohort"], people["participant_id"], strict=True))}
    has = np.column_stack([(people[f"{modality}_status"] == SUCCESS).to_numpy() for modality in modalities])
    age, site = people["age"].to_numpy(dtype=float), people["site"].to_numpy(dtype=object)
    for (repeat, fold), own in splits.groupby(["repeat", "fold"], sort=False):
        rows = np.array([row[key] for key in zip(own["cohort"], own["participant_id"], strict=True)])
        training = (own["role"] == "train").to_numpy()
        place = f"repeat {repeat}, fold {fold}"
        complete = rows[training][has[rows[training]].all(axis=1)]
        _refuse_unrelated(len(complete), place, modalities)
        _refuse_same(age[complete], place, modalities)
        if groups is not None:
            _refuse_few_groups(len(np.unique(groups[complete])), len(complete), place, modalities, limits)
        if limits is not None:
            _refuse_few(len(complete), place, modalities, limits)
            _refuse_wide(has[rows[training]], has[rows[~training]], place, modalities, limits.interval_coverage)
            if limits.known_sites_only:
                _refuse_unseen(site[rows[training]], site[rows[~training]], place)


def fewest_and_needed(
    people: pd.DataFrame, splits: pd.DataFrame, modalities: Sequence[str], limits: LimitSettings
) -> tuple[int, int]:
    """Fewest people with every modality in a fold's training, and how many models and intervals need.

    Parameters
    ----------
    people, splits : DataFrame
        As of `refuse_untrainable`.
    modalities : sequence of str
    limits : LimitSettings
    """
    complete = people.assign(complete=has_every_modality(people, modalities))[["cohort", "participant_id", "complete"]]
    training = splits[splits["role"] == "train"].merge(complete, on=["cohort", "participant_id"])
    found = int(training.groupby(["repeat", "fold"])["complete"].sum().min())
    return found, max(*_needed(modalities, limits).values(), fewest_of_interval(limits.interval_coverage))


def _refuse_unrelated(n: int, place: str, modalities: Sequence[str]) -> None:
    """Raise where n training people with every modality are too few to relate the modalities to each other."""
    if n < fewest_to_relate(len(modalities)):
        raise InputError(
            f"{place}: {n} training people have every modality ({', '.join(modalities)}); expected at least "
            f"{fewest_to_relate(len(modalities))}. Use fewer modalities, or with leave_one_cohort_out or "
            "leave_one_site_out more cohorts or sites that have all of them, with people who are trained on (train_on) "
            "and are not related to the tested one"
        )


def _refuse_same(targets: NDArray[np.float64], place: str, modalities: Sequence[str]) -> None:
    """Raise where all training people with every modality have the same target; those with fewer are more people."""
    if targets.min() == targets.max():
        raise InputError(
            f"{place}: all {len(targets)} training people with every modality ({', '.join(modalities)}) have the same "
            f"target, {targets[0]:g}; it must vary. With leave_one_cohort_out or leave_one_site_out, those "
            "that are left must differ in it"
        )


def _refuse_few_groups(found: int, n: int, place: str, modalities: Sequence[str], limits: LimitSettings | None) -> None:
    """Raise where n training people with every modality are of too few groups for inner folds."""
    own = limits is not None and limits.own_weights and "pidreg" in limits.models
    if found < (needed := FEWEST_OF_OWN_WEIGHTS if own else FEWEST_GROUPS):
        raise InputError(
            f"{place}: the {n} training people with every modality ({', '.join(modalities)}) are of {found} group(s) "
            f"(splits.group), of which parts are held out; expected at least {needed}"
            + (" for pidreg with the recipe paper" if own else "")
        )


def _refuse_few(n: int, place: str, modalities: Sequence[str], limits: LimitSettings) -> None:
    """Raise where n training people with every modality are too few for a model."""
    needed = _needed(modalities, limits)
    if short := [f"{least} for {model}" for model, least in needed.items() if n < least]:
        remedy = "Leave the model out, use fewer modalities, or give more splits.folds, which leave more for training"
        if not limits.own_weights and n < needed.get("pidreg", 0) and n >= fewest_of_ensemble(2, len(modalities)):
            takes = fewest_of_ensemble(n // 2, len(modalities))
            remedy += f"; pidreg with hyperparameters.pidreg.members: {n // 2} takes {takes}"
        raise InputError(
            f"{place}: {n} training people have every modality ({', '.join(modalities)}); expected at least "
            f"{list_some(short)}. {remedy}"
        )


def _needed(modalities: Sequence[str], limits: LimitSettings) -> dict[str, int]:
    """Fewest training people with every modality of each model."""
    return {
        model: _fewest_of_pidreg(limits, len(modalities)) if model == "pidreg" else fewest_of_baseline()
        for model in limits.models
    }


def _fewest_of_pidreg(limits: LimitSettings, modalities: int) -> int:
    least = fewest_of_ensemble(limits.members, modalities)
    return max(least, fewest_of_own_weights(limits.members, modalities)) if limits.own_weights else least


def _refuse_wide(
    training: BoolArray, tested: BoolArray, place: str, modalities: Sequence[str], coverage: float
) -> None:
    """Raise where too few training people have what somebody has who is tested for an interval of this coverage."""
    for pattern in np.unique(tested, axis=0):
        n = int(training[:, pattern].all(axis=1).sum())
        if n < fewest_of_interval(coverage):
            names = "+".join(name for name, own in zip(modalities, pattern, strict=True) if own)
            raise InputError(
                f"{place}: {n} training people have {names}, as some who are tested; an interval of coverage "
                f"{coverage:g} needs at least {fewest_of_interval(coverage)}. Lower interval_coverage"
            )


def _refuse_unseen(training: NDArray[np.object_], tested: NDArray[np.object_], place: str) -> None:
    """Raise where a tested person is of a site that nobody is trained on, while harmonisation refuses such people."""
    if alone := sorted(set(tested) - set(training)):
        n = int(np.isin(tested, alone).sum())
        raise InputError(
            f"{place}: all people of site(s) {list_some(alone)} ({n}) are predicted, and the training has nobody of "
            "theirs: harmonise.unseen: error refuses them. Give harmonise.unseen: none or own, or leave such sites out"
        )
