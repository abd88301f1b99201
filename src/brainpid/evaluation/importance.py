r"""What predictions rest on: permutation importance of features, of regions and of whole modalities.

The importance of a group of features is the increase of the mean absolute error of people whom the model had not seen
when the group is permuted among them, in the target's units,

``mean_k [ mean_i |y_i - f(x_i with group of x_{pi_k(i)})| - mean_i |y_i - f(x_i)| ]``,

the same permutations pi_k for every group. Negative values are noise around zero. With few people and many features the
noise of the errors hides which feature counts; the change of the predictions themselves, ``mean_k mean_i |f(x_i with
group of x_{pi_k(i)}) - f(x_i)|``, does without the target and agrees far better between folds, so features are ranked
by it. It tells what predictions rest on, and not whether that makes them better. The effect of a feature is the mean
change of prediction as it rises by one standard deviation of the training people, ``mean_i f(x_i + s/2) - f(x_i -
s/2)``. A feature that is permuted alone leaves its correlates in place: importances are shared among correlated
features, so that those of single features can all be small where the modality's is large, and none of them is causal.

A region's group is every feature of the modality that touches it: measures of the region itself, and all edges that end
there. An edge is in the groups of both regions that it joins, so that importances of regions overlap. Which regions a
feature belongs to comes with the features: extractors give them, and for a table the key ``Region`` of the JSON beside
it; where neither does there are no rows of regions.

A model that is linear in its features at the bottom, as all of PIDReg but its trees, is asked for what the changed
columns add and not read anew, so that the cost of a feature does not rise with the number of the others. A baseline is
read as a whole, at most `WHOLE_CELLS` cells a modality and fold: of a table that is wider, fewer features are looked at
one by one, those most correlated with the target, and no rows stand for the others.

References
----------
Breiman 2001, Machine Learning 45:5; Friedman 2001, Annals of Statistics 29:1189 (partial dependence).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.modalities import lacking
from brainpid.model.varying import Vary, Varying

COLUMNS = ["modality", "scope", "feature", "region", "units", "n", "change", "importance", "importance_sd", "effect"]
KEYS = ["modality", "scope", "feature", "region", "units"]
SUMMARY_COLUMNS = [
    *KEYS, "change", "change_sd", "importance", "importance_sd", "effect", "effect_sd",
    "sign_agreement", "rank", "rank_sd", "n_folds",
]  # fmt: skip
MOST_PEOPLE = 200
"""People of a fold, drawn at random, that are looked at where there are more."""
WHOLE_CELLS = 1_000_000_000
"""Cells of one modality's changes in a fold that a model reads which is read as a whole; up to 50 ns each."""
_CELLS = 10_000_000
"""Changed cells that a model is asked for at once, which bounds the memory."""


@dataclass(frozen=True)
class Columns:
    """Features of one modality.

    Attributes
    ----------
    names, units : sequence of str, length p
    regions : sequence of sequence of str, length p
        Regions that each feature belongs to: none, one, or the two that an edge joins.
    scale : ndarray, shape (p,)
        Standard deviation among training people; infinite for a feature without spread, which no model uses.
    alone : ndarray of bool, shape (p,)
        Features that are looked at one by one; the others count in their region and modality only.
    """

    names: Sequence[str]
    units: Sequence[str]
    regions: Sequence[Sequence[str]]
    scale: FloatArray
    alone: BoolArray


def affordable(whole: bool, people: int, permutations: int, features: int) -> int | None:
    """Groups of a modality that can be permuted, where a model is read as a whole; None where there is no limit.

    Parameters
    ----------
    whole : bool
        Whether the model is read as a whole for every change.
    people, permutations : int
    features : int
        Of all modalities together.
    """
    rows = min(people, MOST_PEOPLE) * (permutations + 2)
    return WHOLE_CELLS // max(rows * features, 1) if whole else None


def within_limit(
    regions: Sequence[Sequence[str]], most: int, limit: int | None
) -> tuple[list[Sequence[str]], int, bool]:
    """Regions of the features of a modality, and how many features are looked at one by one, within a limit.

    Regions come first, all of them or none: a choice among them would be one by what is asked.

    Returns
    -------
    regions : list of sequence of str
        As given, or none of any feature.
    most : int
        1 at least.
    left_out : bool
        Whether regions are left out.
    """
    if limit is None:
        return list(regions), most, False
    counted = len({region for own in regions for region in own})
    left_out = counted > limit
    return (
        [() if left_out else own for own in regions],
        max(min(most, limit - (0 if left_out else counted)), 1),
        left_out,
    )


def most_related(features: FloatArray, target: FloatArray, most: int) -> BoolArray:
    """Mark the `most` features (n, p) with the largest absolute correlation with the target (n,), shape (p,)."""
    p = features.shape[1]
    if p <= most:
        return np.ones(p, dtype=bool)
    known = np.isfinite(features)
    centred = np.where(known, features - np.nanmean(np.where(known.any(axis=0), features, 0.0), axis=0), 0.0)
    score = target - target.mean()
    size = np.sqrt((centred**2).sum(axis=0) * (known * score[:, None] ** 2).sum(axis=0))
    strength = np.abs(score @ centred) / np.where(size > 0, size, np.inf)
    chosen = np.zeros(p, dtype=bool)
    chosen[np.argsort(-strength, kind="stable")[:most]] = True
    return chosen


def importances(
    vary: Vary,
    X: Blocks,
    target: FloatArray,
    columns: Mapping[str, Columns],
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Importance of each modality, region and feature for people whom the model had not seen.

    Parameters
    ----------
    vary : callable
        From features by modality and the name of one to predictions as that one varies, see `brainpid.model.varying`.
    X : mapping of str to ndarray, shape (n, p_m)
        Features of these people; a row of NaN is a missing modality.
    target : ndarray, shape (n,)
        In its units.
    columns : mapping of str to Columns
    permutations : int
    seed : int

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `scope` is ``modality``, ``region`` (of those with several features) or ``feature``, whose
        `region` joins with ``+`` those that it belongs to;
        `change`, `importance` and `effect` are in the target's units, `importance_sd` is the standard deviation over
        permutations, `n` counts the people who have the modality, among whom it is permuted. NaN where there are
        fewer than two.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(target))[:MOST_PEOPLE])
    X, target = {modality: block[chosen] for modality, block in X.items()}, target[chosen]
    records: list[dict[str, object]] = []
    for modality, own in columns.items():
        has = ~lacking(X[modality])
        people = {name: block[has] for name, block in X.items()}
        n = int(has.sum())
        orders = np.stack([rng.permutation(n) for _ in range(permutations)])
        groups = _groups(modality, own)
        if n < 2:
            records += [group.record | {"n": n} for group in groups]
            continue
        usable, varying = np.isfinite(own.scale), vary(people, modality)
        original = varying(np.arange(1), people[modality][None, :, :1])[0]
        step = np.where(usable, own.scale, 0.0) / 2
        for group in groups:
            if usable[group.columns].any():
                increase, change, effect = _change(
                    varying, people[modality], target[has], original, step, orders, group
                )
            else:  # without spread among the training people: no model uses it
                increase, change, effect = np.zeros(permutations), 0.0, 0.0
            spread = float(increase.std(ddof=1)) if permutations > 1 else np.nan
            record = {"n": n, "change": change, "importance": float(increase.mean()), "importance_sd": spread}
            records.append(group.record | record | {"effect": effect if group.single else np.nan})
    return pd.DataFrame(records, columns=COLUMNS)


@dataclass(frozen=True)
class _Group:
    """Columns that are permuted together, and the row of the table that they get."""

    record: dict[str, object]
    columns: IntArray

    @property
    def single(self) -> bool:
        return self.record["scope"] == "feature"


def _groups(modality: str, own: Columns) -> list[_Group]:
    """The modality, its regions with several features, and its features."""
    groups = [_Group({"modality": modality, "scope": "modality"}, np.arange(len(own.names)))]
    touching: dict[str, list[int]] = {}
    for column, regions in enumerate(own.regions):
        for region in dict.fromkeys(regions):
            touching.setdefault(region, []).append(column)
    for region, members in touching.items():
        if len(members) > 1:
            groups.append(_Group({"modality": modality, "scope": "region", "region": region}, np.array(members)))
    for k in np.flatnonzero(own.alone):
        record = {"feature": own.names[k], "region": "+".join(own.regions[k]) or None, "units": own.units[k]}
        groups.append(_Group({"modality": modality, "scope": "feature"} | record, np.array([k])))
    return groups


def _change(
    varying: Varying,
    X: FloatArray,
    target: FloatArray,
    original: FloatArray,
    step: FloatArray,
    orders: IntArray,
    group: _Group,
) -> tuple[FloatArray, float, float]:
    """Increase of the mean absolute error under each permutation, change and effect, of one group."""
    own = X[:, group.columns]
    values = [own[order] for order in orders]
    if group.single:
        values += [own + step[group.columns], own - step[group.columns]]
    at_once = max(1, _CELLS // max(own.size, 1))
    parts = [np.stack(values[start : start + at_once]) for start in range(0, len(values), at_once)]
    predicted = np.concatenate([varying(group.columns, part) for part in parts])
    permuted = predicted[: len(orders)]
    errors = np.abs(permuted - target).mean(axis=-1) - np.abs(original - target).mean()
    effect = float((predicted[-2] - predicted[-1]).mean()) if group.single else np.nan
    return errors, float(np.abs(permuted - original).mean()), effect


def summarise(folds: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Importances over folds.

    Parameters
    ----------
    folds : sequence of DataFrame
        What `importances` gave in each fold.

    Returns
    -------
    DataFrame
        Columns `SUMMARY_COLUMNS`: means over folds with standard deviations between folds; `sign_agreement`, the part
        of the folds whose effect has the sign of the mean effect; `rank`, the mean rank of a feature's change among
        the features of all modalities in a fold, 1 the largest, likewise of regions and of modalities; `n_folds`, the
        folds in which it was looked at.
    """
    if not folds:
        return pd.DataFrame(columns=SUMMARY_COLUMNS)
    rows = pd.concat([fold.assign(fold=k) for k, fold in enumerate(folds)], ignore_index=True)
    rows["rank"] = -rows["change"]
    rows["rank"] = rows.groupby(["fold", "scope"])["rank"].rank()
    keyed = rows.assign(**{key: rows[key].astype(object).where(rows[key].notna(), "") for key in KEYS})
    records = []
    for key, own in keyed.groupby(KEYS, sort=False):
        effect = own["effect"].mean()
        agreement = (np.sign(own["effect"].dropna()) == np.sign(effect)).mean() if np.isfinite(effect) else np.nan
        numbers = {
            "change": own["change"].mean(),
            "change_sd": own["change"].std(),
            "importance": own["importance"].mean(),
            "importance_sd": own["importance"].std(),
            "effect": effect,
            "effect_sd": own["effect"].std(),
            "sign_agreement": agreement,
            "rank": own["rank"].mean(),
            "rank_sd": own["rank"].std(),
            "n_folds": int(own["importance"].notna().sum()),
        }
        records.append(dict(zip(KEYS, [part or None for part in key], strict=True)) | numbers)
    order = {scope: place for place, scope in enumerate(("modality", "region", "feature"))}
    table = pd.DataFrame(records, columns=SUMMARY_COLUMNS)
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
