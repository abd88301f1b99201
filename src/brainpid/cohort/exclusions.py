"""The study's own list of people, or of single modalities of theirs, that are to be left out, each with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brainpid.cohort.names import visit_of
from brainpid.cohort.participants import read_ids
from brainpid.core.errors import InputError, did_you_mean, list_some
from brainpid.core.files import line_of, read_header, read_table, require_column

ID, REASON, MODALITY = "participant_id", "reason", "modality"

Exclusions = dict[str, dict[str, str]]
"""Reasons by modality and person."""


def read_exclusions(path: str | Path, people: Sequence[str], modalities: Sequence[str]) -> Exclusions:
    """Read a list of exclusions of one cohort.

    Parameters
    ----------
    path : path
        TSV or CSV: participant_id, reason, and where it is not everything that is left out, modality. The label of a
        person whose visits are rows of their own is that of all of them.
    people : sequence of str
        Labels of everybody in the cohort, with ``sub-``.
    modalities : sequence of str
        Modalities of the cohort.

    Returns
    -------
    dict of str to dict of str to str
        Reasons by modality and person; several of one person and modality are joined.

    Raises
    ------
    InputError
        Where a column is absent, a label is nobody's, a modality is none of the cohort's, or a reason is missing.
    """
    header = read_header(path)
    require_column(path, header, ID, "who is left out")
    require_column(path, header, REASON, "why")
    columns = [ID, REASON, *([MODALITY] if MODALITY in header else [])]
    table = read_table(path, columns=columns)
    found: Exclusions = {modality: {} for modality in modalities}
    if table.empty:
        return found
    labels = read_ids(table, ID, path, unique=False)
    visits: dict[str, list[str]] = {}
    for label in people:
        visits.setdefault(visit_of(label)[0], []).append(label)
    own_rows = visits | {label: [label] for label in people}
    if strangers := sorted(set(labels) - set(own_rows)):
        raise InputError(
            f"{path}: {list_some(strangers)} {'is' if len(strangers) == 1 else 'are'} in no row of the participants "
            "table; expected people of the cohort"
        )
    for row, label in enumerate(labels):
        cells = {column: str(table[column].fillna("")[row]).strip() for column in columns}
        line = line_of(table, row)
        if not cells[REASON]:
            raise InputError(f"{path}: line {line}: no reason why {label} is left out; expected one")
        own = cells.get(MODALITY, "")
        if own and own not in found:
            raise InputError(
                f"{path}: line {line}: modality '{own}' is none of the cohort's; {did_you_mean(own, modalities)}"
            )
        for modality in [own] if own else modalities:
            for one in own_rows[label]:
                before = found[modality].get(one)
                found[modality][one] = cells[REASON] if before is None else f"{before}; {cells[REASON]}"
    return found
