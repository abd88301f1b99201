"""Visits of people as rows of their own: labels such as ``sub-01_ses-2``, and what is known of each visit.

A participants table either has one row a visit, with the session in the label or in a column, or one row a person; then
the ``sub-01_sessions.tsv`` of the BIDS dataset has a row a visit, whose cells take the place of the person's. What a
visit has no cell for, such as sex, is the person's; the target of several visits never is.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import pandas as pd

from brainpid.cohort.names import MARK, visit_of
from brainpid.cohort.person_files import listed, sessions
from brainpid.config.visits import PERSON, Visits
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import LINES, line_of, read_header, read_table, require_column

SESSION = "session_id"
"""Column of a ``sessions.tsv`` that names the visit."""
log = logging.getLogger(__name__)


def with_visits(table: pd.DataFrame, labels: pd.Series, path: str | Path, target: str, visits: Visits) -> pd.DataFrame:
    """Give a participants table one row a visit, with the visits' labels and the person's in the column `PERSON`.

    Parameters
    ----------
    table : DataFrame
        Texts as they stand in the file, without spaces around them.
    labels : Series
        Label of each row, with ``sub-``; one of several visits may stand in several rows.
    path : path
        Of the table.
    target : str
        Column of the target; empty where it is not looked at.
    visits : Visits

    Returns
    -------
    DataFrame
        With the labels of the visits as its index.

    Raises
    ------
    InputError
        Where somebody has several rows and they are not told apart, or a ``sessions.tsv`` has no column of sessions, a
        row without a session or several of one.
    """
    named = labels.str.contains(MARK, regex=False)
    if visits.session in table:
        session = table[visits.session].str.removeprefix("ses-")
        labels = labels.where(named | session.isna(), labels + MARK + session.fillna(""))
        named = labels.str.contains(MARK, regex=False)
    if (twice := labels.duplicated(keep=False) & ~named).any():
        raise InputError(
            f"{path}: {list_some(sorted(set(labels[twice])))} have several rows, which are not told apart; expected "
            f"the session of each in a column '{visits.session}', or in the label as in sub-01_ses-1"
        )
    people = labels.map(lambda label: visit_of(label)[0])
    if PERSON not in table:
        table = table.assign(**{PERSON: people})
    rows: list[dict[str, Any]] = []
    index: list[str] = []
    lines: list[int] = []
    ageless: list[str] = []
    for row, label in enumerate(labels):
        own = table.iloc[row].to_dict()
        found = {label: own}
        if not named.iloc[row] and visits.bids is not None:
            found = _of_sessions(Path(visits.bids), label, own, target)
            if target and len(found) > 1 and all(pd.isna(cells.get(target)) for cells in found.values()):
                ageless.append(label)
        rows += found.values()
        index += found
        lines += [line_of(table, row)] * len(found)
    if ageless:
        log.warning(
            "%s: %d people have several visits and no %s of each, expected in the sub-<label>_sessions.tsv of each, or "
            "one row a visit here: %s", path, len(ageless), target, list_some(ageless),
        )  # fmt: skip
    expanded = pd.DataFrame(rows, index=index)
    expanded.attrs[LINES] = lines
    return expanded


def _of_sessions(bids: Path, person: str, own: dict[str, Any], target: str) -> dict[str, dict[str, Any]]:
    """Cells of every visit of a person by its label."""
    told: dict[str, dict[str, Any]]
    path = _sessions_file(bids, person)
    if path is None:
        names = [folder.name.removeprefix("ses-") for folder in sessions(bids / person, None) if folder.name != person]
        told = {name: {} for name in names}
    else:
        require_column(path, read_header(path), SESSION, "which visit a row is")
        table = read_table(path)
        names = table[SESSION].str.strip().str.removeprefix("ses-").tolist()
        for row, name in enumerate(names):
            if not isinstance(name, str) or not name:
                raise InputError(f"{path}: line {line_of(table, row)}: no {SESSION}; expected the session of each row")
            if name in names[:row]:
                raise InputError(
                    f"{path}: line {line_of(table, row)}: expected one row a session, found several of '{name}'"
                )
        told = {
            name: {
                column: cell.strip() for column, cell in cells.items() if column != SESSION and isinstance(cell, str)
            }
            for name, cells in zip(names, table.to_dict("records"), strict=True)
        }
    if not told:
        return {person: own}
    several = {} if len(told) == 1 or not target else {target: None}
    return {f"{person}{MARK}{name}": own | several | cells for name, cells in told.items()}


def _sessions_file(bids: Path, person: str) -> Path | None:
    """Table of a person's visits, where there is one."""
    path = bids / person / f"{person}_sessions.tsv"
    return path if path.is_file() else None


def visits_digest(visits: Visits) -> str:
    """Digest of what a BIDS dataset tells of visits: names of sessions, and the content of ``sessions.tsv``."""
    digest = hashlib.sha256()
    for folder in listed(Path(visits.bids)) if visits.bids is not None else []:
        if folder.name.startswith("sub-") and folder.is_dir():
            names = [visit.name for visit in sessions(folder, None)]
            digest.update(f"{folder.name} {' '.join(names)}\n".encode())
            if (path := _sessions_file(folder.parent, folder.name)) is not None:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
