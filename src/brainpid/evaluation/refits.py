"""Refits of a cheap reader to parts of each fold's training people, which read the fold's held-out people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from brainpid.core.arrays import BoolArray, FloatArray, IntArray
from brainpid.core.errors import InputError
from brainpid.core.modalities import complete
from brainpid.core.progress import progress
from brainpid.core.seeds import derive
from brainpid.crossfit.minima import fewest_of_baseline
from brainpid.evaluation.predictions import reading_table
from brainpid.model.fitting import fit_model
from brainpid.model.sites import several_sites

READER = "ridge"
"""Model that is refitted: a fit takes a tenth to a second, whatever the model of the study takes."""
FRACTIONS = (0.35, 0.5, 0.7, 0.85, 1.0)
"""Parts of the training people; less is another regime, where penalties switch the features off."""


@dataclass(frozen=True)
class Study:
    """People and features of a finished run, with what its folds were.

    Attributes
    ----------
    people : DataFrame
        The n people who take part: participant_id, cohort, site, age; rows are numbered from 0.
    X : mapping of str to ndarray, shape (n, p_m)
        Features; a row of NaN is a missing modality.
    groups : ndarray of int, shape (n,), or None
        Rows of one group are taken or left together.
    folds : sequence of (int, int, ndarray of str, shape (n,))
        Repeat, fold, and role of each person in it: ``train``, ``test`` or empty.
    """

    people: pd.DataFrame
    X: Mapping[str, FloatArray]
    groups: IntArray | None
    folds: Sequence[tuple[int, int, Any]]


def usable_fractions(study: Study) -> tuple[float, ...]:
    """Those of `FRACTIONS` that leave a reader enough people with every modality in every fold."""
    has = complete(study.X)
    fewest = min(int((has & (role == "train")).sum()) for _, _, role in study.folds)
    # A part is drawn without regard to who has what, and may have a few of these people less than its share.
    return tuple(part for part in FRACTIONS if part == 1 or part * fewest >= 2 * fewest_of_baseline())


def refit(
    study: Study, fractions: Sequence[float], hyperparameters: Mapping[str, Any], seed: int, threads: int = 1
) -> pd.DataFrame:
    """Refit `READER` to parts of the training people of every fold.

    Parameters
    ----------
    study : Study
    fractions : sequence of float
        Parts of the training people. The smaller of two parts of a fold is within the larger.
    hyperparameters : mapping of str to object
        Of the reader.
    seed : int
    threads : int
        Processes.

    Returns
    -------
    DataFrame
        Rows of held-out people: participant_id, cohort, age, repeat, fold, fraction, and of every subset of the
        modalities the prediction in the target's units and the log score in bits, NaN where a person lacks one.

    Raises
    ------
    InputError
        Where too few people are left to fit to.
    NumericalError
        Where a fit has no finite answer.
    """
    jobs = [(place, fraction) for place in study.folds for fraction in fractions]
    if not jobs:
        raise InputError("refits: expected one or more folds and parts of their people, found none")
    tables = Parallel(n_jobs=threads, return_as="generator")(
        delayed(_refit)(study, place, fraction, hyperparameters, seed) for place, fraction in jobs
    )
    return pd.concat(list(progress(tables, "refitting to parts of the people", len(jobs))), ignore_index=True)


def _refit(
    study: Study, place: tuple[int, int, Any], fraction: float, hyperparameters: Mapping[str, Any], seed: int
) -> pd.DataFrame:
    """Rows of one fold's held-out people by one refit."""
    repeat, fold, role = place
    training = np.flatnonzero(role == "train")
    cohort = study.people["cohort"].to_numpy()
    groups = None if study.groups is None else study.groups[training]
    rng = np.random.default_rng(derive(seed, "plan", "part", repeat, fold))
    some = training[part_of(cohort[training], groups, fraction, rng)]
    held_out = role == "test"
    own = None if study.groups is None else study.groups[some]
    # As `train` gives them: those of the fold's people, where these are of several sites.
    of_fold = study.people.assign(site=study.people["site"].where(role != ""))
    fitted = fit_model(
        READER,
        hyperparameters,
        {modality: values[some] for modality, values in study.X.items()},
        study.people["age"].to_numpy(dtype=float)[some],
        own,
        derive(seed, "plan", "fit", repeat, fold),
        several_sites(of_fold, some),
    )
    blocks = {modality: values[held_out] for modality, values in study.X.items()}
    read = fitted.model.read(blocks, several_sites(of_fold, held_out))
    people = study.people.loc[held_out, ["participant_id", "cohort", "age"]].reset_index(drop=True)
    told = reading_table(fitted.model, read, people, study.people.iloc[some])
    return people.assign(repeat=repeat, fold=fold, fraction=fraction, **told)


def part_of(cohort: Any, groups: IntArray | None, fraction: float, rng: np.random.Generator) -> BoolArray:
    """Draw a part of people, the same part of every cohort and whole groups; larger parts hold smaller ones.

    Parameters
    ----------
    cohort : ndarray of str, shape (n,)
    groups : ndarray of int, shape (n,), or None
        A group is drawn with the cohort of its first member.
    fraction : float
    rng : numpy.random.Generator
        In the same state for parts that are to lie in one another.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    member = np.arange(len(cohort)) if groups is None else np.unique(groups, return_inverse=True)[1]
    _, first, sizes = np.unique(member, return_index=True, return_counts=True)
    taken = np.zeros(len(sizes), dtype=bool)
    order = rng.permutation(len(sizes))
    for own in np.unique(cohort[first]):
        here = order[cohort[first][order] == own]
        before = np.cumsum(sizes[here]) - sizes[here] / 2
        taken[here] = before <= fraction * sizes[here].sum()
    return np.asarray(taken[member])
