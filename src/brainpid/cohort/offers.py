"""What `brainpid init` finds: the offer of one reader for one modality, and what a recogniser is.

A recogniser looks into one folder and says which of a cohort's people a reader would find there, by the finder that
reads them later. A new reader joins by a `Recogniser` in `brainpid.features.recognisers.RECOGNISERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Place:
    """A folder, and whose data are looked for in it.

    Attributes
    ----------
    folder : path
    sheet : DataFrame
        The cohort's people, as `brainpid.cohort.participants.read_participants` gives them.
    participants : path
        Their table.
    """

    folder: Path
    sheet: pd.DataFrame
    participants: Path

    @property
    def people(self) -> list[str]:
        """Labels with ``sub-``."""
        return self.sheet["participant_id"].tolist()


@dataclass(frozen=True)
class Offer:
    """A source that a folder holds for one modality.

    Attributes
    ----------
    modality : str
    folder : path
        Folder, or file of a table, that it is.
    source : mapping
        The source as the configuration has it; a path in it is as it was found.
    people : tuple of str
        Who has it.
    choices : tuple of str
        What else there is, and how it is chosen; one sentence each.
    why_not : str
        Why it cannot be used; empty where it can.
    features : tuple of str
        Names of a table's features; empty for images.
    """

    modality: str
    folder: Path
    source: Mapping[str, Any]
    people: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    why_not: str = ""
    features: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Kind of the source."""
        return str(self.source["kind"])


@dataclass(frozen=True)
class Recogniser:
    """How one kind of data is recognised.

    Attributes
    ----------
    kind : str
        Kind of the source that it offers.
    looks_for : str
        What is looked for, in words for a person.
    offers : callable
        From a place to what it offers; an empty list where the folder is of another kind.
    """

    kind: str
    looks_for: str
    offers: Callable[[Place], list[Offer]]
