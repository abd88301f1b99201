"""What later steps will leave out for lack of people, told before anything is trained.

What a run refuses stops it (`brainpid.features.inclusion.plan`). What is told here does not: a table has no row, or a
number that is assumed. Every limit is that of the step itself, and stands beside it or in `brainpid.crossfit.minima`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainpid.cohort.participants import SUCCESS, has_every_modality
from brainpid.cohort.schemes import Division, divisions, explained, of_scheme, sites_of
from brainpid.config.schema import Config
from brainpid.core.errors import list_some
from brainpid.crossfit.minima import why_no_null, why_not_cross_fitted, why_not_decomposed, why_widening_assumed
from brainpid.evaluation.accuracy import MIN_PEOPLE_OF_PATTERN
from brainpid.evaluation.coverage import FEWEST_OF_SITE
from brainpid.evaluation.importance import FEWEST_PERMUTED
from brainpid.evaluation.local_promise import left_out_scheme
from brainpid.evaluation.persons import FEWEST_OF_LINE
from brainpid.evaluation.predictions import FEWEST_OF_REFERENCE
from brainpid.evaluation.selection import FEWEST_TO_CHOOSE, fewest_outside
from brainpid.evaluation.transfer import FEWEST_SITES
from brainpid.model.site_spread import FEWEST_OF_SITE as FEWEST_TO_LEARN


def left_out(people: pd.DataFrame, splits: pd.DataFrame, groups: NDArray[np.int64] | None, config: Config) -> list[str]:
    """Say what will be left out, one sentence each, with what was found and what is needed.

    Parameters
    ----------
    people : DataFrame
        As `brainpid.features.inclusion.join_participants` gives it, n rows.
    splits : DataFrame
        As `brainpid.cohort.splits.make_splits` gives it.
    groups : ndarray of int, shape (n,), or None
        Number of each person's group.
    config : Config
    """
    design = divisions(config.splits, sites_of(people))
    splits = of_scheme(splits, design[0].scheme)
    own = people if groups is None else people.assign(group=groups)
    taking = own[own["included"]].assign(complete=has_every_modality(people, config.modalities))
    decomposed = _decomposed(taking, config)
    return [
        *_tests(taking[taking["complete"]], decomposed, config),
        *(_pooling(decomposed) if len(config.cohorts) > 1 else ()),
        *_folds(taking, splits, decomposed, design[0], config),
        *_accuracy(taking, config),
        *(_gaps(taking) if len(design) > 1 else ()),
        *(_local_people(taking) if left_out_scheme([division.scheme for division in design]) else ()),
    ]


def _decomposed(taking: pd.DataFrame, config: Config) -> list[str]:
    """Cohorts that can be decomposed; the others are named by `plan`."""
    ages = {cohort: rows.loc[rows["complete"], "age"] for cohort, rows in taking.groupby("cohort", sort=False)}
    return [str(name) for name, age in ages.items() if not why_not_decomposed(age.to_numpy(float), config.modalities)]


def _tests(complete: pd.DataFrame, decomposed: list[str], config: Config) -> Iterator[str]:
    """Cohorts without p-values, and those whose widening of standard errors is assumed."""
    for cohort, rows in complete[complete["cohort"].isin(decomposed)].groupby("cohort", sort=False):
        age, own = rows["age"].to_numpy(dtype=float), rows["group"].to_numpy() if "group" in rows else None
        without, folds = "has no null and no p-values", config.null.folds
        assumed = "has standard errors whose widening is assumed and not estimated"
        if reason := why_not_cross_fitted(age, config.modalities, folds):
            yield f"cohort '{cohort}' {f'{without}, and ' if config.null.permutations else ''}{assumed}: {reason}"
            continue
        if config.null.permutations and (reason := why_no_null(age, config.modalities, folds, own)):
            yield f"cohort '{cohort}' {without}: {reason}"
        if reason := why_widening_assumed(len(age), own):
            yield f"cohort '{cohort}' {assumed}: {reason}"


def _pooling(decomposed: list[str]) -> Iterator[str]:
    """Nothing is pooled over one cohort."""
    if len(decomposed) == 1:
        yield f"no decomposition is pooled over cohorts: '{decomposed[0]}' alone can be decomposed; expected 2 or more"


def _folds(
    taking: pd.DataFrame, splits: pd.DataFrame, decomposed: list[str], division: Division, config: Config
) -> Iterator[str]:
    """What single folds are too small for."""
    columns = ["cohort", "participant_id", "age", "complete", *(f"{m}_status" for m in config.modalities)]
    rows = splits.merge(taking[columns], on=["cohort", "participant_id"], validate="many_to_one")
    tested = rows[rows["role"] == "test"]
    yield from _of_single_folds(tested[tested["complete"]], decomposed, division, config)
    chosen = tested[tested["complete"] & tested["cohort"].isin(decomposed)]
    ordered = chosen.sort_values(["repeat", "cohort", "participant_id"])
    fold = ordered["fold"].to_numpy(dtype=np.int64).reshape(division.repeats, -1)
    if (found := fewest_outside(fold)) < FEWEST_TO_CHOOSE:
        yield (
            f"the choice of modalities is not judged on people who had no part in it: {found} people are outside one "
            f"of the folds; expected at least {FEWEST_TO_CHOOSE}"
        )
    yield from _explained(tested, division, config)
    trained = rows[rows["role"] == "train"].groupby(["cohort", "repeat", "fold"]).size()
    least = {
        cohort: own for cohort in dict.fromkeys(tested["cohort"]) if (own := _least(trained, cohort, division)) >= 0
    }
    few = [f"'{cohort}' ({n})" for cohort, n in least.items() if n < FEWEST_OF_REFERENCE]
    if few and division.scheme == "kfold":
        yield (
            f"log scores of cohort {list_some(few)} are relative to the targets of its test people as well: fewer than "
            f"{FEWEST_OF_REFERENCE} of it are in training"
        )


def _least(trained: pd.Series, cohort: str, division: Division) -> int:
    """Fewest training people of a cohort in any fold."""
    own = trained[cohort] if cohort in trained.index.get_level_values("cohort") else trained.iloc[:0]
    return int(own.min()) if len(own) == len(division.places) else 0


def _of_single_folds(
    complete: pd.DataFrame, decomposed: list[str], division: Division, config: Config
) -> Iterator[str]:
    """Cohorts that have no rows in the tables of folds alone; they are decomposed over all folds."""
    said = []
    for cohort in decomposed:
        # Of a whole cohort or site one fold tests the people.
        of_folds = len(division.places) if division.scheme == "kfold" else _tests_of(complete, cohort)
        parts = [own for _, own in complete[complete["cohort"] == cohort].groupby(["repeat", "fold"])["age"]]
        told = sum(not why_not_decomposed(age.to_numpy(dtype=float), config.modalities) for age in parts)
        if told < of_folds:
            said.append(f"'{cohort}' in {of_folds - told} of {of_folds}")
    if said:
        yield (
            f"folds/*/pid.tsv lacks rows of cohort {list_some(said)} folds, too few of whose test people have every "
            "modality; aggregate/pid.tsv, of all folds together, has them"
        )


def _tests_of(complete: pd.DataFrame, cohort: str) -> int:
    """Folds that test people of a cohort."""
    return len(complete.loc[complete["cohort"] == cohort, ["repeat", "fold"]].drop_duplicates())


def _explained(tested: pd.DataFrame, division: Division, config: Config) -> Iterator[str]:
    """Modalities that cannot be permuted in a fold whose model is explained."""
    if not config.explain.permutations:
        return
    places = explained([division], config.explain)
    asked = tested[[place in places for place in zip(tested["repeat"], tested["fold"], strict=True)]]
    for modality in config.modalities:
        having = (asked[f"{modality}_status"] == SUCCESS).groupby([asked["repeat"], asked["fold"]]).sum()
        if short := int((having < FEWEST_PERMUTED).sum()):
            yield (
                f"{modality} has no importance in {short} of {len(having)} folds: {int(having.min())} test people have "
                f"it; expected at least {FEWEST_PERMUTED}"
            )


def _accuracy(taking: pd.DataFrame, config: Config) -> Iterator[str]:
    """Patterns of modalities, sites and quantities of single people that have no row."""
    has = taking[[f"{modality}_status" for modality in config.modalities]] == SUCCESS
    pattern = has.apply(lambda row: "+".join(m for m, own in zip(config.modalities, row, strict=True) if own), axis=1)
    sizes = taking.groupby(["cohort", pattern[~taking["complete"]]], sort=False).size()
    few = [f"{n} of '{cohort}' with {name} alone" for (cohort, name), n in sizes.items() if n < MIN_PEOPLE_OF_PATTERN]
    if few:
        yield (
            f"accuracy.tsv has no row of its own for {list_some(few, 4)}; expected at least {MIN_PEOPLE_OF_PATTERN} "
            "people (they are predicted all the same)"
        )
    sites = taking.groupby("site", sort=False).size()
    if len(sites) > 1 and (small := sites[sites < FEWEST_OF_SITE]).size:
        names = [f"'{site}' ({n})" for site, n in small.items()]
        yield f"coverage.tsv has no row of site {list_some(names, 4)}; expected at least {FEWEST_OF_SITE} people"
    yield from _of_cohorts(taking, has, config)


def _gaps(taking: pd.DataFrame) -> Iterator[str]:
    """What sites are too few for."""
    if (sites := taking["site"].nunique()) < FEWEST_SITES:
        yield (
            f"transfer.tsv has intervals over people alone, which say nothing of how sites differ: there are {sites} "
            f"sites; expected at least {FEWEST_SITES}"
        )


def _local_people(taking: pd.DataFrame) -> Iterator[str]:
    """What sites are too few or too small for."""
    sizes = taking["site"].value_counts()
    if (large := int((sizes >= FEWEST_TO_LEARN).sum())) < FEWEST_SITES:
        yield (
            f"calibration.tsv, what a few people of a new site are worth, is empty: {large} sites have "
            f"{FEWEST_TO_LEARN} people or more; expected at least {FEWEST_SITES}"
        )


def _of_cohorts(taking: pd.DataFrame, has: pd.DataFrame, config: Config) -> Iterator[str]:
    """What is told of a whole cohort's people."""
    for cohort, rows in taking.groupby("cohort", sort=False):
        counts: Mapping[str, int] = {m: int(has.loc[rows.index, f"{m}_status"].sum()) for m in config.modalities}
        if few := [f"{n} have {modality}" for modality, n in counts.items() if 0 < n < FEWEST_OF_LINE]:
            yield (
                f"cohort '{cohort}': person.tsv has no common and specific brain-PAD where {list_some(few)}; expected "
                f"at least {FEWEST_OF_LINE} people"
            )
