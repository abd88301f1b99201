"""Who is trained on, where a study trains on a part of its people, such as controls, and applies the model to others.

The others are predicted as those who are trained on are: once in every repeat, by the model of one fold, which has seen
neither them nor anybody of their group. Nothing follows from them: features are chosen, models, lines of the age bias
and intervals fitted, information read and tested in the training group alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from brainpid.cohort.groups import refuse_two_spellings
from brainpid.config.designs import column_of
from brainpid.core.arrays import BoolArray
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import require_column

TRAINED = "trained_on"
"""Column that says who is of the training group, of whom those are trained on who take part; there where only a part of
the people is."""
TEST, TRAIN, OTHER = "test", "train", "other"
"""Roles of people in a fold; others are predicted by its model and never trained on."""

TrainOn = Mapping[str, tuple[str, ...]]


def in_training_group(sheets: Mapping[str, pd.DataFrame], train_on: TrainOn) -> dict[str, BoolArray]:
    """Mark who of each cohort is of the training group, shape (n,); somebody whose cell is empty is not.

    Parameters
    ----------
    sheets : mapping of cohort to DataFrame
        Participants of each cohort.
    train_on : mapping of str to tuple of str
        One column, and its values.

    Raises
    ------
    InputError
        Where a cohort lacks the column, or nobody of any cohort has one of the values.
    """
    column = str(column_of(train_on))
    values = train_on[column]
    cells = {}
    for cohort, sheet in sheets.items():
        require_column(f"participants of cohort '{cohort}'", list(sheet), column, "train_on")
        cells[cohort] = sheet[column].astype(object)
    found = sorted({str(cell) for own in cells.values() for cell in own.dropna()})
    refuse_two_spellings("train_on", column, found)
    if absent := [value for value in values if value not in found]:
        raise InputError(
            f"train_on: nobody has {column} {list_some(absent)}; expected values of that column, which has "
            f"{list_some(found) if found else 'none'}"
        )
    return {cohort: own.isin(values).to_numpy(dtype=bool) for cohort, own in cells.items()}


def training_group(people: pd.DataFrame) -> pd.DataFrame:
    """Rows of the training group among rows of people who take part, or of predictions; all without the column.

    Parameters
    ----------
    people : DataFrame
        With the column `TRAINED` where only a part of the people is trained on; it is not in the result.
    """
    if TRAINED not in people:
        return people
    return people[people[TRAINED].astype(bool)].drop(columns=TRAINED)


def training_in_words(people: pd.DataFrame, train_on: TrainOn | None, units: str) -> list[str]:
    """Say who is trained on and who is predicted, and which of these are of ages that nobody is trained on.

    Parameters
    ----------
    people : DataFrame
        Everybody: age, included and `TRAINED`.
    train_on : mapping or None
    units : str
        Of the target.
    """
    if train_on is None:
        return []
    column = str(column_of(train_on))
    taking = people[people["included"].astype(bool)]
    inside = taking[TRAINED].astype(bool)
    own, others = taking.loc[inside, "age"], taking.loc[~inside, "age"]
    who = f"({column}: {', '.join(train_on[column])})"
    if len(others) == 0:
        return [f"warning: everybody who takes part is of the training group {who}: train_on has no effect"]
    said = [
        f"{len(own)} people are trained on {who}, aged {own.min():g} to {own.max():g} {units}; {len(others)} others "
        "are predicted and never trained on"
    ]
    if outside := int((~others.between(own.min(), own.max())).sum()):
        said.append(
            f"warning: {outside} of the {len(others)} others are of ages that nobody who is trained on has: they are "
            "predicted beyond what was learned, and compared with nobody"
        )
    return said
