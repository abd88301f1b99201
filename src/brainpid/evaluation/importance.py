r"""What predictions rest on: importance of features, of regions or groups of correlated features, and of modalities.

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

Reading the model anew for every feature would cost more than to train it. So every feature's numbers come from what the
model says of single features in closed form, slopes and steps of trees (`brainpid.model.varying`), in the same formulas
with the same people and permutations; then the model is read, at most `READS` times a modality: for the modality, for
its regions or groups with the largest changes, and for the features with the largest changes, where a group whose
change is larger than that of its features each alone lifts them in the order. What was read is marked `exact`. The
closed form is exact for linear models and for trees, and nothing is read for their features.

A region's group is every feature of the modality that touches it: measures of the region itself, and all edges that end
there. An edge is in the groups of both regions that it joins, so that importances of regions overlap. Which regions a
feature belongs to comes with the features: extractors give them, and for a table the key ``Region`` of the JSON beside
it. Where neither does, groups of correlated features stand in their place (`brainpid.evaluation.correlated`).

References
----------
Breiman 2001, Machine Learning 45:5; Friedman 2001, Annals of Statistics 29:1189 (partial dependence).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.modalities import lacking
from brainpid.model.varying import Vary, Varying

NUMBERS = ["change", "importance", "importance_sd", "effect", "exact"]
COLUMNS = ["modality", "scope", "feature", "region", "group", "units", "n", *NUMBERS]
MOST_PEOPLE = 100
"""People of a fold, drawn at random, that are looked at where there are more."""
READS = 300
"""Reads of these people by the model, for each modality, at most."""
READS_OF_GROUPS = 100
"""Those of them that regions or groups take, at most."""
_CELLS = 4_000_000
"""Changed cells that a model is asked for at once, which bounds the memory."""


@dataclass(frozen=True)
class Columns:
    """Features of one modality.

    Attributes
    ----------
    names, units : sequence of str, length p
    regions : sequence of sequence of str, length p
        Regions that each feature belongs to: none, one, or the two that an edge joins.
    groups : sequence of (str or None), length p
        Group of correlated features that each belongs to; none anywhere where there are regions.
    scale : ndarray, shape (p,)
        Standard deviation among training people; infinite for a feature without spread, which no model uses.
    """

    names: Sequence[str]
    units: Sequence[str]
    regions: Sequence[Sequence[str]]
    groups: Sequence[str | None]
    scale: FloatArray


def importances(
    vary: Vary,
    X: Blocks,
    target: FloatArray,
    columns: Mapping[str, Columns],
    permutations: int,
    most: int,
    seed: int,
) -> pd.DataFrame:
    """Importance of each modality, region or group and feature for people whom the model had not seen.

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
    most : int
        Features of a modality that the model is read for, at most.
    seed : int

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `scope` is ``modality``, ``region`` or ``group`` (of those with several features) or
        ``feature``, whose `region` joins with ``+`` those that it belongs to;
        `change`, `importance` and `effect` are in the target's units, `importance_sd` is the standard deviation over
        permutations, `exact` is 1 where the numbers are those of the model read anew and 0 where they are those of its
        slopes, `n` counts the people who have the modality, among whom it is permuted. NaN where there are fewer than
        two.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(target))[:MOST_PEOPLE])
    X, target = {modality: block[chosen] for modality, block in X.items()}, target[chosen]
    tables = []
    for modality, own in columns.items():
        has = ~lacking(X[modality])
        people = {name: block[has] for name, block in X.items()}
        n = int(has.sum())
        orders = np.stack([rng.permutation(n) for _ in range(permutations)])
        groups = _groups(modality, own)
        table = pd.DataFrame([group.record | {"n": n} for group in groups], columns=COLUMNS)
        if n >= 2:
            asked = _Asked(vary(people, modality), people[modality], target[has], own.scale, orders)
            table[NUMBERS] = _numbers(asked, groups, most)
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    return table.astype(dict.fromkeys(NUMBERS, float))


@dataclass(frozen=True)
class _Group:
    """Columns that are permuted together, and the row of the table that they get."""

    record: dict[str, object]
    columns: IntArray

    @property
    def scope(self) -> object:
        return self.record["scope"]


def _groups(modality: str, own: Columns) -> list[_Group]:
    """The modality, its regions or groups with several features, and its features."""
    groups = [_Group({"modality": modality, "scope": "modality"}, np.arange(len(own.names)))]
    touching: dict[tuple[str, str], list[int]] = {}
    for column, (regions, group) in enumerate(zip(own.regions, own.groups, strict=True)):
        for region in dict.fromkeys(regions):
            touching.setdefault(("region", region), []).append(column)
        if group is not None:
            touching.setdefault(("group", group), []).append(column)
    for (scope, name), members in touching.items():
        if len(members) > 1:
            groups.append(_Group({"modality": modality, "scope": scope, scope: name}, np.array(members)))
    for k, (name, units) in enumerate(zip(own.names, own.units, strict=True)):
        record = {"feature": name, "region": "+".join(own.regions[k]) or None, "group": own.groups[k], "units": units}
        groups.append(_Group({"modality": modality, "scope": "feature"} | record, np.array([k])))
    return groups


class _Asked:
    """A model, people with a modality, and the ways in which it is changed.

    Parameters
    ----------
    varying : Varying
    X : ndarray, shape (n, p)
        Features of the modality.
    target : ndarray, shape (n,)
    scale : ndarray, shape (p,)
    orders : ndarray of int, shape (k, n)
        Permutations.
    """

    def __init__(
        self, varying: Varying, X: FloatArray, target: FloatArray, scale: FloatArray, orders: IntArray
    ) -> None:
        self.varying, self.X, self.target, self.orders = varying, X, target, orders
        self.usable = np.isfinite(scale)
        self._step = np.where(self.usable, scale, 0.0) / 2
        self._now = varying(np.arange(1), X[None, :, :1])[0]
        self._error = np.abs(self._now - target).mean()

    def _values(self, columns: IntArray, single: bool) -> FloatArray:
        """What takes the place of the columns: each permutation, and for single features a rise and a fall."""
        own = self.X[:, columns]
        moved = [own + self._step[columns], own - self._step[columns]] if single else []
        return np.stack([*(own[order] for order in self.orders), *moved])

    def _told(self, changes: FloatArray, single: bool) -> FloatArray:
        """`NUMBERS` but for the last (4, c) of changes of predictions (k, n, c)."""
        permuted = changes[: len(self.orders)]
        left = self._now - self.target
        errors = np.abs(permuted + left[:, None]).mean(axis=1) - self._error
        spread = errors.std(axis=0, ddof=1) if len(errors) > 1 else np.full(errors.shape[1], np.nan)
        effect = (changes[-2] - changes[-1]).mean(axis=0) if single else np.full(errors.shape[1], np.nan)
        return np.stack([np.abs(permuted).mean(axis=(0, 1)), errors.mean(axis=0), spread, effect])

    def read(self, group: _Group) -> FloatArray:
        """`NUMBERS` of a group, by reading the model."""
        single = group.scope == "feature"
        if not self.usable[group.columns].any():  # without spread among the training people: no model uses it
            return np.array([0.0, 0.0, 0.0 if len(self.orders) > 1 else np.nan, 0.0 if single else np.nan, 1.0])
        values = self._values(group.columns, single)
        at_once = max(1, _CELLS // max(values[0].size, 1))
        parts = [values[start : start + at_once] for start in range(0, len(values), at_once)]
        predicted = np.concatenate([self.varying(group.columns, part) for part in parts])
        return np.array([*self._told((predicted - self._now)[..., None], single)[:, 0], 1.0])

    def alone(self, members: csc_array) -> tuple[FloatArray, FloatArray]:
        """Take what the model says of single features in closed form.

        Parameters
        ----------
        members : sparse array, shape (p, G)
            1 where a feature is in a group.

        Returns
        -------
        features : ndarray, shape (p, len(NUMBERS))
        groups : ndarray, shape (G, len(NUMBERS))
            As if what features do added up.
        """
        p, exact = self.X.shape[1], float(self.varying.exact)
        features = np.zeros((p, len(NUMBERS)))
        summed = np.zeros((*self.orders.shape, members.shape[1]))
        at_once = max(1, _CELLS // max((len(self.orders) + 2) * len(self.X), 1))
        for start in range(0, p, at_once):
            own = np.arange(start, min(start + at_once, p))
            changes = np.where(self.usable[own], self.varying.each(own, self._values(own, True)), 0.0)
            features[own] = np.column_stack([self._told(changes, True).T, np.full(len(own), exact)])
            flat = changes[: len(self.orders)].reshape(-1, len(own))
            summed += (members[own].T @ flat.T).T.reshape(summed.shape)
        return features, np.column_stack([self._told(summed, False).T, np.zeros(members.shape[1])])


def _numbers(asked: _Asked, groups: Sequence[_Group], most: int) -> FloatArray:
    """`NUMBERS` of each group: in closed form, and by reading the model where that counts most."""
    place = {scope: [k for k, group in enumerate(groups) if (group.scope == "feature") == scope] for scope in (True, False)}
    single, several = place[True], place[False]
    own = [groups[k].columns for k in several]
    columns = np.repeat(np.arange(len(own)), [len(found) for found in own])
    members = csc_array((np.ones(len(columns)), (np.concatenate(own), columns)), shape=(len(single), len(several)))
    numbers = np.empty((len(groups), len(NUMBERS)))
    numbers[single], numbers[several] = asked.alone(members)
    change, times = numbers[:, 0].copy(), len(asked.orders)
    for k in [several[0], *_largest(change, several[1:], min(READS_OF_GROUPS, READS - times) // times)]:
        numbers[k] = asked.read(groups[k])
    left = READS - times * int(numbers[several, -1].sum())
    unread = [k for k in single if numbers[k, -1] == 0]
    for k in _largest(_lifted(change, numbers, members, single, several), unread, min(most, left // (times + 2))):
        numbers[k] = asked.read(groups[k])
    return numbers


def _lifted(
    change: FloatArray, numbers: FloatArray, members: csc_array, single: Sequence[int], several: Sequence[int]
) -> FloatArray:
    """Changes of features times how much larger the change of their group is than what they do each alone."""
    read = np.array([k for k in several[1:] if numbers[k, -1] == 1], dtype=int)
    lifted = change.copy()
    if len(read) > 0:
        ratio = np.divide(numbers[read, 0], change[read], out=np.ones(len(read)), where=change[read] > 0)
        own = members[:, np.searchsorted(several, read)].toarray()
        lifted[single] *= np.where(own > 0, ratio, 1.0).max(axis=1, initial=1.0)
    return lifted


def _largest(change: FloatArray, among: Sequence[int], most: int) -> list[int]:
    """Places with the largest changes, the first of equals."""
    order = np.argsort(-change[list(among)], kind="stable")[: max(most, 0)]
    return [among[k] for k in order]
