"""Which features take part.

A feature takes part unless it tells nothing, that is no value in anybody who has the modality, over all cohorts, or one
and the same; or unless a cohort lacks it as a whole. This is decided once, before anything is trained, and holds for
every fold, the final model, the null and new people.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from brainpid.cohort.participants import EXCLUDED, FAIL
from brainpid.core.arrays import BoolArray
from brainpid.core.errors import InputError, list_some
from brainpid.features.between_cohorts import refuse_other_divisions, refuse_other_units, warn_of_scales
from brainpid.features.block import FeatureBlock, FeatureSummary
from brainpid.features.shared_names import LEAST_SHARED, Names, in_one_order, lacking
from brainpid.features.units import UNKNOWN_UNIT, is_known

log = logging.getLogger(__name__)

FEATURE_COLUMNS = ["modality", "feature", "units", "n", "included", "reason"]


def of_training_group(
    blocks: Mapping[tuple[str, str], FeatureSummary],
    chosen: Mapping[str, BoolArray],
    values_of: Callable[[str, str], FeatureBlock | None],
) -> dict[tuple[str, str], FeatureSummary]:
    """Blocks whose counts and ranges of features are of the training group alone; statuses are of everybody.

    Parameters
    ----------
    blocks : mapping of (cohort, modality) to FeatureSummary
    chosen : mapping of cohort to ndarray of bool, shape (n,)
        Who is of the training group.
    values_of : callable
        Gives the block of a cohort and modality; None where its values are not known yet.
    """
    found = dict(blocks)
    for (cohort, modality), block in blocks.items():
        if (own := values_of(cohort, modality)) is None:
            continue
        status = tuple(
            state if inside else EXCLUDED for state, inside in zip(own.status, chosen[cohort].tolist(), strict=True)
        )
        told = replace(own, status=status).summary()
        found[cohort, modality] = replace(
            block, known=told.known, low=told.low, high=told.high, quartiles=told.quartiles
        )
    return found


def without_chosen(
    blocks: Mapping[tuple[str, str], FeatureSummary],
    features: pd.DataFrame,
    values_of: Callable[[str, str], FeatureBlock],
) -> dict[tuple[str, str], FeatureSummary]:
    """Let people fail in a modality of which they have values of features alone that are left out.

    Parameters
    ----------
    blocks : mapping of (cohort, modality) to FeatureSummary
    features : DataFrame
        As `choose_features` gives it.
    values_of : callable
        Gives the block of a cohort and modality; asked only where a person may have nothing that is left.
    """
    found = dict(blocks)
    for (cohort, modality), block in blocks.items():
        used = features["included"].astype(bool) & (features["modality"] == modality)
        chosen = np.isin(np.array(block.names, dtype=object), features.loc[used, "feature"].to_numpy(dtype=object))
        if not block.present.any() or not block.names or (block.known[chosen] == block.present.sum()).any():
            continue
        void = block.present & np.isnan(values_of(cohort, modality).values[:, chosen]).all(axis=1)
        if void.any():
            reason = f"no value of any of the {int(chosen.sum())} features of {modality} that differ between people"
            found[cohort, modality] = replace(
                block,
                status=tuple(FAIL if own else state for own, state in zip(void, block.status, strict=True)),
                reason=tuple(reason if own else why for own, why in zip(void, block.reason, strict=True)),
            )
    return found


def choose_features(
    blocks: Mapping[tuple[str, str], FeatureSummary],
    modalities: Sequence[str],
    divided: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """Say of every feature whether it takes part, and why it does not.

    A feature that a cohort lacks as a whole is left out, because it would tell who is of that cohort. A cohort of which
    nobody has a modality counts for nothing there, and is named in a warning.

    Parameters
    ----------
    blocks : mapping of (cohort, modality) to FeatureSummary
        What was extracted of each cohort that has a source for the modality. One without any feature is not extracted
        yet, and counts for nothing.
    modalities : sequence of str
    divided : mapping of (cohort, modality) to mapping, optional
        How the features of tables were divided, see `brainpid.features.tables.divisor_of`.

    Returns
    -------
    DataFrame
        Columns `FEATURE_COLUMNS`, as they stand in ``features.tsv``: `n` counts the people with a value, over all
        cohorts.

    Raises
    ------
    InputError
        Where nobody has a modality, cohorts share few features, in different units or divided in different ways, or
        none of a modality is left.
    """
    tables = [pd.DataFrame(columns=FEATURE_COLUMNS)]
    for modality in modalities:
        given = _of_anybody({cohort: block for (cohort, name), block in blocks.items() if name == modality}, modality)
        if not given:
            continue
        everything = in_one_order(block.names for block in given.values())
        names = _in_all({cohort: block.names for cohort, block in given.items()}, everything, modality)
        own = {cohort: block.of(names) for cohort, block in given.items()}
        refuse_other_divisions(
            {cohort: (divided or {})[cohort, modality] for cohort in own if (cohort, modality) in (divided or {})},
            modality,
            names,
        )
        refuse_other_units(own, modality)
        warn_of_scales(own, modality)
        units = [
            next((unit for unit in of_cohorts if is_known(unit)), UNKNOWN_UNIT)
            for of_cohorts in zip(*(block.units for block in own.values()), strict=True)
        ]
        n = np.sum([block.known for block in own.values()], axis=0)
        low = np.fmin.reduce([block.low for block in own.values()])
        high = np.fmax.reduce([block.high for block in own.values()])
        people = sum(int(block.present.sum()) for block in own.values())
        reason = [
            _why_not(count, people, least if least == most else None)
            for count, least, most in zip(n.tolist(), low.tolist(), high.tolist(), strict=True)
        ]
        table = pd.DataFrame({"modality": modality, "feature": names, "units": units, "n": n})
        table = table.assign(included=[not why for why in reason], reason=reason)
        tables.append(table if names == everything else _with_others(table, given, everything))
        left_out = [f"{name} ({why})" for name, why in zip(names, reason, strict=True) if why]
        if len(left_out) == len(names):
            raise InputError(f"{modality}: no feature differs between people: {list_some(left_out, 3)}")
        if left_out:
            log.warning(
                "%s: %d of %d features tell nothing and are left out: %s", modality, len(left_out), len(names),
                list_some(left_out),
            )  # fmt: skip
    return pd.concat(tables[1:] or tables, ignore_index=True)


def _of_anybody(blocks: Mapping[str, FeatureSummary], modality: str) -> dict[str, FeatureSummary]:
    """Blocks with features of a modality, by cohort, once every cohort of which nobody has it is named."""
    nobody = {cohort: block for cohort, block in blocks.items() if not block.present.any()}
    reasons = {cohort: commonest(block.participant_id, block.reason, most=3) for cohort, block in nobody.items()}
    if nobody and len(nobody) == len(blocks):
        told = " | ".join(f"cohort '{cohort}': {reason}" for cohort, reason in reasons.items())
        raise InputError(
            f"{modality}: nobody has it in any cohort: {told}. Do the labels of the participants table "
            "fit the files? Otherwise leave the modality out"
        )
    for cohort, reason in reasons.items():
        log.warning("cohort '%s': nobody has %s: %s; its people take part without it", cohort, modality, reason)
    return {cohort: block for cohort, block in blocks.items() if block.names and cohort not in nobody}


def commonest(people: Sequence[str], reasons: Sequence[str], most: int | None = None) -> str:
    """Count the reasons of those who have one, and give the most frequent ones first, in words."""
    counts = Counter(
        # One reason for all whose files lack in the same place of their own folders.
        reason.replace(person, "sub-*")
        for person, reason in zip(people, reasons, strict=True)
        if reason
    )
    more = "" if most is None or len(counts) <= most else f"; {len(counts) - most} more reasons"
    return "; ".join(f"{count} x {reason}" for reason, count in counts.most_common(most)) + more


def _in_all(names: Mapping[str, Names], everything: Names, modality: str) -> Names:
    """Features that all cohorts have, in one order; others are named, and refused where they are the most."""
    shared = set(everything).intersection(*names.values())
    common = tuple(name for name in everything if name in shared)
    if common == everything:
        return common
    gaps = lacking(names, everything)
    widest = max(names, key=lambda cohort: len(names[cohort]))
    if len(common) < LEAST_SHARED * len(names[widest]):
        raise InputError(
            f"{modality}: cohorts must have the same features, and {len(common)} of the {len(names[widest])} of cohort "
            f"'{widest}' are in all. Features that others have are lacking in {'; '.join(gaps)}"
        )
    log.warning(
        "%s: %d of %d features are not in all cohorts and are left out; lacking in %s", modality,
        len(everything) - len(common), len(everything), "; ".join(gaps),
    )  # fmt: skip
    return common


def _with_others(table: pd.DataFrame, blocks: Mapping[str, FeatureSummary], everything: Names) -> pd.DataFrame:
    """Add the features that some cohorts lack, each in its place, with the reason."""
    known = set(table["feature"])
    places = {cohort: {name: column for column, name in enumerate(block.names)} for cohort, block in blocks.items()}
    records = []
    for name in everything:
        if name in known:
            continue
        where = {cohort: own[name] for cohort, own in places.items() if name in own}
        units = [blocks[cohort].units[column] for cohort, column in where.items()]
        unit = next((one for one in units if is_known(one)), UNKNOWN_UNIT)
        n = sum(int(blocks[cohort].known[column]) for cohort, column in where.items())
        reason = f"only in cohort {list_some(where)}"
        records.append((table["modality"].iloc[0], name, unit, n, False, reason))
    joined = pd.concat([table, pd.DataFrame(records, columns=FEATURE_COLUMNS)], ignore_index=True)
    return joined.set_index("feature", drop=False).loc[list(everything)].reset_index(drop=True)


def _why_not(known: int, people: int, same: float | None) -> str:
    """Why a feature tells nothing, by the number of people who have it and the value that all of them have, if any."""
    if known == 0:
        return f"no value in any of {people} people"
    if known == 1:
        return "known of one person alone"
    return "" if same is None else f"the same value, {same:g}, in all {known} people who have one"
