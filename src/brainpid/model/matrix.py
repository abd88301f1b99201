"""Modalities as columns of one matrix: how a model for several tables is one of scikit-learn's regressors.

scikit-learn's pipelines, searches and cross-validation pass one table on. A model that is told which of its columns
belong to which modality splits it itself, and is fitted to what the split gives as if that had been handed over.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import validate_data

from brainpid.core.arrays import IntArray, Modalities
from brainpid.core.errors import InputError, did_you_mean, list_some
from brainpid.model.inputs import Read

Columns = int | str | slice | Sequence[int] | Sequence[str] | IntArray
"""Columns of a modality: positions from 0 on, negative ones from the end, a slice of them, or names of a DataFrame."""
Matrix: TypeAlias = ArrayLike | pd.DataFrame
"""Features of all modalities, one table (n, p), NaN where a cell is missing."""
FITTED = ("columns_", "n_features_in_", "feature_names_in_")
"""What a fit to a matrix leaves, and a fit to a mapping does not."""


class WrongType(InputError, TypeError):
    """Cells or names of columns that are of no use; scikit-learn's error too, for what catches that."""


class MatrixMixin:
    """What makes an estimator that is fitted to a mapping of modality to table one of a matrix, by ``modalities``.

    Attributes
    ----------
    modalities : mapping of str to Columns, or None
        None where features come as a mapping.
    columns_ : dict of str to tuple of int
        Positions of each modality's columns in the matrix that was fitted.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (p,)
        Of a DataFrame.
    """

    modalities: Mapping[str, Columns] | None
    columns_: dict[str, tuple[int, ...]]

    def __sklearn_tags__(self) -> Any:
        """Tags of scikit-learn: missing cells are welcome, and a matrix is where it is split."""
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.allow_nan = True
        tags.input_tags.two_d_array = self.modalities is not None
        tags.input_tags.dict = self.modalities is None
        return tags

    def _training_modalities(self, X: Modalities | Matrix, y: ArrayLike) -> tuple[Modalities, ArrayLike]:
        """Features by modality and the target of training people; sets what `FITTED` names."""
        for name in FITTED:
            vars(self).pop(name, None)
        if self.modalities is None:
            return cast(Any, X), y
        table, names = _validated(self, X, fitting=True, y=y)
        self.columns_ = positions_of(self.modalities, table.shape[1], names)
        return _split(table, self.columns_), _one_column(y)

    def _modalities_of(self, X: Modalities | Matrix | Read) -> Modalities | Read:
        """Features by modality of new people; what has been read already stays as it is."""
        if isinstance(X, Read) or not hasattr(self, "columns_"):
            return cast(Any, X)
        return _split(_validated(self, X, fitting=False)[0], self.columns_)


def _validated(model: object, X: Any, fitting: bool, y: object = None) -> tuple[Any, list[Hashable] | None]:
    """The matrix by scikit-learn's rules for features that fit or do not, and the names of its columns if there are."""
    if issparse(X):
        raise InputError("features: expected a dense matrix, found a sparse one; use .toarray()")
    if isinstance(X, Mapping):
        raise InputError("expected one matrix or DataFrame, which the parameter 'modalities' splits, found a mapping")
    # Of frames and masked arrays the blocks are checked, which knows their missing cells and labels of rows.
    kept = isinstance(X, pd.DataFrame | np.ma.MaskedArray)
    checks: dict[str, Any] = {"ensure_all_finite": False}
    if fitting:
        checks |= {"ensure_min_samples": 2, "ensure_min_features": 2}
    # What the target has to be is checked with its labels, but for its being there.
    target = None if fitting and y is None else "no_validation"
    try:
        table = validate_data(model, X, target, reset=fitting, skip_check_array=kept, **({} if kept else checks))
    except TypeError as fault:
        raise WrongType(str(fault)) from fault
    except ValueError as fault:
        raise InputError(str(fault)) from fault
    return table, list(X.columns) if isinstance(X, pd.DataFrame) else None


def _split(table: Any, columns: Mapping[str, tuple[int, ...]]) -> Modalities:
    """Tables by modality, frames where it is one."""
    held = table.iloc if isinstance(table, pd.DataFrame) else table
    return {modality: held[:, list(places)] for modality, places in columns.items()}


def _one_column(y: Any) -> ArrayLike:
    """The target (n,); one of shape (n, 1) with scikit-learn's warning."""
    shape = np.asarray(y).shape
    if len(shape) != 2 or shape[1] != 1:
        return cast(ArrayLike, y)
    warnings.warn(
        "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,), for "
        "example using ravel().",
        DataConversionWarning,
        stacklevel=4,
    )
    return cast(ArrayLike, y.iloc[:, 0] if hasattr(y, "iloc") else np.asarray(y)[:, 0])


def positions_of(
    modalities: Mapping[str, Columns], n_features: int, names: Sequence[Hashable] | None
) -> dict[str, tuple[int, ...]]:
    """Positions of each modality's columns in a matrix.

    Parameters
    ----------
    modalities : mapping of str to Columns
        Columns that no modality names are not used.
    n_features : int
        Columns of the matrix.
    names : sequence or None
        Their names, where it is a DataFrame.

    Raises
    ------
    InputError
        Where it is no mapping, a column does not exist or is given twice, or a modality has none.

    Examples
    --------
    >>> positions_of({"t1": slice(0, 2), "dwi": [-1]}, 4, None)
    {'t1': (0, 1), 'dwi': (3,)}
    """
    if not isinstance(modalities, Mapping):
        raise InputError(f"modalities: expected a mapping of modality to columns, found a {type(modalities).__name__}")
    places = {m: _places(columns, f"modalities: '{m}'", n_features, names) for m, columns in modalities.items()}
    if empty := [m for m, own in places.items() if not own]:
        raise InputError(f"modalities: '{empty[0]}': no column among the {n_features} feature(s) of the matrix")
    every = [place for own in places.values() for place in own]
    if twice := sorted({place for place in every if every.count(place) > 1} if len(set(every)) < len(every) else ()):
        found = list_some(twice if names is None else [names[place] for place in twice])
        raise InputError(f"modalities: expected each column once, in one modality; given twice: {found}")
    return places


def _places(columns: Any, where: str, n_features: int, names: Sequence[Hashable] | None) -> tuple[int, ...]:
    """Positions of one modality's columns."""
    every = range(n_features)
    if isinstance(columns, slice):
        try:
            return tuple(every[columns])
        except TypeError as fault:
            raise InputError(f"{where}: expected a slice of whole numbers, found {columns!r}") from fault
    given = [columns] if isinstance(columns, str | Integral) else columns
    if not isinstance(given, Iterable):
        raise InputError(f"{where}: expected positions, a slice or names of columns, found {columns!r}")
    return tuple(_place(column, where, n_features, names) for column in given)


def _place(column: Any, where: str, n_features: int, names: Sequence[Hashable] | None) -> int:
    """Position of one column."""
    if isinstance(column, str):
        if names is None:
            raise InputError(f"{where}: column '{column}' is a name, but the features are no DataFrame; give positions")
        if (times := list(names).count(column)) != 1:
            hint = f"it is there {times} times" if times else did_you_mean(column, map(str, names))
            raise InputError(f"{where}: there is no one column '{column}' in the features; {hint}")
        return list(names).index(column)
    if not isinstance(column, Integral) or isinstance(column, bool | np.bool_):
        raise InputError(f"{where}: expected a position or a name of a column, found {column!r}")
    if not -n_features <= int(column) < n_features:
        raise InputError(f"{where}: there is no column {column} in a matrix of {n_features} features")
    return int(column) % n_features
