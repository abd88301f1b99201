"""Which folds the schemes of a study have, and how they are numbered.

The folds of the first scheme have the repeats from 0, those of each further one the repeats that follow, so that a
single scheme keeps its numbers where another is added behind it. A cohort that is of one site, which no other cohort
has, is the same test set whether cohorts or sites are left out, and the same people are left for training: such a fold
is trained once, under the number that it has in the scheme that is named first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from brainpid.config.analysis import Explain, Scheme, Splits
from brainpid.core.errors import InputError

if TYPE_CHECKING:  # processes that run one job do without
    import pandas as pd

BY_SITE = "leave_one_site_out"
SCHEME = "scheme"
"""Column of the schemes that a fold belongs to, joined by +; there where there are several, or sites are left out."""


class Division(NamedTuple):
    """Folds of one scheme.

    Attributes
    ----------
    scheme : str
    first : int
        Number of its first repeat.
    repeats : int
    names : tuple of str
        What each fold tests: a number, a cohort or a site.
    shared : mapping of int to (int, int)
        Folds that an earlier scheme has, with their repeat and fold there.
    """

    scheme: Scheme
    first: int
    repeats: int
    names: tuple[str, ...]
    shared: Mapping[int, tuple[int, int]]

    @property
    def places(self) -> list[tuple[int, int]]:
        """Repeat and fold of every training of its own."""
        return [
            (self.first + repeat, fold)
            for repeat in range(self.repeats)
            for fold in range(len(self.names))
            if fold not in self.shared
        ]


def divisions(splits: Splits, sites: Mapping[str, Sequence[str]]) -> list[Division]:
    """Folds of every scheme of a study.

    Parameters
    ----------
    splits : Splits
    sites : mapping of str to sequence of str
        Sites of every cohort, in the order of its participants table; they are looked at where sites are left out.

    Raises
    ------
    InputError
        Where sites are to be left out and there is one.
    """
    found: list[Division] = []
    for scheme in splits.schemes:
        names: tuple[str, ...] = tuple(sites)
        if scheme == "kfold":
            names = tuple(str(fold) for fold in range(splits.folds))
        elif scheme == BY_SITE:
            names = tuple(dict.fromkeys(site for own in sites.values() for site in own))
            if len(names) < 2:
                raise InputError(
                    f"splits.scheme: {BY_SITE} needs at least 2 sites, found {len(names)} ({', '.join(names)}); name "
                    "the column of the sites under columns.site of the cohort"
                )
        first = sum(division.repeats for division in found)
        shared = _shared(scheme, names, found, sites)
        found.append(Division(scheme, first, splits.repeats_of(scheme), names, shared))
    return found


def _shared(
    scheme: Scheme, names: Sequence[str], earlier: Sequence[Division], sites: Mapping[str, Sequence[str]]
) -> dict[int, tuple[int, int]]:
    """Folds that test a cohort which is one site, where an earlier scheme tests it as well."""
    other = {BY_SITE: "leave_one_cohort_out", "leave_one_cohort_out": BY_SITE}.get(scheme)
    division = next((one for one in earlier if one.scheme == other), None)
    if division is None:
        return {}
    found = {}
    for cohort, own in sites.items():
        site = next(iter(own), cohort)
        alone = len(own) == 1 and not any(site in those for name, those in sites.items() if name != cohort)
        here, there = (site, cohort) if scheme == BY_SITE else (cohort, site)
        if alone:
            found[list(names).index(here)] = (division.first, division.names.index(there))
    return found


def folds_of_repeats(found: Sequence[Division]) -> dict[int, int]:
    """Number of trainings of each repeat that has any."""
    return dict(Counter(repeat for division in found for repeat, _ in division.places))


def explained(found: Sequence[Division], explain: Explain) -> list[tuple[int, int]]:
    """Repeat and fold of the models whose importances are asked: the first ones of the first scheme."""
    folds = len(found[0].names)
    asked = min(explain.folds or folds, folds) if explain.permutations else 0
    return [(repeat, fold) for repeat, fold in found[0].places if repeat < explain.repeats and fold < asked]


def sites_of(people: pd.DataFrame) -> dict[str, list[str]]:
    """Sites of every cohort, in the order of the rows.

    Parameters
    ----------
    people : DataFrame
        cohort and site of everybody, whether or not they take part.
    """
    return {str(cohort): list(dict.fromkeys(rows["site"])) for cohort, rows in people.groupby("cohort", sort=False)}


def of_scheme(table: pd.DataFrame, scheme: str) -> pd.DataFrame:
    """Rows of one scheme of a table with repeat and fold; all, where the table has no column of the schemes.

    Folds that two schemes share have the repeat of the first of them; here a scheme of one repeat has repeat 0
    throughout, and the repeats of `kfold` count from 0.
    """
    if SCHEME not in table:
        return table
    own = table[[scheme in schemes.split("+") for schemes in table[SCHEME]]].drop(columns=SCHEME)
    repeat = own["repeat"] - own["repeat"].min() if scheme == "kfold" else 0
    return own.assign(repeat=repeat)
