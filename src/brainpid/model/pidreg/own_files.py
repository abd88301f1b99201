"""Fitted base learners of the user's own, as files beside ``model.pt``.

Reading such a file can run any code, as joblib's files can. ``model.pt`` itself runs nothing: it names these files, the
class that each holds and the digest of its bytes, and no other file is read.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib

from brainpid.core.errors import InputError
from brainpid.core.files import write_bytes
from brainpid.core.imports import import_class
from brainpid.model.pidreg.base_learners import BaseLearner

_UNREADABLE = (EOFError, pickle.UnpicklingError, ValueError, LookupError, AttributeError, ImportError, TypeError)


def write_own(folder: Path, name: str, regressor: Any, learner: BaseLearner) -> dict[str, str]:
    """Write a base learner into ``own_<name>.joblib``; gives what `read_own` needs, as plain values.

    Parameters
    ----------
    folder : Path
    name : str
        Of the base learner.
    regressor : object
        What was fitted copies of.
    learner : BaseLearner
    """
    whole = BytesIO()
    joblib.dump((regressor, learner), whole)
    write_bytes(folder / f"own_{name}.joblib", whole.getbuffer())
    return {"class": _class_name(regressor), "sha256": hashlib.sha256(whole.getbuffer()).hexdigest()}


def read_own(folder: Path, name: str, record: Mapping[str, str]) -> tuple[Any, BaseLearner]:
    """Read what `write_own` wrote: the regressor that is not fitted, and the base learner.

    Only load such a file from a source that you trust.

    Raises
    ------
    InputError
        Where the file is absent or another one than the model was saved with, or its class cannot be imported.
    """
    path = folder / f"own_{name}.joblib"
    expected = f"{path}: expected the base learner {record['class']} that was saved with the model"
    if not path.is_file():
        raise InputError(f"{expected}; the file does not exist")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != record["sha256"]:
        raise InputError(f"{expected}; the file is damaged or another one: fit the model again")
    import_class(record["class"], str(path))
    try:
        regressor, learner = joblib.load(BytesIO(content))
    except _UNREADABLE as fault:
        reason = " ".join(str(fault).split())[:200]
        raise InputError(f"{expected}; it is of another version of its class: {reason}") from fault
    if (found := _class_name(regressor)) != record["class"]:
        raise InputError(f"{expected}; found {found}")
    return regressor, learner


def read_all(
    folder: Path, experts: Sequence[Any], records: Mapping[str, Mapping[str, str]]
) -> tuple[tuple[Any, ...], dict[str, BaseLearner]]:
    """Read the base learners that records name, in their order among the `experts` of a model.

    Returns
    -------
    tuple
        `experts` with the regressor that is not fitted in the place of None, which stands for one given in Python.
    dict of str to BaseLearner
    """
    own = {name: read_own(folder, name, record) for name, record in records.items()}
    regressors = iter([regressor for regressor, _ in own.values()])
    given = [(expert, None if isinstance(expert, str) else next(regressors)) for expert in experts]
    whole = tuple(regressor if expert is None else expert for expert, regressor in given)
    return whole, {name: learner for name, (_, learner) in own.items()}


def _class_name(regressor: Any) -> str:
    """Dotted name of a regressor's class."""
    return f"{type(regressor).__module__}.{type(regressor).__qualname__}"
