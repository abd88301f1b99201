"""What the audit for leaks found, for the report: flags of the summary, a section of the page, and a sentence."""

from __future__ import annotations

from typing import Any

import pandas as pd

from brainpid.features.findings import ERROR, MOST_NAMED
from brainpid.report.words import listed

IN_WORDS = {
    "equal_people": "people whose features are equal to those of others",
    "near_equal_people": "people whose features are nearly equal to those of others",
    "same_files": "people with the same image files",
    "shared_labels": "labels that two cohorts have",
    "relatives_not_grouped": "relatives who may be on both sides of a split",
    "site_tells_target": "sites that tell the target",
    "label_encodes_target": "labels that go with the target",
    "target_among_features": "the target among the features",
    "function_of_target": "features that are nearly the target",
    "called_after_target": "features that are called after the target",
    "code_of_site": "features that are codes of the site",
    "row_number": "features that count people",
    "versions_differ": "different versions of preprocessing",
}
"""Kinds of findings, in words."""
MOST_SHOWN = 20
"""People or features of one finding that the page names; the table has them all."""


def leak_sentences(leakage: pd.DataFrame) -> list[str]:
    """One sentence a finding, errors first, without the full stop and with the first who are meant.

    Parameters
    ----------
    leakage : DataFrame
        ``aggregate/leakage.tsv``.
    """
    told = []
    for row in leakage.fillna("").itertuples():
        who = str(row.who).split("; ")
        more = f" and {len(who) - MOST_NAMED} more" if len(who) > MOST_NAMED else ""
        named = f" ({', '.join(who[:MOST_NAMED])}{more})" if row.who else ""
        told.append(f"{'Leak' if row.severity == ERROR else 'Possible leak'} in {row.where}: {row.words}{named}")
    return told


def leak_rows(leakage: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the page: where, what in words, and who, cut after `MOST_SHOWN`."""
    rows = leakage.fillna("").to_dict("records")
    for row in rows:
        who = str(row["who"]).split("; ")
        row["who"] = ", ".join(who[:MOST_SHOWN]) + (
            f" and {len(who) - MOST_SHOWN} more" if len(who) > MOST_SHOWN else ""
        )
    return [{str(key): value for key, value in row.items()} for row in rows]


def leaks_in_methods(leakage: pd.DataFrame) -> str:
    """Say that it was looked for leaks, and what was found."""
    looked = (
        "Participants and features were audited for leaks (participants who are in the data twice, relatives and "
        "labels across splits, sites and labels that tell the target, features that are functions of it, versions of "
        "preprocessing)"
    )
    if leakage.empty:
        return f"{looked}; none was found."
    kinds = list(dict.fromkeys(leakage["finding"].astype(str)))
    return f"{looked}; found, and left in: {listed([IN_WORDS.get(kind, kind) for kind in kinds])}."
