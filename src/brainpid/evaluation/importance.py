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
with the same people and permutations; then the model is read, at most `READS` times a modality: for each modality, for
the regions or groups with the largest changes, and for the features with the largest changes, where a group whose
change is larger than that of its features each alone lifts them in the order. At most `MOST_READ` people are read;
where there are more, what is told is the closed form of all of them plus the difference that reading makes among those
who are read, an estimate of what reading all would give that owes little to the choice. What was read is marked
`exact`. The closed form is exact for linear models and for trees, and nothing is read for their features.

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
from numpy.typing import NDArray
from scipy.sparse import csc_array

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.modalities import lacking
from brainpid.model.varying import Vary

NUMBERS = ["change", "importance", "importance_sd", "effect", "exact"]
COLUMNS = ["modality", "scope", "feature", "region", "group", "units", "n", *NUMBERS]
FEWEST_PERMUTED = 2
"""People who have a modality, among whom it can be permuted."""
MOST_PEOPLE = 200
"""People of a fold, drawn at random, that are looked at where there are more."""
MOST_READ = 50
"""Those of them who are read, the first where there are more."""
READS = 300
"""Reads of these people by the model, for each modality, at most."""
READS_OF_GROUPS = 80
"""Those of them that regions or groups take, at most."""
MOST_GROUPS = 20
"""Regions or groups of all modalities that the model is read for, at most."""
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
    sites: NDArray[np.object_] | None = None,
) -> pd.DataFrame:
    """Importance of each modality, region or group and feature for people whom the model had not seen.

    Parameters
    ----------
    vary : callable
        From features by modality, the name of one and sites to predictions as that one varies, see
        `brainpid.model.varying`.
    X : mapping of str to ndarray, shape (n, p_m)
        Features of these people; a row of NaN is a missing modality.
    target : ndarray, shape (n,)
        In its units.
    columns : mapping of str to Columns
    permutations : int
    most : int
        Features of all modalities that the model is read for, at most.
    seed : int
    sites : ndarray of object, shape (n,), optional
        Site of each person, None or NaN where it is not known: people whose site the model has not seen are read as
        such.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. `scope` is ``modality``, ``region`` or ``group`` (of those with several features) or
        ``feature``, whose `region` joins with ``+`` those that it belongs to;
        `change`, `importance` and `effect` are in the target's units, `importance_sd` is the standard deviation over
        permutations, `exact` is 1 where the model was read, or its closed form is exact, and 0 where the numbers are
        those of its slopes, `n` counts the people who have the modality, among whom it is permuted. NaN where there
        are fewer than two.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(target))[:MOST_PEOPLE]
    X, target = {modality: block[chosen] for modality, block in X.items()}, target[chosen]
    sites = None if sites is None else sites[chosen]
    parts = []
    for modality, own in columns.items():
        has = ~lacking(X[modality])
        people = {name: block[has] for name, block in X.items()}
        orders = np.stack([rng.permutation(int(has.sum())) for _ in range(permutations)])
        asked = None
        if has.sum() >= FEWEST_PERMUTED:
            own_sites = None if sites is None else sites[has]
            asked = _Asked(vary, people, modality, own_sites, target[has], own.scale, orders)
        parts.append(_Part(_groups(modality, own), int(has.sum()), asked))
    for part in parts:
        part.in_closed_form()
        part.read([0])
    of_groups = min(READS_OF_GROUPS, READS - permutations) // permutations
    _read_largest(parts, False, MOST_GROUPS, of_groups)
    _read_largest(parts, True, most, (READS - permutations - of_groups * permutations) // (permutations + 2))
    return pd.concat([part.table() for part in parts], ignore_index=True)


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
            record: dict[str, object] = {"modality": modality, "scope": scope, scope: name}
            groups.append(_Group(record, np.array(members)))
    for k, (name, units) in enumerate(zip(own.names, own.units, strict=True)):
        record = {"feature": name, "region": "+".join(own.regions[k]) or None, "group": own.groups[k], "units": units}
        groups.append(_Group({"modality": modality, "scope": "feature"} | record, np.array([k])))
    return groups


class _Asked:
    """A model, people with a modality, and the ways in which it is changed.

    Parameters
    ----------
    vary : callable
    people : mapping of str to ndarray, shape (n, p_m)
    modality : str
    sites : ndarray of object, shape (n,), or None
    target : ndarray, shape (n,)
    scale : ndarray, shape (p,)
    orders : ndarray of int, shape (k, n)
        Permutations.
    """

    def __init__(
        self,
        vary: Vary,
        people: Blocks,
        modality: str,
        sites: NDArray[np.object_] | None,
        target: FloatArray,
        scale: FloatArray,
        orders: IntArray,
    ) -> None:
        self.X, self.orders = people[modality], orders
        self.n_read = min(len(target), MOST_READ)
        self.usable = np.isfinite(scale)
        self._step = np.where(self.usable, scale, 0.0) / 2
        self._all = vary(people, modality, sites)
        few = {name: block[: self.n_read] for name, block in people.items()}
        self._read = vary(few, modality, None if sites is None else sites[: self.n_read])
        self._now = self._all(np.arange(1), self.X[None, :, :1])[0]
        self._left = self._now - target

    def _values(self, columns: IntArray, single: bool, n: int) -> FloatArray:
        """What takes the place of the columns of the first n: each permutation, and a rise and fall of single ones."""
        own, step = self.X[:n, columns], self._step[columns]
        moved = [own + step, own - step] if single else []
        return np.stack([*(self.X[np.ix_(order[:n], columns)] for order in self.orders), *moved])

    def _told(self, changes: FloatArray, single: bool) -> FloatArray:
        """`NUMBERS` but for the last (c, 4) of changes of predictions (k, n, c) of the first n people."""
        permuted, left = changes[: len(self.orders)], self._left[: changes.shape[1]]
        errors = np.abs(permuted + left[:, None]).mean(axis=1) - np.abs(left).mean()
        spread = errors.std(axis=0, ddof=1) if len(errors) > 1 else np.full(errors.shape[1], np.nan)
        effect = (changes[-2] - changes[-1]).mean(axis=0) if single else np.full(errors.shape[1], np.nan)
        return np.column_stack([np.abs(permuted).mean(axis=(0, 1)), errors.mean(axis=0), spread, effect])

    def read(self, columns: IntArray, single: bool) -> FloatArray:
        """`NUMBERS` but for the last (4,) of the people who are read, with these columns changed together."""
        values = self._values(columns, single, self.n_read)
        at_once = max(1, _CELLS // max(values[0].size, 1))
        parts = [values[start : start + at_once] for start in range(0, len(values), at_once)]
        predicted = np.concatenate([self._read(columns, part) for part in parts])
        return np.asarray(self._told((predicted - self._now[: self.n_read])[..., None], single)[0])

    def alone(self, members: csc_array) -> tuple[FloatArray, FloatArray, bool]:
        """Take what the model says of single features in closed form.

        Parameters
        ----------
        members : sparse array, shape (p, G)
            1 where a feature is in a group.

        Returns
        -------
        everybody, read : ndarray, shape (G + p, 4)
            `NUMBERS` but for the last, of all people and of those who are read: of the groups as if what features do
            added up, and of the features.
        exact : bool
            Whether those of features are what reading gives.
        """
        summed, found = np.zeros((*self.orders.shape, members.shape[1])), []
        at_once = max(1, _CELLS // max((len(self.orders) + 2) * len(self.X), 1))
        for start in range(0, self.X.shape[1], at_once):
            own = np.arange(start, min(start + at_once, self.X.shape[1]))
            changes = np.where(self.usable[own], self._all.each(own, self._values(own, True, len(self.X))), 0.0)
            found.append([self._told(changes[:, :n], True) for n in (len(self.X), self.n_read)])
            flat = changes[: len(self.orders)].reshape(-1, len(own))
            summed += (members[own].T @ flat.T).T.reshape(summed.shape)
        groups = [self._told(summed[:, :n], False) for n in (len(self.X), self.n_read)]
        everybody, read = (np.concatenate([groups[k], *(part[k] for part in found)]) for k in (0, 1))
        return everybody, read, self._all.exact


class _Part:
    """Groups of one modality and their numbers: the modality itself, its regions or groups, and its features.

    Parameters
    ----------
    groups : sequence of _Group
    n : int
        People who have the modality.
    asked : _Asked or None
        None with fewer than two people.
    """

    def __init__(self, groups: Sequence[_Group], n: int, asked: _Asked | None) -> None:
        self._groups, self._n, self._asked = groups, n, asked
        p = len(groups[0].columns)
        self.single, self.several = np.arange(len(groups) - p, len(groups)), np.arange(1, len(groups) - p)
        own = [group.columns for group in groups[: len(groups) - p]]
        columns = np.repeat(np.arange(len(own)), [len(found) for found in own])
        self._members = csc_array((np.ones(len(columns)), (np.concatenate(own), columns)), shape=(p, len(own)))
        self.numbers = np.full((len(groups), len(NUMBERS)), np.nan)
        self._everybody = self._some = self.numbers[:, :-1]

    def in_closed_form(self) -> None:
        """Numbers of all groups by what the model says of single features."""
        if self._asked is not None:
            self._everybody, self._some, exact = self._asked.alone(self._members)
            self.numbers[:, :-1], self.numbers[:, -1] = self._everybody, 0.0
            # No model uses what has no spread among the training people.
            self.numbers[self.single, -1] = np.where(self._asked.usable, float(exact), 1.0)

    def read(self, places: Sequence[int]) -> None:
        """Numbers of some groups by reading the model."""
        if self._asked is not None:
            for k in places:
                read = self._asked.read(self._groups[k].columns, self._groups[k].scope == "feature")
                told = self._everybody[k] + (read - self._some[k])
                spread = NUMBERS.index("importance_sd")
                told[spread] = read[spread] if self._asked.n_read == self._n else self._everybody[k, spread]
                self.numbers[k] = [*told, 1.0]

    def order(self, single: bool) -> FloatArray:
        """Changes by which features or groups are chosen to be read; -1 where that is not needed.

        Changes of features are multiplied by how much larger the change of their group is than what its features do
        each alone.
        """
        places = self.single if single else self.several
        change = self._everybody[places, 0].copy()
        if single:
            read = self.several[self.numbers[self.several, -1] == 1]
            added_up = self._everybody[read, 0]
            ratio = np.divide(self.numbers[read, 0], added_up, out=np.ones(len(read)), where=added_up > 0)
            own = self._members[:, read].toarray()
            change *= np.where(own > 0, ratio, 1.0).max(axis=1, initial=1.0)
        return np.where(self.numbers[places, -1] == 0, change, -1.0)

    def table(self) -> pd.DataFrame:
        """Rows of the table."""
        table = pd.DataFrame([group.record | {"n": self._n} for group in self._groups], columns=COLUMNS)
        table[NUMBERS] = self.numbers
        return table.astype(dict.fromkeys(NUMBERS, float))


def _read_largest(parts: Sequence[_Part], single: bool, most: int, within: int) -> None:
    """Read the `most` features or groups with the largest changes of all modalities, so many `within` each at most."""
    found = [(change, part, k) for part in parts for k, change in enumerate(part.order(single)) if change >= 0]
    left = {id(part): within for part in parts}
    for _, part, k in sorted(found, key=lambda one: -one[0])[:most]:
        if left[id(part)] > 0:
            left[id(part)] -= 1
            part.read([int((part.single if single else part.several)[k])])
