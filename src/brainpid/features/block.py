"""What one modality of one cohort is, once extracted: named features with units, and everybody's status."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from brainpid.cohort.participants import FAIL, SUCCESS
from brainpid.core.arrays import BoolArray
from brainpid.core.errors import InputError, list_some
from brainpid.features.shared_names import difference, in_one_order, lacking, share_little

log = logging.getLogger(__name__)

Regions = tuple[tuple[str, ...], ...]
"""Regions of each feature: none, one, or the two that an edge joins."""


@dataclass(frozen=True)
class FeatureSummary:
    """What is known of a block without its values: whose it is, what the features are, and their range.

    Attributes
    ----------
    modality : str
    participant_id, status, reason : tuple of str, length n
    names, units : tuple of str, length p
    regions : tuple of tuple of str, length p
    known : ndarray of int, shape (p,)
        People with the modality who have a value of the feature.
    low, high : ndarray of float32, shape (p,)
        Smallest and largest of these values, as they are stored; NaN where there is none.
    quartiles : ndarray of float32, shape (3, p)
        Lower quartile, median and upper quartile of these values, each one of them; NaN where there is none.
    """

    modality: str
    participant_id: tuple[str, ...]
    status: tuple[str, ...]
    reason: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    regions: Regions
    known: NDArray[np.integer]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    quartiles: NDArray[np.float32]

    @property
    def present(self) -> BoolArray:
        """People who have the modality, as a mask of shape (n,)."""
        return np.array([status == SUCCESS for status in self.status], dtype=bool)

    def of(self, names: Sequence[str]) -> FeatureSummary:
        """Give the summary of these features alone, in this order; the block has all of them."""
        if tuple(names) == self.names:
            return self
        place = {name: column for column, name in enumerate(self.names)}
        own = [place[name] for name in names]
        return replace(
            self,
            names=tuple(names),
            units=tuple(self.units[column] for column in own),
            regions=tuple(self.regions[column] for column in own),
            known=self.known[own],
            low=self.low[own],
            high=self.high[own],
            quartiles=self.quartiles[:, own],
        )


@dataclass(frozen=True)
class FeatureBlock:
    """Features of one modality of one cohort.

    A person without any value, or with one that is not finite, cannot have the modality: where the status says SUCCESS
    it becomes FAIL with that reason, whatever the source is.

    Attributes
    ----------
    modality : str
        Name of the modality.
    participant_id : tuple of str, length n
        Label of each row.
    names, units : tuple of str, length p
        Name and unit of each column; ``1`` is dimensionless and ``n/a`` not known.
    values : ndarray, shape (n, p)
        Features; NaN is a missing cell and a row of NaN a person without the modality. None is infinite.
    status : tuple of str, length n
        SUCCESS, FAIL, UNAVAILABLE or EXCLUDED.
    reason : tuple of str, length n
        Why the status is not SUCCESS; empty where it is.
    regions : tuple of tuple of str, length p
        Regions of the brain that each column belongs to, two of an edge; none of any column by default.
    notes : mapping of str to str
        What is to be known of a feature's values, by its name.
    """

    modality: str
    participant_id: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: NDArray[np.floating]
    status: tuple[str, ...]
    reason: tuple[str, ...]
    regions: Regions = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, p = len(self.participant_id), len(self.names)
        if not self.regions:
            object.__setattr__(self, "regions", ((),) * p)
        if (
            self.values.shape != (n, p)
            or (len(self.units), len(self.regions)) != (p, p)
            or (len(self.status), len(self.reason)) != (n, n)
        ):
            raise ValueError(
                f"{self.modality}: {n} labels and {p} names do not fit values {self.values.shape}, {len(self.units)} "
                f"units, {len(self.regions)} regions, {len(self.status)} statuses and {len(self.reason)} reasons"
            )
        if p:
            self._refuse_senseless()

    def _refuse_senseless(self) -> None:
        """Turn successes without any value, or with an infinite one, into failures."""
        with np.errstate(over="ignore"):  # what float32, in which values are stored, cannot hold is infinite in it
            stored = self.values.astype(np.float32, copy=False)
        infinite = np.isinf(stored)
        status, reason = list(self.status), list(self.reason)
        for row in np.flatnonzero(infinite.any(axis=1) & self.present):
            column = int(infinite[row].argmax())
            count = int(infinite[row].sum())
            status[row] = FAIL
            reason[row] = f"{self.names[column]} is {self.values[row, column]:g}, expected a finite number" + (
                f" ({count} such features)" if count > 1 else ""
            )
        for row in np.flatnonzero(np.isnan(stored).all(axis=1) & self.present):
            status[row], reason[row] = FAIL, f"none of the {len(self.names)} features has a value"
        object.__setattr__(self, "status", tuple(status))
        object.__setattr__(self, "reason", tuple(reason))
        if infinite.any():
            object.__setattr__(self, "values", np.where(infinite, np.nan, self.values))

    @property
    def present(self) -> BoolArray:
        """People who have the modality, as a mask of shape (n,)."""
        return np.array([status == SUCCESS for status in self.status], dtype=bool)

    def summary(self) -> FeatureSummary:
        """Everything but the values, with the range of each feature among those who have the modality."""
        values = self.values.astype(np.float32, copy=False)[self.present]
        known = np.isfinite(values)
        some = known.any(axis=0)
        low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
        high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
        return FeatureSummary(
            modality=self.modality,
            participant_id=self.participant_id,
            status=self.status,
            reason=self.reason,
            names=self.names,
            units=self.units,
            regions=self.regions,
            known=known.sum(axis=0),
            low=np.where(some, low, np.nan).astype(np.float32),
            high=np.where(some, high, np.nan).astype(np.float32),
            quartiles=_quartiles(values, known.sum(axis=0)),
        )


def _quartiles(values: NDArray[np.float32], known: NDArray[np.integer]) -> NDArray[np.float32]:
    """Quartiles (3, p) of the values (n, p) of each feature that are known, which are the first when sorted."""
    if not values.size:
        return np.full((3, values.shape[1]), np.nan, dtype=np.float32)
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=0)
    places = [np.maximum(known - 1, 0) * part // 4 for part in (1, 2, 3)]
    return np.stack([np.take_along_axis(ordered, place[None], axis=0)[0] for place in places])


def join_people(parts: Sequence[FeatureBlock], people: Sequence[str], of_images: bool) -> FeatureBlock:
    """Join blocks of different people of one cohort and modality, in the order of `people`.

    A feature that a part lacks is not known in its people; where nobody succeeded there are no features. Of shards,
    which hold people's images, whoever has hardly any of the features that most people have was measured by something
    else, and fails.

    Parameters
    ----------
    parts : sequence of FeatureBlock
        Together they have everybody once. A part in which nobody succeeded may have no features.
    people : sequence of str
        Labels of everybody.
    of_images : bool
        Whether features come from images, and not from a table, whose columns are what they are.

    Raises
    ------
    InputError
        Where half of the people have other features than the rest, one feature has two units, or a person is missing
        or twice.
    """
    modality = parts[0].modality
    labels = [label for part in parts for label in part.participant_id]
    if sorted(labels) != sorted(people):
        odd = sorted(set(labels) ^ set(people)) or sorted({label for label in labels if labels.count(label) > 1})
        raise InputError(f"{modality}: parts and participants differ, for example {list_some(odd)}; run extract again")
    named = [part for part in parts if part.names]
    names = in_one_order(part.names for part in named)
    if named:
        _warn_of_gaps(named, names)
    units, regions = _descriptions(named, modality)
    values = np.concatenate([_spread(part, names) for part in parts])
    place = {label: row for row, label in enumerate(labels)}
    order = [place[person] for person in people]
    status = [state for part in parts for state in part.status]
    reason = [why for part in parts for why in part.reason]
    joined = FeatureBlock(
        modality=modality,
        participant_id=tuple(people),
        names=names,
        units=tuple(units[name] for name in names),
        values=values[order],
        status=tuple(status[row] for row in order),
        reason=tuple(reason[row] for row in order),
        regions=tuple(regions[name] for name in names),
    )
    return joined if not of_images else _without_strangers(joined)


def _without_strangers(block: FeatureBlock) -> FeatureBlock:
    """Let those fail who have hardly any of the features that most people have, but others.

    A person's features are those with a value: who lacks some has a part of the usual ones, and is no stranger.
    """
    known = np.isfinite(block.values) & block.present[:, None]
    usual = known.sum(axis=0) > known.any(axis=1).sum() / 2
    most = tuple(np.array(block.names, dtype=object)[usual])
    strangers = {}
    for row in np.flatnonzero(known.any(axis=1)):
        own = tuple(np.array(block.names, dtype=object)[known[row]])
        if not most or share_little(own, most):
            strangers[int(row)] = difference(own, most)
    if not strangers:
        return block
    first, words = next(iter(strangers.items()))
    if 2 * len(strangers) >= known.any(axis=1).sum():
        raise InputError(
            f"{block.modality}: people of one cohort must have the same features, and no feature is known in most: of "
            f"{block.participant_id[first]} {words}. Are their files of one pipeline?"
        )
    log.warning(
        "%s: %d people have other features than most, and fail: %s", block.modality, len(strangers),
        list_some(block.participant_id[row] for row in strangers),
    )  # fmt: skip
    status, reason = list(block.status), list(block.reason)
    for row, words in strangers.items():
        status[row], reason[row] = FAIL, f"measured by something else than others: {words}"
    return replace(block, status=tuple(status), reason=tuple(reason))


def _spread(part: FeatureBlock, names: tuple[str, ...]) -> NDArray[np.floating]:
    """Values of a part under the names of all parts, NaN where it has none; shape (n, p)."""
    if part.names == names:
        return part.values
    values = np.full((len(part.status), len(names)), np.nan)
    place = {name: column for column, name in enumerate(names)}
    values[:, [place[name] for name in part.names]] = part.values
    return values


def _descriptions(parts: Sequence[FeatureBlock], modality: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Unit and regions of every feature of any part."""
    units: dict[str, str] = {}
    regions: dict[str, tuple[str, ...]] = {}
    for part in parts:
        for name, unit, places in zip(part.names, part.units, part.regions, strict=True):
            if units.setdefault(name, unit) != unit:
                raise InputError(f"{modality}: {name} is in {units[name]} and in {unit}; expected one unit in a cohort")
            regions.setdefault(name, places)
    return units, regions


def _warn_of_gaps(parts: Sequence[FeatureBlock], names: tuple[str, ...]) -> None:
    """Name the people and features of parts that have fewer than others."""
    own = {
        person: part.names
        for part in parts
        for person, has in zip(part.participant_id, part.present, strict=True)
        if has
    }
    if gaps := lacking(own, names):
        log.warning("%s: features that others have are n/a in %s", parts[0].modality, list_some(gaps, 20))
