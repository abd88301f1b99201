"""Whether a feature is the same quantity in every cohort: its unit, how it was divided, and how large it is.

Cohorts are pooled by the names of features: what a whole cohort lacks cannot be used. One that is given in mm^3 in one
cohort and in cm^3 in another is two features under one name, and every model learns the cohort from it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from brainpid.core.errors import InputError, list_some
from brainpid.features.block import FeatureSummary
from brainpid.features.units import differ

FAR_APART = 300.0
"""Ratio of two cohorts' medians that no difference between people makes, and units a thousandfold apart do."""
FEWEST_FOR_MEDIAN = 5
"""Fewest people whose median is compared."""

log = logging.getLogger(__name__)


def refuse_other_units(blocks: Mapping[str, FeatureSummary], modality: str) -> None:
    """Raise where a feature has another known unit in another cohort.

    Parameters
    ----------
    blocks : mapping of str to FeatureSummary
        One modality by cohort, with the same features.
    modality : str

    Raises
    ------
    InputError
        The message names the features, the cohorts and their units.
    """
    for (one, first), (other, second) in combinations(blocks.items(), 2):
        places = [k for k, pair in enumerate(zip(first.units, second.units, strict=True)) if differ(*pair)]
        if places:
            told = [f"{first.names[k]} ({first.units[k]} and {second.units[k]})" for k in places]
            raise InputError(
                f"{modality}: cohorts '{one}' and '{other}' give {len(places)} of {len(first.names)} features in "
                f"different units: {list_some(told, 3)}. Convert the tables of one cohort, or correct the Units in "
                "the JSON beside them"
            )


def same_way(one: Mapping[str, Any], other: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether features were divided alike, as `brainpid.features.tables.divisor_of` gives it; no others count."""
    ways = [(way.get("by"), set(way.get("except", ())) & set(names)) for way in (one, other)]
    return ways[0] == ways[1]


def refuse_other_divisions(divided: Mapping[str, Mapping[str, Any]], modality: str, names: Sequence[str]) -> None:
    """Raise where a feature is divided in one cohort and not in another.

    Parameters
    ----------
    divided : mapping of str to mapping
        By cohort, as `brainpid.features.tables.divisor_of` gives it; empty where nothing is divided.
    modality : str
    names : sequence of str
        Features that all of the cohorts have.

    Raises
    ------
    InputError
        The message names the features, the cohorts and the divisor.
    """
    ways = {cohort: (way.get("by"), frozenset(way.get("except", ())) & set(names)) for cohort, way in divided.items()}
    for (one, (by, whole)), (other, (other_by, other_whole)) in combinations(ways.items(), 2):
        if by != other_by:
            raise InputError(
                f"{modality}: features are divided by {by or 'nothing'} in cohort '{one}' and by "
                f"{other_by or 'nothing'} in '{other}'; give both the same divide_by"
            )
        if whole != other_whole:
            names = sorted(whole ^ other_whole)
            does, does_not = (other, one) if set(names) & whole else (one, other)
            raise InputError(
                f"{modality}: {list_some(names)} is divided by {by} in cohort '{does}' and not in '{does_not}', "
                "because units are known in one of them alone, or differ. Give Units in the JSON beside the tables, "
                "and beside participants.tsv, of every cohort or of none"
            )


def warn_of_target(cohort: str, column: str, found: str, expected: str) -> None:
    """Warn where the dictionary of a participants table gives the target in another unit than the configuration.

    Parameters
    ----------
    cohort : str
    column : str
        Name of the target's column.
    found, expected : str
        Units by the dictionary, and by ``target.units``.
    """
    if differ(found, expected):
        log.warning(
            "cohort '%s': the JSON beside participants gives '%s' in %s, and target.units is %s. Targets of all "
            "cohorts have to be in one unit: convert the column, or correct the one that is wrong",
            cohort, column, found, expected,
        )  # fmt: skip


def warn_of_scales(blocks: Mapping[str, FeatureSummary], modality: str) -> None:
    """Warn of features whose medians are about a thousandfold apart between cohorts, whatever their units are.

    The middle halves of both cohorts must be apart too: around zero a ratio of medians says nothing.

    Parameters
    ----------
    blocks : mapping of str to FeatureSummary
        One modality by cohort, with the same features.
    modality : str
    """
    for (one, first), (other, second) in combinations(blocks.items(), 2):
        (low, middle, high), (other_low, other_middle, other_high) = first.quartiles, second.quartiles
        enough = np.minimum(first.known, second.known) >= FEWEST_FOR_MEDIAN
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(np.log10(np.abs(middle) / np.abs(other_middle)))
            apart = (high < other_low) | (other_high < low)
        far = np.flatnonzero(enough & apart & np.isfinite(ratio) & (ratio >= np.log10(FAR_APART)))
        if len(far):
            told = [f"{first.names[k]} ({middle[k]:.4g} and {other_middle[k]:.4g})" for k in far]
            log.warning(
                "%s: medians of %d of %d features are about 10^%.0f apart between cohorts '%s' and '%s': %s. Are they "
                "in the same unit? A JSON beside each table can say so (Units)",
                modality, len(far), len(first.names), np.median(ratio[far]), one, other, list_some(told, 3),
            )  # fmt: skip
