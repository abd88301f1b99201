"""What columns of a table of people are called where they do not have the standard names: labels, age, sex and site."""

from __future__ import annotations

import re
from collections.abc import Sequence

LABELS = ("participantid", "participant", "subjectid", "subject", "subid", "sub", "id", "eid")
"""Names of the column of labels, in the order in which they are taken; without capitals and signs."""
SEXES, SITES = ("sex", "gender"), ("site", "siteid", "center", "centre", "scanner")
_AGES = ("age", "ageyears", "ageatscan", "ageatmri", "scanage", "ageatvisit", "ageatbaseline", "interviewage")
_NO_AGE = {"group", "bin", "onset", "range", "category", "cat", "band", "diagnosis"}


def first_named(header: Sequence[str], names: Sequence[str]) -> str | None:
    """Column of the first of these names, whatever capitals and signs it has; one in small letters before others.

    Examples
    --------
    >>> first_named(["Subject_ID", "Age"], LABELS)
    'Subject_ID'
    """
    plain = [re.sub(r"[^a-z0-9]", "", column.casefold()) for column in header]
    for name in names:
        fit = [column for column, own in zip(header, plain, strict=True) if own == name]
        if fit:
            return min(fit, key=lambda column: column != column.lower())
    return None


def ages_in(header: Sequence[str]) -> list[str]:
    """Columns that may hold ages, the likeliest first.

    Examples
    --------
    >>> ages_in(["mean_age_2", "age_group", "AgeAtScan", "Age"])
    ['Age', 'AgeAtScan', 'mean_age_2']
    """
    likely = [column for name in _AGES if (column := first_named(header, (name,))) is not None]
    words = {column: set(re.split(r"[^a-z0-9]+", column.casefold())) for column in header}
    likely += [column for column, own in words.items() if "age" in own and not own & _NO_AGE]
    return list(dict.fromkeys(likely))


def of_the_person(header: Sequence[str]) -> set[str]:
    """Columns that say how old somebody is, of which sex and where: the target and what goes with it, no features."""
    named = {first_named([column], (*SEXES, *SITES)) for column in header}
    return {*ages_in(header), *(column for column in named if column is not None)}
