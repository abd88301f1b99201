"""Names for the arrays that pass between modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Modalities = Mapping[str, "ArrayLike | pd.DataFrame"]
"""Features by modality: each a table (n, p_m) of the same n people, NaN where a cell is missing."""
Blocks = Mapping[str, FloatArray]
"""Features by modality, once they are arrays of numbers."""


def among(values: FloatArray, rows: BoolArray) -> FloatArray:
    """Values of the marked rows (n,) among all rows, NaN elsewhere."""
    found = np.full(len(rows), np.nan)
    found[rows] = values
    return found
