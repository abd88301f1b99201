"""Who and which features take part.

By default everybody takes part who has a target and at least one modality. What is decomposed is read from people who
have every modality, so that it is their number that has to suffice. A feature takes part unless it tells nothing: no
value in anybody who has the modality, over all cohorts, or one and the same. This is decided once, before anything is
trained, and holds for every fold, the final model, the null and new people.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from brainpid.cohort.participants import FAIL, SHEET_COLUMNS, SUCCESS, UNAVAILABLE, WHY_NO_TARGET, has_every_modality
from brainpid.cohort.splits import group_codes, make_splits
from brainpid.config.analysis import Incomplete
from brainpid.config.slices import LimitSettings, SplitSettings
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import require_column
from brainpid.crossfit.minima import why_not_decomposed
from brainpid.features.between_cohorts import refuse_other_divisions, refuse_other_units, warn_of_scales
from brainpid.features.block import FeatureBlock, FeatureSummary, same_names
from brainpid.features.training_sets import refuse_untrainable
from brainpid.features.units import UNKNOWN_UNIT, is_known

log = logging.getLogger(__name__)

FEATURE_COLUMNS = ["modality", "feature", "units", "n", "included", "reason"]


def join_participants(
    sheets: Mapping[str, pd.DataFrame],
    blocks: Mapping[tuple[str, str], FeatureSummary],
    modalities: Sequence[str],
    incomplete: Incomplete = "use",
) -> pd.DataFrame:
    """One row a person and cohort, with the status of each modality and whether the person takes part.

    Parameters
    ----------
    sheets : mapping of cohort to DataFrame
        Participants of each cohort.
    blocks : mapping of (cohort, modality) to FeatureSummary
        What was extracted of each cohort that has a source for the modality.
    modalities : sequence of str
        Modalities that are used.
    incomplete : {"use", "exclude"}
        Whether a person with a target takes part with at least one modality, or with all of them only. Everybody else
        has a reason.

    Returns
    -------
    DataFrame
        participant_id, cohort, site, age, sex, ``<m>_status`` and ``<m>_reason`` of each modality, included, reason.
    """
    tables = []
    no_target: list[str] = []
    for cohort, sheet in sheets.items():
        table = sheet[SHEET_COLUMNS].copy()
        target = sheet.reindex(columns=["age", WHY_NO_TARGET])
        no_target += [_why_no_target(age, why) for age, why in target.itertuples(index=False)]
        for modality in modalities:
            block = blocks.get((cohort, modality))
            if block is None:
                table[f"{modality}_status"] = UNAVAILABLE
                table[f"{modality}_reason"] = f"cohort '{cohort}' has no source for {modality}"
                continue
            if block.participant_id != tuple(sheet["participant_id"]):
                raise InputError(f"{modality} of cohort '{cohort}' was extracted for other people; run extract again")
            table[f"{modality}_status"] = list(block.status)
            table[f"{modality}_reason"] = list(block.reason)
        tables.append(table)
    people = pd.concat(tables, ignore_index=True)
    people["reason"] = [
        _why_excluded(person, why, modalities, incomplete)
        for person, why in zip(people.to_dict("records"), no_target, strict=True)
    ]
    people.insert(people.columns.get_loc("reason"), "included", people["reason"] == "")
    return people


def _why_no_target(age: Any, why: Any) -> str:
    """Reason why a person has no target; empty where there is one."""
    if not pd.isna(age):
        return ""
    return "no target value" if pd.isna(why) else f"no target value: {why}"


def _why_excluded(
    person: Mapping[Hashable, object], no_target: str, modalities: Sequence[str], incomplete: Incomplete
) -> str:
    """Reason why a person cannot take part; empty where the person does."""
    reasons = [no_target] if no_target else []
    lacking = [modality for modality in modalities if person[f"{modality}_status"] != SUCCESS]
    if incomplete == "exclude" or len(lacking) == len(modalities):
        reasons += [f"{m} {person[f'{m}_status']}: {person[f'{m}_reason']}" for m in lacking]
    return "; ".join(reasons)


def plan(
    sheets: Mapping[str, pd.DataFrame],
    blocks: Mapping[tuple[str, str], FeatureSummary],
    settings: SplitSettings,
    limits: LimitSettings | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Everybody's status, as `join_participants` gives it, and the roles of those who take part.

    A cohort that cannot be decomposed (`brainpid.crossfit.minima`) is named in a warning, and takes part.

    Raises
    ------
    InputError
        Where a cohort has nobody left, no cohort can be decomposed, the folds do not fit the people, or the training
        people of a fold do not suffice for the models in `limits`.
    """
    ordered = {cohort: sheets[cohort] for cohort in settings.cohorts}
    people = join_participants(ordered, blocks, settings.modalities, settings.incomplete)
    groups = None
    if settings.splits.group is not None:
        for cohort, sheet in ordered.items():
            require_column(f"participants of cohort '{cohort}'", list(sheet), settings.splits.group, "splits.group")
        groups = pd.concat([sheet[settings.splits.group] for sheet in ordered.values()], ignore_index=True)
    why_not = {}
    for cohort, rows in people.groupby("cohort", sort=False):
        complete = rows[rows["included"] & has_every_modality(rows, settings.modalities)]
        log.info(
            "%s: %d of %d people take part, %d with every modality",
            cohort, rows["included"].sum(), len(rows), len(complete),
        )  # fmt: skip
        if not rows["included"].any():
            raise InputError(f"cohort '{cohort}': nobody takes part; first reason: {rows['reason'].iloc[0]}")
        if reason := why_not_decomposed(complete["age"].to_numpy(dtype=float), settings.modalities):
            why_not[cohort] = f"cohort '{cohort}': {reason}"
    if len(why_not) == len(ordered):
        raise InputError(
            f"no cohort can be decomposed: {list_some(why_not.values(), 3)}, in at least one cohort. Use fewer "
            "modalities, or look at participants.tsv"
        )
    for message in why_not.values():
        log.warning("%s; it is not decomposed, and used for training and accuracy alone", message)
    splits = make_splits(people, groups, settings)
    refuse_untrainable(people, None if groups is None else group_codes(groups), splits, settings.modalities, limits)
    return people, splits


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
        own = features[features["modality"] == modality]
        chosen = own["included"].to_numpy(dtype=bool)
        if not block.names or (block.known[chosen] == block.present.sum()).any():
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
        Where cohorts have different features, in different units or divided in different ways, or none of a modality
        is left.
    """
    tables = [pd.DataFrame(columns=FEATURE_COLUMNS)]
    for modality in modalities:
        own = {cohort: block for (cohort, name), block in blocks.items() if name == modality and block.names}
        if not own:
            continue
        names = same_names({cohort: block.names for cohort, block in own.items()}, modality)
        refuse_other_divisions(
            {cohort: (divided or {})[cohort, modality] for cohort in own if (cohort, modality) in (divided or {})},
            modality,
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
            f"no value in any of {people} people"
            if count == 0
            else (f"the same value, {least:g}, in all {count} people who have one" if least == most else "")
            for count, least, most in zip(n.tolist(), low.tolist(), high.tolist(), strict=True)
        ]
        table = pd.DataFrame({"modality": modality, "feature": names, "units": units, "n": n})
        tables.append(table.assign(included=[not why for why in reason], reason=reason))
        left_out = [f"{name} ({why})" for name, why in zip(names, reason, strict=True) if why]
        if len(left_out) == len(names):
            raise InputError(f"{modality}: no feature differs between people: {list_some(left_out, 3)}")
        if left_out:
            log.warning(
                "%s: %d of %d features tell nothing and are left out: %s", modality, len(left_out), len(names),
                list_some(left_out),
            )  # fmt: skip
    return pd.concat(tables[1:] or tables, ignore_index=True)
