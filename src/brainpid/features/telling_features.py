"""Features that are no measures of a brain: the target itself or a function of it, a code of the site, a row number."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from brainpid.core.arrays import FloatArray
from brainpid.features.findings import ERROR, WARNING, Finding, Severity

NEARLY, NEARLY_IN_RANK = 0.99, 0.98
"""Correlations with the target, in size, that no measure of the brain has."""
LINKED = 0.3
"""Rank correlation from which on a feature that is called after the target is told."""
SCREENED = 0.5
"""Correlation below which the rank correlation is not looked at, for speed."""
FEWEST = 20
"""People from whom it is told, of all cohorts or of one."""
FEWEST_OF_SITE = 5
SAME = 0.02
"""Standard deviations that a copy of the target, such as a rounded one, is off by on average."""
NAMES_OF_AGE = {"age", "ages", "dob", "yob", "birth", "birthdate", "birthday", "birthyear", "years"}
"""Parts of names, between signs, by which a feature is called after age."""


def telling_features(
    people: pd.DataFrame, modality: str, values: pd.DataFrame, target: str, given: bool = True
) -> list[Finding]:
    """Findings among the features of one modality.

    Parameters
    ----------
    people : DataFrame
        cohort, site and age of n people.
    modality : str
    values : DataFrame, shape (n, p)
        Features by name.
    target : str
        Name of the target's column.
    given : bool
        Whether names count: those that this program gave to what it measured do not.
    """
    return [
        *_of_target(people, modality, values, target, given),
        *_of_site(people["cohort"] + " " + people["site"].fillna("").astype(str), modality, values),
        *_row_numbers(people["cohort"], modality, values),
    ]


def _of_target(
    people: pd.DataFrame, modality: str, values: pd.DataFrame, target: str, given: bool
) -> Iterator[Finding]:
    """The target, functions of it, and what is called after it and goes with it."""
    age = people["age"].to_numpy(dtype=float)
    table = values.to_numpy(dtype=float)
    copies: list[tuple[str, str]] = []
    functions: list[tuple[str, str]] = []
    named: list[tuple[str, str]] = []
    parts = [np.ones(len(age), dtype=bool)]
    if len(set(people["cohort"])) > 1:
        parts += [(people["cohort"] == cohort).to_numpy() for cohort in people["cohort"].unique()]
    called = np.array([given and _is_called(name, target) for name in values.columns], dtype=bool)
    for part in parts:
        known = part & np.isfinite(age)
        if known.sum() < FEWEST or np.ptp(age[known]) == 0:
            continue
        screened = np.abs(_correlations(table[known], age[known]))
        for column in np.flatnonzero((screened >= SCREENED) | called):
            name, own = str(values.columns[column]), table[known, column]
            there = np.isfinite(own)
            x, y = own[there], age[known][there]
            if len(x) < FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
                continue
            rank = float(spearmanr(x, y).statistic)
            words_on = f"{name} (rank correlation {rank:.3f}, {len(x)} people)"
            if np.abs(x - y).mean() <= SAME * y.std():
                copies.append((name, words_on))
            elif abs(rank) >= NEARLY_IN_RANK or abs(np.corrcoef(x, y)[0, 1]) >= NEARLY:
                functions.append((name, words_on))
            elif called[column] and abs(rank) >= LINKED:
                named.append((name, words_on))
    remedy = "leave it out with drop"
    told: tuple[tuple[str, Severity, list[tuple[str, str]], str], ...] = (
        ("target_among_features", ERROR, copies, f"{target} itself is a feature, and results are of nothing else"),
        ("function_of_target", ERROR, functions,
         f"a feature is nearly a function of {target}, and no measure of the brain is"),
        ("called_after_target", WARNING, named, f"a feature is called after {target} and goes with it"),
    )  # fmt: skip
    for kind, severity, found, words in told:
        first = dict(reversed(found))
        if first:
            yield Finding(kind, severity, modality, len(first), tuple(reversed(first.values())), words, remedy)


def _correlations(table: FloatArray, y: FloatArray) -> FloatArray:
    """Correlation of each column (n, p) with y (n,), where what is not known is the mean; shape (p,)."""
    known = np.isfinite(table)
    count = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, table, 0.0)
    centred = np.where(known, table - centred.sum(axis=0) / count, 0.0)
    deviation = y - y.mean()
    spread = np.sqrt((centred**2).sum(axis=0) * (known * deviation[:, None] ** 2).sum(axis=0))
    return np.asarray((centred * deviation[:, None]).sum(axis=0) / np.where(spread > 0, spread, np.inf))


def _is_called(name: str, target: str) -> bool:
    """Whether a feature is called after age, or after the target."""
    parts = [part for part in re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()) if part]
    return bool(NAMES_OF_AGE & set(parts)) or name.lower() == target.lower()


def _of_site(site: pd.Series, modality: str, values: pd.DataFrame) -> Iterator[Finding]:
    """Features that are one value in all people of a site, and another elsewhere."""
    sizes = site.value_counts()
    sites = [name for name, size in sizes.items() if size >= FEWEST_OF_SITE]
    if len(sites) < 2:
        return
    ends = [_ends(values.to_numpy(dtype=float)[(site == name).to_numpy()]) for name in sites]
    low, high = (np.array([pair[end] for pair in ends]) for end in (0, 1))
    constant = (low == high).all(axis=0)  # not where a site has no value
    found = np.flatnonzero(constant & (low.max(axis=0) > low.min(axis=0)))
    if len(found):
        yield Finding(
            "code_of_site", WARNING, modality, len(found), tuple(str(values.columns[column]) for column in found),
            "a feature is the same in everybody of a site and differs between sites: it tells the site alone",
            "leave it out with drop",
        )  # fmt: skip


def _ends(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest known value of each column; infinite where there is none."""
    known = np.isfinite(values)
    return np.where(known, values, np.inf).min(axis=0), np.where(known, values, -np.inf).max(axis=0)


def _row_numbers(cohort: pd.Series, modality: str, values: pd.DataFrame) -> Iterator[Finding]:
    """Features that count people: different whole numbers in a cohort without wide gaps."""
    table = values.to_numpy(dtype=float)
    found: NDArray[np.bool_] = np.zeros(table.shape[1], dtype=bool)
    for name in cohort.unique():
        own = table[(cohort == name).to_numpy()]
        low, high = _ends(own)
        known = np.isfinite(own)
        whole = (np.where(known, own, 0) % 1 == 0).all(axis=0)
        n = known.sum(axis=0)
        with np.errstate(invalid="ignore"):
            dense = (n >= FEWEST) & (high - low < 2 * n)
        for column in np.flatnonzero(whole & dense & ~found):
            found[column] = len(np.unique(own[known[:, column], column])) == n[column]
    if found.any():
        yield Finding(
            "row_number", WARNING, modality, int(found.sum()), tuple(map(str, values.columns[found])),
            "a feature is another whole number in every person, as a row number is: an order of people "
            "may tell site and target", "leave it out with drop",
        )  # fmt: skip
