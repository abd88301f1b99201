"""Importances of the folds as one table, and how far folds agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

KEYS = ["modality", "scope", "feature", "region", "group", "units"]
SUMMARY_COLUMNS = [
    *KEYS, "change", "change_sd", "importance", "importance_sd", "effect", "effect_sd",
    "sign_agreement", "rank", "rank_sd", "n_folds", "exact_folds",
]  # fmt: skip


def summarise(folds: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Importances over folds.

    Parameters
    ----------
    folds : sequence of DataFrame
        What `brainpid.evaluation.importance.importances` gave in each fold.

    Returns
    -------
    DataFrame
        Columns `SUMMARY_COLUMNS`: means over folds with standard deviations between folds; `sign_agreement`, the part
        of the folds whose effect has the sign of the mean effect; `rank`, the mean rank of a feature's change among
        the features of all modalities in a fold, 1 the largest, likewise of regions, groups and modalities; `n_folds`,
        the folds in which it was looked at, and `exact_folds`, those of them in which the model was read for it.
    """
    if not folds:
        return pd.DataFrame(columns=SUMMARY_COLUMNS)
    rows = pd.concat([fold.assign(fold=k) for k, fold in enumerate(folds)], ignore_index=True)
    rows["rank"] = -rows["change"]
    rows["rank"] = rows.groupby(["fold", "scope"])["rank"].rank()
    keyed = rows.assign(**{key: rows[key].astype(object).where(rows[key].notna(), "") for key in KEYS})
    # Folds of other people may group features otherwise: a feature is one row all the same, with its first group.
    keyed["own_group"] = keyed["group"].where(keyed["scope"] == "group", "")
    own = [key if key != "group" else "own_group" for key in KEYS]
    keyed["agrees"] = np.sign(keyed["effect"]) == np.sign(keyed.groupby(own, sort=False)["effect"].transform("mean"))
    keyed["agrees"] = keyed["agrees"].where(keyed["effect"].notna()).astype(float)
    found = keyed.groupby(own, sort=False).agg(
        **{name: (name, "mean") for name in ("change", "importance", "effect", "rank")},
        **{f"{name}_sd": (name, "std") for name in ("change", "importance", "effect", "rank")},
        first_group=("group", "first"), sign_agreement=("agrees", "mean"), n_folds=("importance", "count"),
        exact_folds=("exact", "sum"),
    )  # fmt: skip
    table = found.reset_index().rename(columns={"first_group": "group"})
    table[KEYS] = table[KEYS].where(table[KEYS] != "", None)
    table["exact_folds"] = table["exact_folds"].astype(int)
    order = {scope: place for place, scope in enumerate(("modality", "region", "group", "feature"))}
    place = table["scope"].map(order)
    return (
        table.assign(place=place)
        .sort_values(["place", "change"], ascending=[True, False], kind="stable")[SUMMARY_COLUMNS]
        .reset_index(drop=True)
    )


def agreement(folds: Sequence[pd.DataFrame]) -> float | None:
    """Mean rank correlation of the features' changes between two folds; None with fewer than two folds."""
    ranks = [rankdata(fold.loc[fold["scope"] == "feature", "change"]) for fold in _same_features(folds)]
    if len(ranks) < 2 or len(ranks[0]) < 2:
        return None
    correlations = np.corrcoef(np.stack(ranks))
    mean = float(np.nanmean(correlations[np.triu_indices(len(ranks), k=1)]))
    return mean if np.isfinite(mean) else None


def _same_features(folds: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Rows of the features that were looked at in every fold, in the same order."""
    keyed = [fold.dropna(subset="importance").set_index(["modality", "scope", "feature"]) for fold in folds]
    if not keyed:
        return []
    common = keyed[0].index
    for fold in keyed[1:]:
        common = common.intersection(fold.index, sort=False)
    return [fold.loc[common].reset_index() for fold in keyed]
