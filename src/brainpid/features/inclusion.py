"""Who takes part.

By default everybody takes part who has a target and at least one modality. What is decomposed is read from people who
have every modality, so that it is their number that has to suffice.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainpid.cohort.groups import group_codes
from brainpid.cohort.names import visit_of
from brainpid.cohort.participants import (
    EXCLUDED,
    SHEET_COLUMNS,
    SUCCESS,
    UNAVAILABLE,
    WHY_NO_TARGET,
    has_every_modality,
)
from brainpid.cohort.splits import make_splits
from brainpid.cohort.training_group import TRAINED, in_training_group, training_group
from brainpid.config.analysis import Incomplete
from brainpid.config.slices import LimitSettings, SplitSettings
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import require_column
from brainpid.crossfit.minima import why_not_decomposed
from brainpid.features.block import FeatureSummary
from brainpid.features.training_sets import refuse_untrainable

log = logging.getLogger(__name__)


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
        `plan` adds trained_on, where a part of the people is.
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
    whole = {(person[f"{m}_status"], person[f"{m}_reason"]) for m in lacking}
    if len(lacking) == len(modalities) and len(whole) == 1 and next(iter(whole))[0] == EXCLUDED:
        reasons.append(f"{EXCLUDED}: {person[f'{lacking[0]}_reason']}")
    elif incomplete == "exclude" or len(lacking) == len(modalities):
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
    if settings.train_on is not None:
        chosen = in_training_group(ordered, settings.train_on)
        people[TRAINED] = np.concatenate([chosen[cohort] for cohort in ordered])
    groups = None
    if settings.splits.group is not None:
        for cohort, sheet in ordered.items():
            require_column(f"participants of cohort '{cohort}'", list(sheet), settings.splits.group, "splits.group")
        groups = pd.concat([sheet[settings.splits.group] for sheet in ordered.values()], ignore_index=True)
        _refuse_visits_apart(people, groups, settings.splits.group)
    why_not: dict[object, str] = {}
    only_predicted: list[object] = []
    for cohort, rows in people.groupby("cohort", sort=False):
        own = training_group(rows[rows["included"]])
        complete = own[has_every_modality(own, settings.modalities)]
        log.info(
            "%s: %d of %d people take part, %d are trained on, %d of these with every modality",
            cohort, rows["included"].sum(), len(rows), len(own), len(complete),
        )  # fmt: skip
        if not rows["included"].any():
            raise InputError(f"cohort '{cohort}': nobody takes part; first reason: {rows['reason'].iloc[0]}")
        if own.empty:
            alone = f"cohort '{cohort}': nobody of it is of the training group (train_on)"
            why_not[cohort], only_predicted = alone, [*only_predicted, cohort]
        elif reason := why_not_decomposed(complete["age"].to_numpy(dtype=float), settings.modalities):
            why_not[cohort] = f"cohort '{cohort}': {reason}"
    if len(why_not) == len(ordered):
        raise InputError(
            f"no cohort can be decomposed: {list_some(why_not.values(), 3)}, in at least one cohort. Use fewer "
            "modalities, or look at participants.tsv"
        )
    for named, message in why_not.items():
        used = "its people are predicted alone" if named in only_predicted else "used for training and accuracy alone"
        log.warning("%s; it is not decomposed, and %s", message, used)
    splits = make_splits(people, groups, settings)
    refuse_untrainable(people, None if groups is None else group_codes(groups), splits, settings.modalities, limits)
    return people, splits


def _refuse_visits_apart(people: pd.DataFrame, groups: pd.Series, column: str) -> None:
    """Raise where visits of one person are of several groups, or of none: they would be on both sides of a split."""
    own = people["cohort"] + " " + people["participant_id"].map(lambda label: visit_of(label)[0])
    for person, values in groups.groupby(own.to_numpy()):
        if len(values) > 1 and (values.isna().any() or len(set(values)) > 1):
            raise InputError(
                f"splits.group: the {len(values)} visits of {person} have {list_some([str(v) for v in values], 4)} in "
                f"'{column}'; expected one value, which keeps them on one side of every split"
            )
