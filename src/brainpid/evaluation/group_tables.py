"""Tables of groups of people: how well each is predicted where one is trained on, and how their brain-PAD differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainpid.cohort.groups import refuse_two_spellings
from brainpid.cohort.training_group import TRAINED
from brainpid.core.errors import InputError, list_some
from brainpid.core.names import SEX
from brainpid.core.seeds import derive
from brainpid.evaluation.group_effects import FEWEST, PERMUTATIONS, GroupEffect, comparable, group_effect
from brainpid.evaluation.metrics import accuracy, mean_of_people
from brainpid.evaluation.predictions import by_repeat
from brainpid.evaluation.random_effects import POOLED

MOST_GROUPS = 12
"""Values of a column from which on it is no column of groups."""
CORRECTED, UNCORRECTED = "corrected", "uncorrected"
PADS = {CORRECTED: "brain_pad_corrected", UNCORRECTED: "brain_pad"}
"""Columns of ``person.tsv`` by what `pad` says."""
NO_VALUE = "n/a"
"""Group of people whose cell is empty, in the table of others; they are compared with nobody."""
GROUP_COLUMNS = [
    "cohort", "model", "column", "group", "reference", "pad", "n", "n_reference", "left_out", "age", "age_reference",
    "difference", "ci_low", "ci_high", "cohens_d", "p_value", "permutations", "unadjusted", "reason",
]  # fmt: skip
OTHERS_COLUMNS = [
    "cohort", "model", "column", "group", TRAINED, "n", "mae", "mae_ci_low", "mae_ci_high", "bias", "r2", "pearson_r",
    "coverage", "information_bits", "information_ci_low", "information_ci_high",
]  # fmt: skip
KEYS = ["cohort", "participant_id"]


def reference_of(cells: pd.Series, values: Sequence[str]) -> tuple[str, ...]:
    """Values of the group that the others are compared with: those trained on, else the most frequent one.

    Raises
    ------
    InputError
        Where the column has more than `MOST_GROUPS` values, or one number in two spellings.
    """
    counts = cells.dropna().astype(str).value_counts()
    refuse_two_spellings("groups", str(cells.name), counts.index)
    if len(counts) > MOST_GROUPS:
        raise InputError(
            f"groups: column '{cells.name}' has {len(counts)} values, such as {list_some(sorted(counts.index), 3)}; "
            f"expected groups, at most {MOST_GROUPS}"
        )
    if values:
        return tuple(values)
    return tuple(sorted(counts.index[counts == counts.max()])[:1])


def group_table(
    persons: pd.DataFrame,
    cells: Mapping[str, pd.Series],
    people: pd.DataFrame,
    trained: Mapping[str, Sequence[str]],
    *,
    confidence: float,
    seed: int,
    permutations: int = PERMUTATIONS,
) -> pd.DataFrame:
    """Rows of ``aggregate/groups.tsv``: every group of every column against its reference, by cohort and over cohorts.

    Parameters
    ----------
    persons : DataFrame
        ``aggregate/person.tsv``: one row a person and model.
    cells : mapping of str to Series
        Columns of groups; each with the index (cohort, participant_id).
    people : DataFrame
        sex, and `cluster` where people are of groups that stay together, with the same index.
    trained : mapping of str to sequence of str
        Values of a column that are trained on; they are its reference.
    confidence : float
        Coverage of the intervals.
    seed : int
    permutations : int

    Returns
    -------
    DataFrame
        Columns `GROUP_COLUMNS`.
    """
    records: list[dict[str, Any]] = []
    for model, of_model in persons.groupby("model", sort=False):
        index = pd.MultiIndex.from_frame(of_model[KEYS])
        own = people.reindex(index)
        sex = pd.factorize(own["sex"].fillna(""))[0]
        site = pd.factorize(of_model["cohort"].astype(str) + "/" + of_model["site"].astype(str))[0]
        clusters = own["cluster"].to_numpy() if "cluster" in own else None
        for column, of_column in cells.items():
            own_column = of_column.reindex(index).astype(object)  # without those who do not take part
            values = own_column.to_numpy()
            reference = reference_of(own_column, trained.get(column, ()))
            # Women and men of equal sex are nobody: what is compared is not held equal.
            equal = np.zeros_like(sex) if column == SEX else sex
            for group in sorted({str(value) for value in own_column.dropna()} - set(reference)):
                for cohort, rows in _cohorts(of_model["cohort"], np.isin(values, [group])):
                    for pad, name in PADS.items():
                        differ = of_model[name].to_numpy(dtype=float)
                        taken = rows & np.isin(values, [group, *reference]) & np.isfinite(differ)
                        found = group_effect(
                            differ[taken],
                            values[taken] == group,
                            of_model["age"].to_numpy(dtype=float)[taken],
                            site[taken],
                            equal[taken],
                            confidence=confidence,
                            seed=derive(seed, "groups", column, group, cohort),
                            clusters=None if clusters is None else clusters[taken],
                            permutations=permutations,
                        )
                        who = (cohort, str(model), column, group, " or ".join(reference), pad)
                        records.append(_row(who, found, permutations))
    return pd.DataFrame(records, columns=GROUP_COLUMNS)


def _row(who: tuple[str, ...], found: GroupEffect, permutations: int) -> dict[str, Any]:
    """One row of the table."""
    values = {name: getattr(found, name) for name in GROUP_COLUMNS if hasattr(found, name)}
    drawn = permutations if np.isfinite(found.p_value) else 0
    return dict(zip(GROUP_COLUMNS, who, strict=False)) | values | {"permutations": drawn}


def _cohorts(cohort: pd.Series, in_group: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Rows of every cohort that has people of a group, and of all cohorts where there are several."""
    names = list(dict.fromkeys(cohort))
    for name in names:
        rows = (cohort == name).to_numpy()
        if (rows & in_group).any():
            yield str(name), rows
    if len(names) > 1:
        yield POOLED, np.ones(len(cohort), dtype=bool)


def others_table(predictions: pd.DataFrame, persons: pd.DataFrame, cells: pd.Series, confidence: float) -> pd.DataFrame:
    """Rows of ``aggregate/others.tsv``: how well each group is predicted, those who are trained on first.

    Parameters
    ----------
    predictions : DataFrame
        ``aggregate/predictions.tsv`` of one scheme, with `TRAINED`; people with any modalities count.
    persons : DataFrame
        ``aggregate/person.tsv``, with `TRAINED`.
    cells : Series
        The column that says who is trained on, with the index (cohort, participant_id).
    confidence : float

    Returns
    -------
    DataFrame
        Columns `OTHERS_COLUMNS`: errors in the target's units, a person's repeats averaged first; information in bits,
        relative to the targets of those who are trained on.
    """
    named = cells.astype(object).fillna(NO_VALUE).astype(str).rename("cell").reset_index()
    told, each = predictions.merge(named, on=KEYS, how="left"), persons.merge(named, on=KEYS, how="left")
    records = []
    for (model, cohort), of_cohort in told.groupby(["model", "cohort"], sort=False):
        for trained, rows in sorted(
            of_cohort.groupby([TRAINED, "cell"]), key=lambda item: (not item[0][0], item[0][1])
        ):
            values, age, _ = by_repeat(rows, ["predicted_age", "pi_low", "pi_high"])
            found = accuracy(values["predicted_age"], age, confidence)
            inside = (values["pi_low"] <= age) & (age <= values["pi_high"])
            own = each[(each["model"] == model) & (each["cohort"] == cohort) & (each["cell"] == trained[1])]
            bits, low, high = mean_of_people(own["information"].dropna().to_numpy(dtype=float), confidence)
            records.append(
                {
                    "cohort": cohort, "model": model, "column": cells.name, "group": trained[1], TRAINED: trained[0],
                    "n": found.n, "mae": found.mae, "mae_ci_low": found.mae_ci_low, "mae_ci_high": found.mae_ci_high,
                    "bias": float((values["predicted_age"] - age).mean()), "r2": found.r2,
                    "pearson_r": found.pearson_r, "coverage": float(inside.mean()), "information_bits": bits,
                    "information_ci_low": low, "information_ci_high": high,
                }
            )  # fmt: skip
    return pd.DataFrame(records, columns=OTHERS_COLUMNS)


def groups_in_words(
    people: pd.DataFrame, cells: Mapping[str, pd.Series], trained: Mapping[str, Sequence[str]]
) -> list[str]:
    """Say which groups will be compared, with how many people, and which have too few of equal target and site.

    Parameters
    ----------
    people : DataFrame
        Everybody: cohort, site, age, included.
    cells : mapping of str to Series
        Columns of groups, in the order of `people`.
    trained : mapping of str to sequence of str
        As of `group_table`.
    """
    said = []
    taking = people["included"].to_numpy(dtype=bool)
    site = pd.factorize(people["cohort"].astype(str) + "/" + people["site"].astype(str))[0]
    for column, own in cells.items():
        reference = reference_of(own[taking], trained.get(column, ()))
        values = own.astype(object).to_numpy()
        groups = sorted({str(value) for value in own[taking].dropna()} - set(reference))
        if not groups:
            alone = f"everybody has {' or '.join(reference)}" if reference else "nobody has a value"
            said.append(f"left out: {column}: {alone}; a comparison takes two groups")
        for group in groups:
            rows = taking & np.isin(values, [group, *reference])
            inside = values[rows] == group
            kept = comparable(inside, people["age"].to_numpy(dtype=float)[rows], site[rows])
            n, n_reference = int((kept & inside).sum()), int((kept & ~inside).sum())
            words = (
                f"{column}: {group} ({int(inside.sum())} people) against {' or '.join(reference)} "
                f"({int((~inside).sum())}), of whom {n} and {n_reference} are of ages and sites that both have"
            )
            few = min(n, n_reference) < FEWEST
            said.append(f"left out: {words}; a comparison takes {FEWEST} of each" if few else f"compared: {words}")
    return said
