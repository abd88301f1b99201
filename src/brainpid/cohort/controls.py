"""Nuisance columns of people: of the participants tables, of tables of their own, and of the quality of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from brainpid.cohort.participants import normalise_ids, read_ids, read_people
from brainpid.config.analysis import ControlQuality, ControlTable, control_name
from brainpid.config.people_tables import PeopleTable
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import read_header, read_own_tsv, read_table, require_column
from brainpid.core.names import SEX, SITE

ID, COHORT = "participant_id", "cohort"
Control = str | ControlTable | ControlQuality


def read_columns(
    controls: Sequence[Control],
    tables: Mapping[str, PeopleTable],
    quality: Mapping[str, Path],
    people: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Columns of the controls of people, by the name of the control.

    Parameters
    ----------
    controls : sequence of str, ControlTable or ControlQuality
    tables : mapping of str to PeopleTable
        Of each cohort.
    quality : mapping of str to path
        ``quality/<modality>.tsv`` of the modalities that are asked for.
    people : DataFrame
        participant_id, cohort and site of n people, each once.

    Returns
    -------
    dict of str to DataFrame
        Of n rows, with the index of `people`. `site` is the first where a cohort has two or more; a control of one
        value is among them all the same. A cell that nobody has given is missing.

    Raises
    ------
    InputError
        Where a file or a column is absent, or no person of a cohort has a row.
    """
    found: dict[str, pd.DataFrame] = {}
    several = people.groupby(COHORT)[SITE].nunique().gt(1).any()
    if several or SITE in controls:
        found[SITE] = people[[SITE]].astype(object)
    for control in controls:
        if control != SITE:
            found[control_name(control)] = _columns(control, tables, quality, people)
    return found


def check_columns(controls: Sequence[Control], tables: Mapping[str, PeopleTable]) -> None:
    """Raise where a file or a column of the controls is absent; of quality tables, which a run makes, nothing is asked.

    Raises
    ------
    InputError
    """
    for control in controls:
        if isinstance(control, ControlTable):
            header = read_header(control.table)
            for column in (ID, *control.columns):
                require_column(control.table, header, column, "of controls")
        elif isinstance(control, str) and control != SITE:
            for table in tables.values():
                column = table.sex if control == SEX else control
                require_column(table.path, read_header(table.path), column, "of controls")


def read_by(controls: Sequence[Control], table: PeopleTable | ControlTable) -> list[str]:
    """Names of the columns that controls read of a file of the user's, for its digest."""
    if isinstance(table, ControlTable):
        return [ID, COHORT, *table.columns]
    own = [table.sex if one == SEX else one for one in controls if isinstance(one, str) and one != SITE]
    return [table.participant_id, *own] if own else []


def controls_in_words(people: pd.DataFrame, controls: Sequence[Control]) -> str:
    """Say what information will also be given beyond, of the rows of ``participants.tsv``; empty where of nothing."""
    taking = people[people["included"].astype(bool)]
    several = bool(taking.groupby(COHORT)[SITE].nunique().gt(1).any())
    names = [SITE] if several or SITE in controls else []
    names += [control_name(one) for one in controls if one != SITE]
    if not names:
        return ""
    by_itself = "; site by itself, for a cohort has several" if several and SITE not in controls else ""
    return f"information is also given beyond {' + '.join(names)} (`controls`{by_itself})"


def _columns(
    control: Control, tables: Mapping[str, PeopleTable], quality: Mapping[str, Path], people: pd.DataFrame
) -> pd.DataFrame:
    """Columns of one control, in the order of people."""
    if isinstance(control, str):
        parts = list(_of_participants(control, tables, people))
        return pd.concat(parts).reindex(people.index)
    if isinstance(control, ControlQuality):
        path: str | Path = quality[control.quality]
        table = read_own_tsv(path)
    else:
        path = control.table
        table = read_table(path, text=[ID, COHORT])
        require_column(path, list(table), ID, "the label of each person")
        table[ID] = normalise_ids(table[ID])
    for column in control.columns:
        require_column(path, list(table), column, f"of the control '{control.name}'")
    keys = [COHORT, ID] if COHORT in table else [ID]
    if (twice := table.duplicated(keys)).any():
        raise InputError(f"{path}: expected one row a person, found several of {list_some(sorted(table[ID][twice]))}")
    if COHORT not in table and (twice := people.duplicated(ID)).any():
        raise InputError(
            f"{path}: labels such as '{people[ID][twice].iloc[0]}' are of people of two cohorts; expected a column "
            f"'{COHORT}' that tells them apart"
        )
    joined: Any = people[[COHORT, ID]].merge(table[[*keys, *control.columns]], how="left", on=keys)
    own = joined[list(control.columns)].set_axis(people.index)
    for cohort, rows in own.groupby(people[COHORT]):
        if rows.isna().all(axis=None):
            raise InputError(
                f"{path}: nobody of cohort '{cohort}' has a value of {list_some(control.columns)}; expected the same "
                "controls of every cohort"
            )
    return own


def _of_participants(column: str, tables: Mapping[str, PeopleTable], people: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """One column of the participants table of each cohort that has people here."""
    for cohort, rows in people.groupby(COHORT, sort=False):
        own = tables[str(cohort)]
        name = own.sex if column == SEX else column
        header = read_header(own.path)
        require_column(own.path, header, own.participant_id, "the label of each person")
        if own.visits is None:
            require_column(own.path, header, name, "of controls")
            table = read_table(own.path, text=[own.participant_id], columns=[own.participant_id, name])
            labels = read_ids(table, own.participant_id, own.path)
            cells = table[name].set_axis(labels).reindex(rows[ID])
        else:
            visits = read_people(own.path, own.participant_id, "", own.visits)
            require_column(own.path, list(visits), name, "of controls")
            cells = visits[name].reindex(rows[ID])
            numbers = pd.to_numeric(cells, errors="coerce")
            cells = numbers if numbers.notna().equals(cells.notna()) else cells
        yield pd.DataFrame({column: cells.to_numpy()}, index=rows.index)
