"""An audit for leaks: what would make held-out people known, or the target readable otherwise than from the brain.

Everything is told and nothing is removed: whether two people are one, the study knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from brainpid.cohort.training_group import OTHER, TEST
from brainpid.core.arrays import IntArray
from brainpid.core.errors import list_some
from brainpid.features.findings import ERROR, WARNING, Finding, Severity
from brainpid.features.same_people import same_rows
from brainpid.features.telling_features import telling_features

PLAIN_LABEL = re.compile(r"[A-Za-z]*[-_]?\d{1,4}")
"""Labels that two studies may well have given to different people."""
FEWEST_ALIKE = 3
"""People with one plain label in two cohorts, and of one age and sex, from whom on it is no chance."""
LARGEST_FAMILY = 12
ENCODED = 0.7
"""Rank correlation of labels with the target from which on they encode it; chance is less in all but small cohorts."""
BEYOND_CHANCE = 4.5
"""Standard errors that a rank correlation of labels has to be beyond, for the many parts of a label."""
FEWEST_OF_SITE = 10
BETWEEN = 0.05
"""People of other sites with the ages of a site, in parts of its people, below which the site tells the age."""

Pairs = Mapping[tuple[int, int], set[str]]
"""Modalities in which two rows are one person."""


def audit(
    people: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    target: str,
    of_tables: Sequence[str],
    splits: pd.DataFrame | None = None,
    groups: IntArray | None = None,
    families: pd.DataFrame | None = None,
    files: Mapping[tuple[str, str], Mapping[str, str]] | None = None,
    pipelines: Mapping[str, Mapping[str, Mapping[str, int]]] | None = None,
) -> list[Finding]:
    """Look for everything of which this module knows.

    Parameters
    ----------
    people : DataFrame
        participant_id, cohort, site, age and sex of the n people who take part.
    tables : mapping of str to DataFrame, shape (n, p_m)
        Features by modality; a row of NaN is a missing modality.
    target : str
        Name of the target's column.
    of_tables : sequence of str
        Modalities whose features have names from tables.
    splits : DataFrame, optional
        ``splits.tsv``, to tell who are on different sides.
    groups : ndarray of int, shape (n,), optional
        Groups that are kept on one side.
    families : DataFrame, shape (n, f), optional
        Columns that name relatives, missing where not known.
    files : mapping, optional
        Digests of the content of image files by role, of people by cohort and label.
    pipelines : mapping, optional
        By modality and cohort: programs that made the data, with version, and in how many people each.
    """
    labels = (people["cohort"] + "/" + people["participant_id"]).tolist()
    return [
        *_same_people(people, tables, splits, groups, labels),
        *_same_files(files or {}, people),
        *_shared_labels(people, groups),
        *_families(families, groups),
        *_sites(people, target),
        *_labels_of_age(people, target),
        *(
            finding
            for modality, values in tables.items()
            for finding in telling_features(people, modality, values, target, modality in of_tables)
        ),
        *versions_differ(pipelines or {}),
    ]


def _same_people(
    people: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    splits: pd.DataFrame | None,
    groups: IntArray | None,
    labels: Sequence[str],
) -> Iterator[Finding]:
    """Pairs of people whose features are equal, and whose features are nearly equal."""
    values = {modality: table.to_numpy(dtype=np.float32) for modality, table in tables.items()}
    equal: dict[tuple[int, int], set[str]] = {}
    near: dict[tuple[int, int], set[str]] = {}
    for modality, own in values.items():
        for one, other, ratio in same_rows(own):
            if groups is None or groups[one] != groups[other]:
                (near if ratio else equal).setdefault((one, other), set()).add(modality)
    near = {pair: found for pair, found in near.items() if pair not in equal}
    for kind, pairs, words in (
        ("equal_people", equal, "have equal features"),
        ("near_equal_people", near, "have features that are nearer than those of two people, relatives included"),
    ):
        for where, own in _by_place(pairs, people, list(tables)).items():
            apart = None if splits is None else _apart(own, people, splits)
            severity: Severity = ERROR if kind == "equal_people" and apart != 0 else WARNING
            sides = "" if apart is None else f", {apart} of them on different sides of a split"
            what = "counts twice" if apart == 0 else "is held out and trained on at once"
            yield Finding(
                kind, severity, where, len(own), tuple(f"{labels[one]} = {labels[other]}" for one, other in own),
                f"{len(own)} pair(s) {words}{sides}: one person under two labels {what}",
                "remove one of them, or name both as one group (splits.group)",
            )  # fmt: skip


def _by_place(pairs: Pairs, people: pd.DataFrame, order: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Pairs by their cohorts and modalities, in words."""
    cohort = people["cohort"].tolist()
    found: dict[str, list[tuple[int, int]]] = {}
    for (one, other), modalities in sorted(pairs.items()):
        cohorts = dict.fromkeys((cohort[one], cohort[other]))
        where = f"{' and '.join(cohorts)}, {', '.join(m for m in order if m in modalities)}"
        found.setdefault(where, []).append((one, other))
    return found


def _apart(pairs: Sequence[tuple[int, int]], people: pd.DataFrame, splits: pd.DataFrame) -> int:
    """How many pairs are on different sides of any split."""
    keys = ["cohort", "participant_id"]
    named = people[keys].assign(row=np.arange(len(people))).iloc[sorted({row for pair in pairs for row in pair})]
    own = splits.assign(role=splits["role"].replace(OTHER, TEST)).merge(named, on=keys)
    side = own.groupby("row", sort=False)[["repeat", "fold", "role"]]
    roles = {int(row): dict(zip(zip(t["repeat"], t["fold"], strict=True), t["role"], strict=True)) for row, t in side}
    return sum(
        any(roles.get(other, {}).get(fold, role) != role for fold, role in roles.get(one, {}).items())
        for one, other in pairs
    )


def _same_files(files: Mapping[tuple[str, str], Mapping[str, str]], people: pd.DataFrame) -> Iterator[Finding]:
    """Image files of different people with the same bytes."""
    taking = set(zip(people["cohort"], people["participant_id"], strict=True))
    owners: dict[str, list[tuple[str, str]]] = {}
    for (cohort, person), own in files.items():
        if (cohort, person) in taking:
            for content in set(own.values()):
                owners.setdefault(content, []).append((cohort, person))
    shared = sorted({tuple(sorted(own)) for own in owners.values() if len(own) > 1})
    if shared:
        cohorts = dict.fromkeys(cohort for own in shared for cohort, _ in own)
        yield Finding(
            "same_files", ERROR, list_some(cohorts), len(shared),
            tuple(" = ".join(f"{cohort}/{person}" for cohort, person in own) for own in shared),
            "image files of different people have the same bytes", "find out whose they are, and remove the others",
        )  # fmt: skip


def _shared_labels(people: pd.DataFrame, groups: IntArray | None) -> Iterator[Finding]:
    """Labels of one cohort that another has too, where that is no chance of short numbers."""
    own = people.assign(
        row=np.arange(len(people)), label=people["participant_id"].str.replace(r"^sub-", "", regex=True)
    )
    by_cohort = {str(name): rows for name, rows in own.groupby("cohort", sort=False)}
    for (one, first), (other, second) in combinations(by_cohort.items(), 2):
        both = first.merge(second, on="label")
        if groups is not None:
            both = both[groups[both["row_x"]] != groups[both["row_y"]]]
        if both.empty:
            continue
        plain = both["label"].str.fullmatch(PLAIN_LABEL)
        same_sex = (both["sex_x"] == both["sex_y"]) | both["sex_x"].isna() | both["sex_y"].isna()
        alike = plain & ((both["age_x"] - both["age_y"]).abs() <= 0.5) & same_sex
        by_chance = alike.sum() < max(FEWEST_ALIKE, plain.sum() / 2)
        told = both[~plain | (alike & ~by_chance)]
        if len(told):
            yield Finding(
                "shared_labels", WARNING, f"{one} and {other}", len(told),
                tuple(f"{one}/{x} = {other}/{y}" for x, y in told[["participant_id_x", "participant_id_y"]].to_numpy()),
                f"{len(told)} label(s) are in both cohorts: the same people would be held out and trained "
                "on at once", "remove them from one cohort, or name them as groups (splits.group)",
            )  # fmt: skip


def _families(families: pd.DataFrame | None, groups: IntArray | None) -> Iterator[Finding]:
    """Columns by whose values people are relatives who may be on different sides of a split."""
    if families is None:
        return
    for column in families:
        values = families[column]
        sizes = values.value_counts()
        related = sizes[sizes > 1]
        if related.empty or related.median() > LARGEST_FAMILY or 2 * len(sizes) < len(related):
            continue
        if groups is not None:
            together = pd.Series(groups).groupby(values.to_numpy()).nunique()
            related = related[[together[value] > 1 for value in related.index]]
        if len(related):
            yield Finding(
                "relatives_not_grouped", WARNING, f"column '{column}'", len(related), tuple(map(str, related.index)),
                f"{int(related.sum())} people share a value with others, and nothing keeps them on one side of splits: "
                "relatives and visits of one person are alike", f"give splits.group: {column}",
            )  # fmt: skip


def _sites(people: pd.DataFrame, target: str) -> Iterator[Finding]:
    """Sites with ages that hardly anybody of other sites has."""
    known = people[people["age"].notna() & people["site"].notna()]
    own = known["cohort"].astype(str) + " " + known["site"].astype(str)
    sizes = own.value_counts()
    told = []
    for site in [name for name in own.unique() if sizes[name] >= FEWEST_OF_SITE]:
        low, high = known.loc[own == site, "age"].quantile([0.05, 0.95])
        others = known.loc[own != site, "age"]
        if len(others) >= FEWEST_OF_SITE and others.between(low, high).sum() < BETWEEN * sizes[site]:
            told.append(f"{site} {low:.4g} to {high:.4g}")
    if told:
        yield Finding(
            "site_tells_target", WARNING, "sites", len(told), tuple(told),
            f"hardly anybody of other sites is of the {target} of these: what tells the scanner tells the {target}",
            "read what is told within sites, and with sites left out",
        )  # fmt: skip


def _labels_of_age(people: pd.DataFrame, target: str) -> Iterator[Finding]:
    """Cohorts whose labels, or a part of them, go with the target."""
    for cohort, rows in people[people["age"].notna()].groupby("cohort", sort=False):
        age = rows["age"].to_numpy(dtype=float)
        found = max(
            ((abs(_rank_correlation(numbers, age)), part) for part, numbers in _numbers(rows["participant_id"])),
            default=(0.0, ""),
        )
        if found[0] >= max(ENCODED, BEYOND_CHANCE / np.sqrt(max(len(rows) - 1, 1))):
            yield Finding(
                "label_encodes_target", WARNING, str(cohort), len(rows), tuple(rows["participant_id"].head(3)),
                f"{found[1]} of the labels goes with {target} (rank correlation {found[0]:.2f}): whatever keeps the "
                f"order of people, such as a row number or a date of the scan, tells the {target}",
                "be sure that nothing made from labels or their order is a feature; give people other labels before "
                "data are shared",
            )  # fmt: skip


def _rank_correlation(numbers: NDArray[np.float64], age: NDArray[np.float64]) -> float:
    """Rank correlation of known numbers with ages; 0 where there is none."""
    known = np.isfinite(numbers)
    if known.sum() < 0.9 * len(age) or np.ptp(numbers[known]) == 0 or np.ptp(age[known]) == 0:
        return 0.0
    return float(spearmanr(numbers[known], age[known]).statistic)


def _numbers(labels: pd.Series) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Numbers in labels: of each place where digits stand, whole and by two digits; and the alphabetic order."""
    digits = labels.str.findall(r"\d+")
    for place in range(min(int(digits.str.len().max()), 4)):
        texts = digits.str[place]
        yield f"number {place + 1}", pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)
        width = texts.str.len()
        if len(set(width)) == 1 and 2 < width.iloc[0] <= 12:
            for start in range(int(width.iloc[0]) - 1):
                part = pd.to_numeric(texts.str[start : start + 2], errors="coerce")
                yield f"digits {start + 1} and {start + 2} of number {place + 1}", part.to_numpy(dtype=float)
    yield "the alphabetic order", labels.rank().to_numpy(dtype=float)


def versions_differ(pipelines: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Iterator[Finding]:
    """Programs or versions that made a modality of one cohort and not of another, or of some people of a cohort."""
    for modality, cohorts in pipelines.items():
        known = {cohort: own for cohort, own in cohorts.items() if own}
        everything = dict.fromkeys(version for own in known.values() for version in own)
        if len(everything) < 2:
            continue
        differing = len({frozenset(own) for own in known.values()}) > 1
        programs = [[version.rpartition(" ")[0] for version in own] for own in known.values()]
        if differing or any(len(set(own)) < len(own) for own in programs):
            told = (
                f"{cohort}: {', '.join(f'{v} ({n} people)' for v, n in own.items())}" for cohort, own in known.items()
            )
            yield Finding(
                "versions_differ", WARNING, modality, len(everything),
                tuple(told),
                "data were preprocessed by different programs or versions, by which features differ as by scanners"
                + ("" if differing else " within a cohort"),
                "preprocess them alike, or read what is told within cohorts",
            )  # fmt: skip
