"""Features of several modalities as a model takes them in: what they look like, and whether they fit together.

A modality is a table of people by features, an array or a DataFrame; modalities come as a mapping from their names.
What was fitted on is kept as a `Layout`, and what comes later is compared with it: pairing columns by position alone
would turn a permuted table into a wrong prediction. So would pairing people: whatever comes with an index (DataFrames,
Series) has the same one, in the same order; arrays and lists are paired by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from brainpid.core.arrays import BoolArray, FloatArray, IntArray, Modalities
from brainpid.core.errors import InputError, list_some
from brainpid.core.labels import check_same_people, numbers_of


@dataclass(frozen=True)
class Layout:
    """Modalities and features that a model was fitted on.

    Attributes
    ----------
    modalities : tuple of str
        In the order of the mapping.
    features : dict of str to int
        Number of features p_m.
    names : dict of str to tuple of str
        Feature names of the modalities that came as a DataFrame.
    """

    modalities: tuple[str, ...]
    features: dict[str, int]
    names: dict[str, tuple[str, ...]]

    @classmethod
    def fit(cls, X: Modalities) -> tuple[Self, dict[str, FloatArray]]:
        """Describe features and return them as arrays (n, p_m).

        Raises
        ------
        InputError
            Where there are fewer than two modalities, a modality is not a table of numbers, has infinite values or no
            features or two of one name, or numbers or labels of rows differ.
        """
        if not isinstance(X, Mapping) or len(X) < 2:
            found = f"{len(X)}" if isinstance(X, Mapping) else f"a {type(X).__name__}"
            raise InputError(f"expected a mapping with 2 or more modalities, found {found}")
        if wrong := [m for m in X if not isinstance(m, str) or not m]:
            raise InputError(f"expected a text as the name of each modality, found {wrong[0]!r}")
        blocks = _arrays(X)
        names = {m: tuple(map(str, table.columns)) for m, table in X.items() if isinstance(table, pd.DataFrame)}
        for m, own in names.items():
            if twice := sorted({name for name in own if own.count(name) > 1} if len(set(own)) < len(own) else ()):
                raise InputError(f"modality '{m}': a feature name is given twice: {list_some(twice)}")
        return cls(tuple(X), {m: block.shape[1] for m, block in blocks.items()}, names), blocks

    def check(self, X: Modalities) -> dict[str, FloatArray]:
        """Return features as arrays (n, p_m) in the fitted order of modalities.

        A modality that `X` does not hold is missing for everybody: its array is NaN.

        Raises
        ------
        InputError
            Where a modality is unknown or there is none, numbers of features or feature names differ from those
            fitted, or labels of rows differ between modalities.
        """
        if not isinstance(X, Mapping) or not X or not set(X) <= set(self.modalities):
            found = list_some(X) if isinstance(X, Mapping) else f"a {type(X).__name__}"
            raise InputError(f"expected some of the modalities {', '.join(self.modalities)}, found {found}")
        given = _arrays({m: X[m] for m in self.modalities if m in X})
        n = len(next(iter(given.values())))
        blocks = {m: given[m] if m in given else np.full((n, self.features[m]), np.nan) for m in self.modalities}
        for m, block in given.items():
            if block.shape[1] != self.features[m]:
                raise InputError(f"modality '{m}': expected {self.features[m]} features, found {block.shape[1]}")
            table = X[m]
            if m in self.names and isinstance(table, pd.DataFrame):
                pairs = zip(self.names[m], map(str, table.columns), strict=True)
                if differ := [f"'{want}' (found '{have}')" for want, have in pairs if want != have]:
                    raise InputError(f"modality '{m}': feature names differ; expected {list_some(differ, 3)}")
        return blocks


@dataclass(frozen=True)
class Read:
    """New people as a fitted model has read them once; its methods take this in the place of the features.

    Attributes
    ----------
    reader : object
        The fitted state that read them; a model refuses what another one has read.
    unseen : ndarray of bool, shape (n,)
        Who is of a site that training has not seen, where the model has learned what its predictions are worth there.
    """

    reader: object
    unseen: BoolArray

    def check(self, reader: object) -> Self:
        """Return it where `reader` made it.

        Raises
        ------
        InputError
            Where another model did.
        """
        if self.reader is not reader:
            raise InputError("another model read these people; expected features, or what this model's read gave")
        return self


def _arrays(X: Modalities) -> dict[str, FloatArray]:
    """Turn each modality into a float array (n, p_m) of one common n."""
    blocks = {}
    for m, table in X.items():
        block = numbers_of(table, f"modality '{m}'")
        if block.ndim != 2 or block.shape[1] == 0:
            raise InputError(f"modality '{m}': expected shape (people, features), found {block.shape}")
        if np.isinf(block).any():
            raise InputError(f"modality '{m}': {np.isinf(block).sum()} infinite values; mark a missing cell by NaN")
        blocks[m] = np.ascontiguousarray(block)  # sums over a frame's columns differ in their last bits
    if len({len(block) for block in blocks.values()}) > 1:
        found = ", ".join(f"{m}: {len(block)}" for m, block in blocks.items())
        raise InputError(f"expected the same number of rows in every modality, found {found}")
    check_same_people(_named(X))
    return blocks


def check_people(
    X: Modalities | ArrayLike | pd.DataFrame | Read, y: object, groups: object = None, sites: object = None
) -> None:
    """Raise an `InputError` where features, target, groups and sites have labels of rows not the same in order."""
    check_same_people(_named(X) | {"y": y, "groups": groups, "sites": sites})


def _named(X: object) -> dict[str, object]:
    """Tables by what a message calls them; people that a model has read have no labels any more."""
    if isinstance(X, pd.DataFrame):
        return {"X": X}
    return {f"X['{m}']": table for m, table in X.items()} if isinstance(X, Mapping) else {}


def checked_training(
    X: Modalities, y: ArrayLike, groups: ArrayLike | None, sites: ArrayLike | None = None
) -> tuple[Layout, dict[str, FloatArray], FloatArray, IntArray]:
    """Layout, features (n, p_m), target (n,) and numbers of groups (n,) of training people.

    Raises
    ------
    InputError
        As `Layout.fit`, `checked_target` and `checked_groups` do, and where labels of rows differ.
    """
    layout, blocks = Layout.fit(X)
    n = len(next(iter(blocks.values())))
    target, group = checked_target(y, n), checked_groups(groups, n)
    check_people(X, y, groups, sites)
    return layout, blocks, target, group


def checked_target(y: ArrayLike, n: int) -> FloatArray:
    """Return the target as a float array (n,).

    Raises
    ------
    InputError
        Where its shape is another, it is no number, or a value is missing or infinite.
    """
    target = numbers_of(y, "target")
    if target.shape != (n,):
        raise InputError(f"expected a target of shape ({n},), one per row of the features, found {target.shape}")
    if bad := int((~np.isfinite(target)).sum()):
        first = int(np.flatnonzero(~np.isfinite(target))[0])
        raise InputError(
            f"expected a finite target, found {bad} missing or infinite value(s), the first in row {first}"
        )
    return target


def checked_groups(groups: ArrayLike | None, n: int) -> IntArray:
    """Number each person's group, (n,), in the order of the labels; without groups everybody is one of their own.

    Raises
    ------
    InputError
        Where there is not one group a row, a label is missing, or labels are of several kinds.
    """
    if groups is None:
        return np.arange(n)
    # A list of text and None or NaN would become an array of text, with a group called 'nan'.
    labels = np.asarray(groups, dtype=object) if isinstance(groups, Sequence) else np.asarray(groups)
    if labels.shape != (n,):
        raise InputError(f"expected groups of shape ({n},), one per row of the features, found {labels.shape}")
    missing = np.asarray(pd.isna(labels)) | np.array([isinstance(at, str) and not at.strip() for at in labels])
    if missing.any():
        raise InputError(
            f"groups: {missing.sum()} of {n} labels are missing, the first in row {int(missing.argmax())}; give people "
            "without a group a label of their own"
        )
    try:
        return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.int64)
    except TypeError as fault:
        kinds = sorted({type(label).__name__ for label in labels})
        raise InputError(f"groups: expected labels of one kind, found {list_some(kinds)}") from fault


def checked_coverage(coverage: float) -> float:
    """Return a nominal coverage.

    Raises
    ------
    InputError
        Where it is no number between 0 and 1.
    """
    if not isinstance(coverage, Real) or not 0 < float(coverage) < 1:
        raise InputError(f"coverage: expected a number between 0 and 1, such as 0.9, found {coverage!r}")
    return float(coverage)
