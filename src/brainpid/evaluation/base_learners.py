"""What the predictions of `pidreg` are made of, over all of its folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = ["model", "base_learner", "share", "share_min", "share_max", "folds_fitted", "n_folds"]
KNOWN = ("network", "normative", "normative_scores", "kernel", "forest", "boosting")


def base_learner_table(model: str, chosen: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Share of each base learner in the prediction of people who have every modality.

    Parameters
    ----------
    model : str
    chosen : sequence of dict
        ``chosen`` of the provenance of each fold. Its `expert_weights` need not add up to 1, because predictions of
        left-out people are drawn to the mean; their parts of the sum are the shares.

    Returns
    -------
    DataFrame
        model, base_learner, share (mean over all folds, 0 where it was not fitted), share_min, share_max, folds_fitted
        and n_folds. Of a model without base learners there are no rows.
    """
    weights = [
        {name: weight / sum(own["expert_weights"].values()) for name, weight in own["expert_weights"].items()}
        for own in chosen
        if "expert_weights" in own
    ]
    names = dict.fromkeys([*KNOWN, *(name for own in weights for name in own if name != "head"), "head"])
    rows = []
    for name in names:
        fitted = sum(name in own for own in weights)
        if fitted:
            shares = np.array([own.get(name, 0.0) for own in weights])
            rows.append((model, name, shares.mean(), shares.min(), shares.max(), fitted, len(weights)))
    return pd.DataFrame(rows, columns=COLUMNS)


def choices(chosen: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the folds chose: how many took which recipe and transform of features, and what their pilots found.

    Parameters
    ----------
    chosen : sequence of dict
        ``chosen`` of the provenance of each fold.

    Returns
    -------
    dict
        `recipe` and `feature_transform`, each with the number of folds by value; `pilot_fall` and `pilot_spread`, means
        over folds; `n_folds`. Empty where nothing of it is chosen.
    """
    own = [one for one in chosen if "pilot" in one]
    if not own:
        return {}
    return {
        "recipe": dict(sorted(Counter(one["recipe"] for one in own).items())),
        "feature_transform": dict(sorted(Counter(one["feature_transform"] for one in own).items())),
        "pilot_fall": float(np.mean([one["pilot"]["fall"] for one in own])),
        "pilot_spread": float(np.mean([one["pilot"]["spread"] for one in own])),
        "n_folds": len(own),
    }
