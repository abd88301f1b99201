"""Columns of participants tables that name relatives, or visits of one person, and what they say of people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from brainpid.cohort.names import visit_of
from brainpid.cohort.participants import read_ids
from brainpid.core.files import read_header, read_table

FAMILY = re.compile(
    r"(family|fam|twin|pair|pedigree|household|mother|father|sibling|subject|person|individual)s?"
    r"[-_ ]?(id|no|nr|number|code|pair)?",
    re.IGNORECASE,
)
"""Names of such columns."""


def family_columns(names: Sequence[str], label: str) -> list[str]:
    """Columns whose equal values are relatives or visits of a person; `label` is the column of people's labels.

    Examples
    --------
    >>> family_columns(["participant_id", "age", "family_id", "subject"], "participant_id")
    ['family_id', 'subject']
    """
    return [name for name in names if FAMILY.fullmatch(name) and name != label]


def read_families(
    tables: Mapping[str, str | Path], labels: Mapping[str, str], people: pd.DataFrame
) -> pd.DataFrame | None:
    """Values of such columns of each of n people, missing where not known; None where no cohort has such a column.

    Parameters
    ----------
    tables : mapping of str to path
        Participants table of each cohort.
    labels : mapping of str to str
        Column of the labels in each.
    people : DataFrame
        cohort and participant_id of n people.

    Returns
    -------
    DataFrame, shape (n, f), or None
        Values are of one cohort each: two cohorts number their families alike.
    """
    found = []
    for cohort, path in tables.items():
        columns = family_columns(read_header(path), labels[cohort])
        if not columns:
            continue
        table = read_table(path, columns=[labels[cohort], *columns])
        own = pd.DataFrame({"cohort": cohort, "participant_id": read_ids(table, labels[cohort], path, unique=False)})
        for column in columns:
            own[column] = (f"{cohort} " + table[column].str.strip()).to_numpy()
        found.append(own.drop_duplicates("participant_id"))
    if not found:
        return None
    keys = ["cohort", "participant_id"]
    known = {(row.cohort, row.participant_id) for own in found for row in own.itertuples()}
    labels_of = [
        label if (cohort, label) in known else visit_of(label)[0]  # visits are of the person's family
        for cohort, label in people[keys].itertuples(index=False)
    ]
    people = people[keys].assign(participant_id=labels_of)
    return people[keys].merge(pd.concat(found, ignore_index=True), how="left", on=keys).drop(columns=keys)
