"""The recognisers of `brainpid init`: tables of features, and the images of `brainpid.cohort.image_recognisers`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pandas.api.types import is_numeric_dtype

from brainpid.cohort.columns import LABELS, first_named, of_the_person
from brainpid.cohort.image_recognisers import IMAGE_RECOGNISERS
from brainpid.cohort.offers import Offer, Place, Recogniser
from brainpid.cohort.participants import SUCCESS
from brainpid.cohort.person_files import listed
from brainpid.config.sources import TableSource
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import read_header, read_table
from brainpid.core.rows import DELIMITERS
from brainpid.features.block import FeatureBlock
from brainpid.features.tables import ID_COLUMN, divide, extract_table, read_units
from brainpid.features.units import UNKNOWN_UNIT

BOOKKEEPING = re.compile(r"(^participants|(^|_)(sessions|scans|events|channels|confounds|timeseries))$")
"""Tables of a dataset that hold no features of people."""
NOT_OF_BRAINS = re.compile(
    r"(^|[^a-z])(motion|qc|iqms?|quality|mriqc|group|demographics?|clinical|phenotypes?|cognition|cognitive|"
    r"behaviou?r(al)?|questionnaires?)([^a-z]|$)",
    re.IGNORECASE,
)
"""Tables of measures of image quality, such as MRIQC's, and of people."""
FEWEST_FEATURES = 10
"""Columns from which on the table of people is one of features as well, where it is not called otherwise."""
HEAD_SIZE = re.compile(r"(icv|etiv|tiv)([_.].*)?", re.IGNORECASE)
"""Columns of a participants table that tissue volumes are divided by."""


def tables(place: Place) -> list[Offer]:
    """Tables with one row a person that lie in a folder."""
    paths = [path for path in listed(place.folder) if path.suffix in DELIMITERS and path.is_file()]
    own = [path for path in paths if not BOOKKEEPING.search(path.stem)]
    return [_table(path, place) for path in own if not path.samefile(place.participants) or _holds_features(path)]


def _holds_features(people: Path) -> bool:
    """Whether a table of people has features beside their labels and ages, as where there is one table of it all."""
    header = read_header(people)
    features = len(header) - len(of_the_person(header)) - 1
    return features >= FEWEST_FEATURES and not NOT_OF_BRAINS.search(people.stem)


def _table(path: Path, place: Place) -> Offer:
    """One table as the run would read it: what cannot be read as features is dropped, or says why it is of no use."""
    modality = modality_of(path.stem)
    plain: dict[str, Any] = {"kind": "table", "path": str(path)}
    if NOT_OF_BRAINS.search(path.stem):
        why = "by its name it tells of image quality or of people, and not of brains; list it as a source to use it"
        return Offer(modality, path, plain, why_not=why)
    try:
        header = read_header(path)
        if ID_COLUMN not in header:
            why = f"it has no column {ID_COLUMN}, found {list_some(header, 5)}"
            if (label := first_named(header, LABELS)) is not None:
                why += f"; rename '{label}' to it"
            return Offer(modality, path, plain, why_not=why)
        content = read_table(path, text=[ID_COLUMN])
        features = [name for name in header if name != ID_COLUMN]
        personal = of_the_person(features)
        text = [name for name in features if name not in personal and not is_numeric_dtype(content[name])]
        drop = [name for name in features if name in personal or name in text]
        if drop:
            plain["drop"] = drop
        block = extract_table(TableSource.model_validate(plain), place.sheet, modality)
    except InputError as fault:
        return Offer(modality, path, plain, why_not=str(fault).removeprefix(f"{path}: "))
    choices = [f"{len(block.names)} features"]
    if personal:
        choices.append(
            f"dropped, as they tell how old somebody is, or of which sex and site: {list_some(sorted(personal))}"
        )
    if text:
        choices.append(f"dropped, as they hold text: {list_some(text)}")
    choices += [
        f"`divide_by: {column}` divides volumes by that column of the participants table"
        for column in place.sheet.columns
        if HEAD_SIZE.fullmatch(column) and _divides(column, block, place)
    ]
    having = [who for who, status in zip(block.participant_id, block.status, strict=True) if status == SUCCESS]
    why_not = "" if having else "nobody has a value in it"
    return Offer(modality, path, plain, tuple(having), tuple(choices), why_not, block.names)


def _divides(column: str, block: FeatureBlock, place: Place) -> bool:
    """Whether any feature of a table is in the unit of a divisor."""
    try:
        divide(block, place.sheet, column, read_units(place.participants).get(column, UNKNOWN_UNIT))
    except InputError:
        return False
    return True


def modality_of(stem: str) -> str:
    """Name of the modality that a table is, from the name of its file.

    >>> modality_of("t1-volumes.v2")
    't1_volumes_v2'
    """
    name = re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_") or "table"
    return "pooled_table" if name == "pooled" else name


RECOGNISERS = (
    Recogniser("table", "tables (.tsv, .csv) of people's features, with participant_id, beside one with ages", tables),
    *IMAGE_RECOGNISERS,
)
"""In the order in which they are preferred: what comes first is further processed."""
