"""What `brainpid init` says of study designs: groups by which a study may train, and lists of people to leave out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from brainpid.cohort.exclusions import ID, REASON
from brainpid.core.errors import InputError
from brainpid.core.files import read_header

GROUPS = re.compile(r"(diagnosis|diag|dx|dx_?group|group|patient|case|status|clinical_?group)", re.IGNORECASE)
"""Names of columns that tell patients from controls."""
CONTROLS = re.compile(r"(hc|cn|nc|td|ctrl|control|healthy|normal|typical|none|no)[\w -]*", re.IGNORECASE)
"""Values of people who are healthy, as far as they are known by them."""
MOST_GROUPS = 6
LISTS = tuple(f"{name}.{ending}" for name in ("exclude", "excluded", "exclusions") for ending in ("tsv", "csv"))


def training_groups(sheets: Sequence[pd.DataFrame]) -> dict[str, str]:
    """Columns that all cohorts have and that tell controls from others, each with the value of the controls.

    Parameters
    ----------
    sheets : sequence of DataFrame
        Of each cohort, as `brainpid.cohort.participants.read_participants` gives it.
    """
    shared = set.intersection(*(set(sheet) for sheet in sheets))
    found = {}
    for column in sheets[0]:
        if column not in shared or not GROUPS.fullmatch(column):
            continue
        values = pd.concat([sheet[column] for sheet in sheets]).dropna().astype(str).value_counts()
        controls = [value for value in values.index if CONTROLS.fullmatch(value)]
        if 1 < len(values) <= MOST_GROUPS and controls:
            found[column] = controls[0]
    return found


def list_of_exclusions(participants: Path) -> Path | None:
    """Give the list of people who are left out that lies beside a participants table, where there is one."""
    for path in (participants.parent / name for name in LISTS):
        if path.is_file():
            try:
                header = read_header(path)
            except InputError:  # no table, and so no list
                continue
            if {ID, REASON} <= set(header):
                return path
    return None


def words_on_groups(found: Mapping[str, str]) -> str:
    """Sentence before the keys of training groups; empty without any."""
    if not found:
        return ""
    return "To train on controls alone, predict the others and compare both in brain-PAD, take the sign before it away:"
