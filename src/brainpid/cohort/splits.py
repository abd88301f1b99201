"""On which side of every split a person is.

A stratum is a cohort, a site and a twelfth of the target's plausible range (a decade of age). Within a stratum people
are dealt to the folds in the order of the participants table, a block of K people at a time; the order in which a
block visits the K folds is drawn from a hash of seed, repeat, stratum and block. Every fold so gets each stratum's
people up to a difference of one, and a row that is appended to a participants table never moves anybody: a fold is
given to everybody with a target, whether or not images are missing, so that exclusions move nobody either.

People of one group, such as a family or a site, share a fold: groups are dealt by size, each to the fold that holds the
fewest people, so that a few large groups fill all folds as evenly as they can. Where cohorts or sites are left out one
by one, a group with members in two of them cannot share a fold: those of its members who are elsewhere than the tested
ones are left out of the training of that fold, so that every person is tested, and nobody by a model that has seen a
relative. People whose site is not known may be of any site of their cohort: they are tested together, by models that
have seen nobody of the cohort, and are left out of the training wherever people of their cohort are tested.

Where a part of the people is trained on, folds are dealt among them as if the others were not there; the others are
dealt to the same folds beside them, each to that of the relatives who are trained on, if there are any.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainpid.cohort.groups import group_codes
from brainpid.cohort.schemes import BY_SITE, SCHEME, Division, divisions, sites_of
from brainpid.cohort.training_group import OTHER, TEST, TRAIN, TRAINED
from brainpid.config.analysis import Splits
from brainpid.config.slices import SplitSettings
from brainpid.core.errors import InputError, list_some
from brainpid.core.seeds import derive

TARGET_BINS = 12
"""Bands of the target's plausible range within which folds are balanced, and coverage is shown."""

log = logging.getLogger(__name__)


def deal_folds(strata: Sequence[Hashable], folds: int, repeat: int, seed: int) -> NDArray[np.int64]:
    """Deal people to folds, balanced within strata and stable when people are appended.

    Parameters
    ----------
    strata : sequence, length n
        Stratum of each person, in the order of the participants table.
    folds : int
        Number of folds K.
    repeat, seed : int
        Which drawing of the folds.

    Returns
    -------
    ndarray of int, shape (n,)
        Fold of each person, 0 to K - 1.
    """
    dealt: Counter[Hashable] = Counter()
    assigned = np.empty(len(strata), dtype=np.int64)
    for row, stratum in enumerate(strata):
        block, place = divmod(dealt[stratum], folds)
        assigned[row] = _fold_order(folds, seed, repeat, stratum, block)[place]
        dealt[stratum] += 1
    return assigned


def deal_groups(
    strata: Sequence[Hashable], groups: Sequence[int], folds: int, repeat: int, seed: int
) -> NDArray[np.int64]:
    """Deal groups of people to folds of as equal sizes as they allow: the largest first, each to the smallest fold.

    Groups of about one size, within a factor of two, come stratum by stratum in an order that is drawn, so that
    repeats differ. Among equally large folds that with the fewest people of the group's stratum takes the group.

    Parameters
    ----------
    strata : sequence, length n
        Stratum of each person; a group has that of its first member.
    groups : sequence of int, length n
        Number of each person's group.
    folds, repeat, seed : int
        As for `deal_folds`.

    Returns
    -------
    ndarray of int, shape (n,)
        Fold of each person, the same for all of a group; with fewer groups than folds some folds stay empty.
    """
    sizes = Counter(groups)
    own: dict[int, Hashable] = {}
    for group, stratum in zip(groups, strata, strict=True):
        own.setdefault(group, stratum)

    def drawn(group: int) -> tuple[int, int, int]:
        place = (seed, "split", "groups", repeat)
        return -sizes[group].bit_length(), derive(*place, own[group]), derive(*place, own[group], group)

    held: Counter[int] = Counter()
    of_stratum: Counter[tuple[int, Hashable]] = Counter()
    fold_of = {}
    for group in sorted(sizes, key=drawn):
        order = _fold_order(folds, seed, "groups", repeat, group)
        fold = min(order, key=lambda fold: (held[fold], of_stratum[fold, own[group]]))
        fold_of[group] = fold
        held[fold] += sizes[group]
        of_stratum[fold, own[group]] += sizes[group]
    return np.array([fold_of[group] for group in groups], dtype=np.int64)


def _fold_order(folds: int, seed: int, *place: Hashable) -> list[int]:
    """Order of the folds that is drawn for a place; the same on every machine and with every version of a library."""
    return sorted(range(folds), key=lambda fold: derive(seed, "split", *place, fold))


def make_splits(people: pd.DataFrame, groups: pd.Series | None, settings: SplitSettings) -> pd.DataFrame:
    """Side of every included person in every fold of every repeat.

    Parameters
    ----------
    people : DataFrame
        As `brainpid.features.inclusion.join_participants` gives it.
    groups : Series or None
        Value of the grouping column of each row of `people`; a missing value is a group of its own.
    settings : SplitSettings
        Scheme, folds, repeats and seed, and the target's range, which sets the edges of the strata.

    Returns
    -------
    DataFrame
        participant_id, cohort, repeat, fold, role (train, test, or other of those who are never trained on); scheme,
        where there are several or sites are left out, with + between those that share a fold. A person who shares a
        group with somebody who is tested has no row in that fold, where the tested people are a whole cohort or site,
        and so has one who may be of that site.

    Raises
    ------
    InputError
        Where there are fewer people than folds, or a fold would have nobody to test.
    """
    splits = settings.splits
    included = people["included"].to_numpy(dtype=bool)
    trained = included & _of_group(people)
    labels = None if groups is None else group_codes(groups)
    sites: dict[str, list[str]] = {cohort: [] for cohort in settings.cohorts}
    found = divisions(splits, sites | sites_of(people))
    tables = []
    for division in found:
        for repeat in range(division.repeats):
            fold = _tested_in(people, groups, labels, settings, division, repeat)
            _refuse_empty(fold[included if division.scheme != "kfold" else trained], settings, division, repeat)
            for k in range(len(division.names)):
                tested = included & (fold == k)
                training = trained & (fold != k)
                if division.scheme != "kfold":
                    training &= ~_left_aside(people, labels, tested, training, settings, division, k)
                rows = tested | training
                own = people.loc[rows, ["participant_id", "cohort"]]
                place = (division.first + repeat, k)
                role = np.where(tested, np.where(trained, TEST, OTHER), TRAIN)[rows]
                tables.append(own.assign(repeat=place[0], fold=k, role=role).assign(**{SCHEME: division.scheme}))
    table = pd.concat(tables, ignore_index=True)
    return _with_shared(table, found) if len(found) > 1 or BY_SITE in splits.schemes else table.drop(columns=SCHEME)


def _tested_in(
    people: pd.DataFrame,
    groups: pd.Series | None,
    labels: NDArray[np.int64] | None,
    settings: SplitSettings,
    division: Division,
    repeat: int,
) -> NDArray[np.int64]:
    """Fold that tests each person; -1 for those whom none does."""
    splits, folds = settings.splits, len(division.names)
    if division.scheme != "kfold":
        column = "site" if division.scheme == BY_SITE else "cohort"
        return people[column].map({name: k for k, name in enumerate(division.names)}).to_numpy()
    of_group = _of_group(people)
    everybody = people["included"].to_numpy(dtype=bool)
    included = everybody & of_group
    if included.sum() < 2 * folds:
        verb = "take part" if of_group.all() else "take part and are trained on"
        raise InputError(
            f"{int(included.sum())} people {verb}, which is too few for {folds} folds; expected at least "
            f"{2 * folds}, two a fold. Give fewer splits.folds or look at the reasons in participants.tsv"
        )
    if groups is not None and repeat == 0:
        _say_groups(groups[included], group_codes(groups[included]), settings)
    edges = np.linspace(*settings.target.range, TARGET_BINS + 1)[1:-1]
    strata = [
        (cohort, site, int(level))
        for cohort, site, level in zip(people["cohort"], people["site"], np.digitize(people["age"], edges), strict=True)
    ]
    # Groups are dealt by the number of people who take part; single people whether or not they do.
    known = people["age"].notna().to_numpy()
    fold = np.full(len(people), -1)
    dealt = known & of_group if labels is None else included
    fold[dealt] = _dealt(strata, labels, dealt, splits, repeat)
    others = known & ~of_group if labels is None else everybody & ~of_group
    if labels is not None:  # relatives of those who are trained on are with them
        own = dict(zip(labels[dealt].tolist(), fold[dealt].tolist(), strict=True))
        fold[others] = [own.get(label, -1) for label in labels[others].tolist()]
        others &= fold < 0
    fold[others] = _dealt([(OTHER, *stratum) for stratum in strata], labels, others, splits, repeat)
    return fold


def _of_group(people: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the training group, whether or not its people take part; everybody, where all are trained on."""
    return people[TRAINED].to_numpy(dtype=bool) if TRAINED in people else np.ones(len(people), dtype=bool)


def _dealt(
    strata: Sequence[Hashable], labels: NDArray[np.int64] | None, rows: NDArray[np.bool_], splits: Splits, repeat: int
) -> NDArray[np.int64]:
    """Folds of the people of some rows, alone or by their groups; shape (number of rows,)."""
    own = [stratum for stratum, known in zip(strata, rows, strict=True) if known]
    if labels is None:
        return deal_folds(own, splits.folds, repeat, splits.seed)
    return deal_groups(own, labels[rows].tolist(), splits.folds, repeat, splits.seed)


def _refuse_empty(fold: NDArray[np.int64], settings: SplitSettings, division: Division, repeat: int) -> None:
    """Raise where a fold has nobody to test; of a site, whose people all lack something, it is said."""
    folds = len(division.names)
    empty = np.flatnonzero(np.bincount(fold, minlength=folds) == 0)
    if not len(empty):
        return
    names = empty if division.scheme == "kfold" else np.array(division.names)[empty]
    if division.scheme == BY_SITE:
        log.warning("nobody of site %s takes part: nobody is tested in its fold", list_some(names))
        return
    raise InputError(
        f"repeat {repeat}: nobody to test in fold(s) {list_some(names)} of {folds}, with {len(fold)} "
        "people included; give fewer splits.folds, or leave the cohort out"
    )


def _left_aside(
    people: pd.DataFrame,
    labels: NDArray[np.int64] | None,
    tested: NDArray[np.bool_],
    training: NDArray[np.bool_],
    settings: SplitSettings,
    division: Division,
    fold: int,
) -> NDArray[np.bool_]:
    """Who takes no part in the training of a fold: relatives of those tested, and who may be of the tested site.

    A person of no known site may be of any site of the cohort.
    """
    cohort = people["cohort"].to_numpy()
    aside = np.zeros(len(people), dtype=bool)
    if labels is not None:
        aside = training & np.isin(labels, labels[tested])
        if aside.any():
            log.info(
                "fold %d: %d people of other %s share a group (%s) with people of '%s', who are tested, "
                "and take no part in the training", fold, int(aside.sum()),
                "sites" if division.scheme == BY_SITE else "cohorts", settings.splits.group, division.names[fold],
            )  # fmt: skip
    unknown = (people["site"] == people["cohort"]).to_numpy()
    maybe = training & np.isin(cohort, cohort[tested]) & (unknown | np.isin(cohort, cohort[tested & unknown]))
    if maybe.any():
        log.info(
            "fold %d: %d people take no part in the training, because it is not known whether they are of the same "
            "site as people of '%s', who are tested", fold, int(maybe.sum()), division.names[fold],
        )  # fmt: skip
    return aside | maybe


def _with_shared(table: pd.DataFrame, found: Sequence[Division]) -> pd.DataFrame:
    """Folds that two schemes share once, as folds of both."""
    for division in found:
        for fold, (repeat, there) in division.shared.items():
            own = (table["repeat"] == division.first) & (table["fold"] == fold)
            twin = (table["repeat"] == repeat) & (table["fold"] == there)
            table.loc[twin, SCHEME] += f"+{division.scheme}"
            table = table[~own]
    return table.reset_index(drop=True)


def _say_groups(groups: pd.Series, labels: NDArray[np.int64], settings: SplitSettings) -> None:
    """Raise where fewer groups than folds take part; say where one is so large that folds cannot be alike."""
    column, folds = settings.splits.group, settings.splits.folds
    sizes = np.bincount(labels)
    if len(sizes) < folds:
        remedy = (
            f"give splits.folds: {len(sizes)} or fewer, or another column" if len(sizes) > 2 else "give another column"
        )
        raise InputError(
            f"splits.group: {len(labels)} people who take part are of {len(sizes)} group(s) of '{column}', which is "
            f"too few for {folds} folds, because a group stays on one side; {remedy}"
        )
    if missing := int(groups.isna().sum()):
        log.warning("%d people have no '%s' and are groups of their own", missing, column)
    if sizes.max() > 2 * len(labels) / folds:
        log.warning(
            "the largest group of '%s' ('%s') has %d of %d people, more than two folds of %d would hold: folds are of "
            "different sizes", column, groups.iloc[int(np.flatnonzero(labels == sizes.argmax())[0])], sizes.max(),
            len(labels), folds,
        )  # fmt: skip
