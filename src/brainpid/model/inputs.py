"""Features of several modalities as a model takes them in: what they look like, and whether they fit together.

A modality is a table of people by features, an array or a DataFrame; modalities come as a mapping from their names.
What was fitted on is kept as a `Layout`, and what comes later is compared with it: pairing columns by position alone
would turn a permuted table into a wrong prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from brainpid.core.arrays import FloatArray, Modalities
from brainpid.core.errors import InputError, list_some


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
            features, or numbers of rows differ.
        """
        if not isinstance(X, Mapping) or len(X) < 2:
            found = f"{len(X)}" if isinstance(X, Mapping) else f"a {type(X).__name__}"
            raise InputError(f"expected a mapping with 2 or more modalities, found {found}")
        blocks = _arrays(X)
        names = {m: tuple(map(str, table.columns)) for m, table in X.items() if isinstance(table, pd.DataFrame)}
        return cls(tuple(X), {m: block.shape[1] for m, block in blocks.items()}, names), blocks

    def check(self, X: Modalities) -> dict[str, FloatArray]:
        """Return features as arrays (n, p_m) in the fitted order of modalities.

        A modality that `X` does not hold is missing for everybody: its array is NaN.

        Raises
        ------
        InputError
            Where a modality is unknown or there is none, or numbers of features or feature names differ from those
            fitted.
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
    """

    reader: object

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
        try:
            block = np.asarray(table, dtype=np.float64)
        except (TypeError, ValueError) as fault:
            raise InputError(f"modality '{m}': expected numbers; {fault}") from fault
        if block.ndim != 2 or block.shape[1] == 0:
            raise InputError(f"modality '{m}': expected shape (people, features), found {block.shape}")
        if np.isinf(block).any():
            raise InputError(f"modality '{m}': {np.isinf(block).sum()} infinite values; mark a missing cell by NaN")
        blocks[m] = block
    if len({len(block) for block in blocks.values()}) > 1:
        found = ", ".join(f"{m}: {len(block)}" for m, block in blocks.items())
        raise InputError(f"expected the same number of rows in every modality, found {found}")
    return blocks


def checked_target(y: ArrayLike, n: int) -> FloatArray:
    """Return the target as a float array (n,).

    Raises
    ------
    InputError
        Where its shape is another, or a value is missing or infinite.
    """
    target = np.asarray(y, dtype=np.float64)
    if target.shape != (n,):
        raise InputError(f"expected a target of shape ({n},), one per row of the features, found {target.shape}")
    if bad := int((~np.isfinite(target)).sum()):
        first = int(np.flatnonzero(~np.isfinite(target))[0])
        raise InputError(
            f"expected a finite target, found {bad} missing or infinite value(s), the first in row {first}"
        )
    return target


def checked_groups(groups: ArrayLike | None, n: int) -> NDArray[Any]:
    """Return each person's group, (n,): its label, or without groups a number of the person's own.

    Raises
    ------
    InputError
        Where there is not one group a row.
    """
    labels = np.arange(n) if groups is None else np.asarray(groups)
    if labels.shape != (n,):
        raise InputError(f"expected groups of shape ({n},), one per row of the features, found {labels.shape}")
    return labels
