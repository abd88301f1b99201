"""Tables of people for `brainpid init`: which one of a folder it is, and how its columns are to be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainpid.cohort.columns import LABELS, SEXES, SITES, ages_in, first_named
from brainpid.cohort.participants import read_labels, read_participants
from brainpid.cohort.person_files import listed
from brainpid.cohort.targets import PER_YEAR
from brainpid.config.cohorts import Columns, Target
from brainpid.config.slices import ParticipantsSettings
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import read_header
from brainpid.core.rows import DELIMITERS
from brainpid.features.tables import read_units
from brainpid.features.units import UNKNOWN_UNIT, canonical_unit

FAMILY = re.compile(r"(family|fam)(_?id)?|twin_?id", re.IGNORECASE)
UNITS = {"month": "months", "day": "days"}


@dataclass(frozen=True)
class People:
    """A table of people, and how it is to be read.

    Attributes
    ----------
    path : path
    columns : Columns
        Names of its columns, where they are not the standard ones.
    target : Target
        Age, in the unit that the table has it in.
    choices : tuple of str
        What else there is.
    sheet : DataFrame
        As `brainpid.cohort.participants.read_participants` gives it.
    """

    path: Path
    columns: Columns
    target: Target
    choices: tuple[str, ...]
    sheet: pd.DataFrame


def labels_in(path: Path) -> list[str]:
    """Labels of everybody in a table of people."""
    return read_labels(path, first_named(read_header(path), LABELS) or "participant_id")


def people_table(folder: Path, stems: Sequence[str] = ()) -> Path | None:
    """The table of labels and ages of a folder: participants.tsv first, then the one with the fewest columns."""
    fit = []
    for path in listed(folder):
        if path.suffix not in DELIMITERS or not path.is_file() or (stems and path.stem not in stems):
            continue
        try:
            header = read_header(path)
        except InputError:  # no table; what it is, is said where it is looked at as one of features
            continue
        if first_named(header, LABELS) is not None and ages_in(header):
            fit.append((path.stem != "participants", len(header), path.name, path))
    return min(fit)[-1] if fit else None


def read_people(cohort: str, path: Path) -> People:
    """Read a table of people under whatever names its columns have.

    Raises
    ------
    InputError
        Where it has no column of labels or of ages, or the ages are no ages.
    """
    header = read_header(path)
    label, ages = first_named(header, LABELS), ages_in(header)
    if label is None or not ages:
        what = "labels, such as participant_id" if label is None else "ages, such as age"
        raise InputError(f"{path}: expected a column of {what}, found {list_some(header, 8)}")
    sex, site = first_named(header, SEXES) or "sex", first_named(header, SITES) or "site"
    age = ages[0]
    columns = Columns(participant_id=label, target=None if age == "age" else age, sex=sex, site=site)
    choices = []
    if age != "age" or len(ages) > 1:
        others = f"; others that may be meant: {list_some(ages[1:], 4)}" if len(ages) > 1 else ""
        choices.append(f"age is the column '{age}'{others}; `columns: {{target: ...}}` takes another")
    families = [name for name in header if FAMILY.fullmatch(name)]
    if families:
        choices.append(f"'{families[0]}' may keep relatives on one side of every split, by `splits: {{group: ...}}`")
    target, words, sheet = _target(cohort, path, columns, read_units(path).get(age, UNKNOWN_UNIT))
    if capped := [cell for cell in sheet.get("target_reason", pd.Series(dtype=str)).dropna() if "+'" in cell]:
        cell = capped[0].split("'")[1]
        key = f"replace: {{{cell}: {cell.removesuffix('+')}}}"
        choices.append(f"{len(capped)} without an age, as {capped[0]}; `{key}` under `target:` gives one")
    return People(path, columns, target, (*choices, *words), sheet)


def _target(cohort: str, path: Path, columns: Columns, unit: str) -> tuple[Target, list[str], pd.DataFrame]:
    """Unit of the ages by the dictionary of the table, else by the numbers, and the people."""

    def read(target: Target) -> pd.DataFrame:
        return read_participants(
            cohort, ParticipantsSettings(path=str(path), columns=columns, target=target, visits=None)
        )

    if (named := UNITS.get(canonical_unit(unit))) is not None:
        target = _in(named)
        return target, [f"ages are in {named}, by the JSON beside the table"], read(target)
    try:
        return Target(), [], read(Target())
    except InputError as fault:
        named = next((own for own in PER_YEAR if f"are these {own}?" in str(fault)), None)
        if named is None:
            raise
    target = _in(named)
    return target, [f"ages are taken to be in {named}: they are too large for years"], read(target)


def _in(unit: str) -> Target:
    """Age in another unit than years, up to the same age."""
    return Target(units=unit, range=(0.0, 120 * PER_YEAR[unit]))
