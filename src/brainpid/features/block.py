"""What one modality of one cohort is, once extracted: named features with units, and everybody's status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainpid.cohort.participants import SUCCESS
from brainpid.core.errors import InputError, list_some


@dataclass(frozen=True)
class FeatureBlock:
    """Features of one modality of one cohort.

    Attributes
    ----------
    modality : str
        Name of the modality.
    participant_id : tuple of str, length n
        Label of each row.
    names, units : tuple of str, length p
        Name and unit of each column; ``1`` is dimensionless and ``n/a`` not known.
    values : ndarray, shape (n, p)
        Features; NaN is a missing cell and a row of NaN a person without the modality.
    status : tuple of str, length n
        SUCCESS, FAIL, UNAVAILABLE or EXCLUDED.
    reason : tuple of str, length n
        Why the status is not SUCCESS; empty where it is.
    """

    modality: str
    participant_id: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: NDArray[np.floating]
    status: tuple[str, ...]
    reason: tuple[str, ...]

    def __post_init__(self) -> None:
        n, p = len(self.participant_id), len(self.names)
        if self.values.shape != (n, p) or len(self.units) != p or len(self.status) != n or len(self.reason) != n:
            raise ValueError(
                f"{self.modality}: {n} labels and {p} names do not fit values {self.values.shape}, "
                f"{len(self.units)} units, {len(self.status)} statuses and {len(self.reason)} reasons"
            )

    @property
    def present(self) -> NDArray[np.bool_]:
        """People who have the modality, as a mask of shape (n,)."""
        return np.array([status == SUCCESS for status in self.status], dtype=bool)


def join_people(parts: Sequence[FeatureBlock], people: Sequence[str]) -> FeatureBlock:
    """Join blocks of different people of one cohort and modality, in the order of `people`.

    Parameters
    ----------
    parts : sequence of FeatureBlock
        Together they have everybody once. A part in which nobody succeeded may have no features.
    people : sequence of str
        Labels of everybody.

    Raises
    ------
    InputError
        Where parts have different features, a person is missing or twice, or nobody has the modality.
    """
    modality = parts[0].modality
    labels = [label for part in parts for label in part.participant_id]
    if sorted(labels) != sorted(people):
        odd = sorted(set(labels) ^ set(people)) or sorted({label for label in labels if labels.count(label) > 1})
        raise InputError(f"{modality}: parts and participants differ, for example {list_some(odd)}; run extract again")
    named = [part for part in parts if part.names]
    if not named:
        reasons = sorted({reason for part in parts for reason in part.reason})
        raise InputError(f"{modality}: nobody of {len(people)} participants has it: {list_some(reasons, 3)}")
    names = same_names({f"part {number}": part.names for number, part in enumerate(named)}, modality)
    values = np.concatenate([p.values if p.names else np.full((len(p.status), len(names)), np.nan) for p in parts])
    place = {label: row for row, label in enumerate(labels)}
    order = [place[person] for person in people]
    status = [state for part in parts for state in part.status]
    reason = [why for part in parts for why in part.reason]
    return FeatureBlock(
        modality=modality,
        participant_id=tuple(people),
        names=names,
        units=named[0].units,
        values=values[order],
        status=tuple(status[row] for row in order),
        reason=tuple(reason[row] for row in order),
    )


def same_names(names: Mapping[str, tuple[str, ...]], modality: str) -> tuple[str, ...]:
    """Feature names that all cohorts share, or an `InputError` that lists what differs.

    Parameters
    ----------
    names : mapping of str to tuple of str
        Feature names of the modality in each cohort.
    modality : str
        Name for the message.
    """
    reference, *others = names
    for cohort in others:
        if names[cohort] == names[reference]:
            continue
        differing = sorted(set(names[reference]) ^ set(names[cohort]))
        what = f"only in one of them: {list_some(differing)}" if differing else "the order of the columns differs"
        raise InputError(
            f"{modality}: cohorts '{reference}' ({len(names[reference])} features) and '{cohort}' "
            f"({len(names[cohort])} features) must have the same features; {what}"
        )
    return names[reference]
