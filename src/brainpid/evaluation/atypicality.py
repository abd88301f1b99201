"""How unusual the features of people are for any target, and whether those of whom they are are predicted worse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from brainpid.core.arrays import FloatArray, Modalities
from brainpid.model.inputs import Read
from brainpid.model.registry import MultimodalRegressor

ATYPICAL = 0.99
"""People beyond it are named or counted."""
DECILES = 10
COLUMNS = ["low", "high", "n", "mae", "bias", "coverage"]


def atypicality_of(model: MultimodalRegressor, X: Modalities | Read) -> FloatArray | float:
    """How unusual the features of people are for any target, (n,) from 0 to 1; NaN by a model that does not tell it."""
    told: Any = getattr(model, "atypicality", None)
    return np.nan if told is None else np.asarray(told(X))


def atypicality_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Error and coverage by deciles of atypicality.

    Parameters
    ----------
    predictions : DataFrame
        Rows of one model of ``aggregate/predictions.tsv``. A person's repeats are averaged first.

    Returns
    -------
    DataFrame
        low, high (the decile: low to below high, as atypicality from 0 to 1), n, mae and bias (predicted minus true) in
        the target's units, and coverage (0 to 1) of the intervals; NaN where nobody is. It has no rows where the model
        tells no atypicality.
    """
    error = predictions["predicted_age"] - predictions["age"]
    own = predictions.assign(
        mae=error.abs(),
        bias=error,
        coverage=predictions["age"].between(predictions["pi_low"], predictions["pi_high"]),
    ).dropna(subset="atypicality")
    values = ["atypicality", "mae", "bias", "coverage"]
    people = own.groupby(["cohort", "participant_id"], sort=False)[values].mean()
    if people.empty:
        return pd.DataFrame(columns=COLUMNS)
    edges = np.linspace(0, 1, DECILES + 1)
    decile = np.digitize(people["atypicality"], edges[1:-1])
    of_decile = people.groupby(decile)
    table = of_decile[["mae", "bias", "coverage"]].mean().reindex(range(DECILES))
    n = of_decile.size().reindex(range(DECILES), fill_value=0)
    return table.assign(low=edges[:-1], high=edges[1:], n=n)[COLUMNS].reset_index(drop=True)
