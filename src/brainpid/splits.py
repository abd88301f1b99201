"""Who takes part, and on which side of every split.

A stratum is a cohort, a site and a twelfth of the target's plausible range (a decade of age). Within a stratum people
are dealt to the folds in the order of the participants table, a block of K people at a time; the order in which a
block visits the K folds is drawn from a hash of seed, repeat, stratum and block. Every fold so gets each stratum's
people up to a difference of one, and a row that is appended to a participants table never moves anybody: a fold is
given to everybody with a target, whether or not images are missing, so that exclusions move nobody either.

By default everybody takes part who has a target and at least one modality. What is decomposed is read from people who
have every modality, so that it is their number that has to suffice.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainpid.config import Incomplete
from brainpid.errors import InputError, list_some
from brainpid.estimation import MIN_PEOPLE_PER_DIMENSION
from brainpid.features import SUCCESS, UNAVAILABLE, FeatureBlock, same_names
from brainpid.files import require_column
from brainpid.participants import SHEET_COLUMNS, has_every_modality
from brainpid.settings import SplitSettings

log = logging.getLogger(__name__)

TARGET_BINS = 12


def deal_folds(
    strata: Sequence[Hashable], folds: int, repeat: int, seed: int, groups: Sequence[Hashable] | None = None
) -> NDArray[np.int64]:
    """Deal people to folds, balanced within strata and stable when people are appended.

    Parameters
    ----------
    strata : sequence, length n
        Stratum of each person, in the order of the participants table.
    folds : int
        Number of folds K.
    repeat, seed : int
        Which drawing of the folds.
    groups : sequence, length n, optional
        People of one group share the fold, and the stratum, of the group's first member.

    Returns
    -------
    ndarray of int, shape (n,)
        Fold of each person, 0 to K - 1.
    """
    dealt: dict[Hashable, int] = {}
    of_group: dict[Hashable, int] = {}
    assigned = np.empty(len(strata), dtype=np.int64)
    for row, stratum in enumerate(strata):
        group = (row,) if groups is None else groups[row]
        if group not in of_group:
            block, place = divmod(dealt.get(stratum, 0), folds)
            of_group[group] = _fold_order(folds, f"{seed}|{repeat}|{stratum}|{block}")[place]
            dealt[stratum] = dealt.get(stratum, 0) + 1
        assigned[row] = of_group[group]
    return assigned


def _fold_order(folds: int, key: str) -> list[int]:
    """Order of the folds that a hash of the key draws; the same on every machine and Python."""
    return sorted(range(folds), key=lambda fold: hashlib.sha256(f"{key}|{fold}".encode()).digest())


def join_participants(
    sheets: Mapping[str, pd.DataFrame],
    blocks: Mapping[tuple[str, str], FeatureBlock],
    modalities: Sequence[str],
    incomplete: Incomplete = "use",
) -> pd.DataFrame:
    """One row a person and cohort, with the status of each modality and whether the person takes part.

    Parameters
    ----------
    sheets : mapping of cohort to DataFrame
        Participants of each cohort.
    blocks : mapping of (cohort, modality) to FeatureBlock
        Features of each cohort that has a source for the modality.
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
    for cohort, sheet in sheets.items():
        table = sheet[SHEET_COLUMNS].copy()
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
    people["reason"] = [_why_excluded(person, modalities, incomplete) for person in people.to_dict("records")]
    people.insert(people.columns.get_loc("reason"), "included", people["reason"] == "")
    return people


def _why_excluded(person: Mapping[Hashable, object], modalities: Sequence[str], incomplete: Incomplete) -> str:
    """Reason why a person cannot take part; empty where the person does."""
    reasons = ["no target value"] if pd.isna(person["age"]) else []
    lacking = [modality for modality in modalities if person[f"{modality}_status"] != SUCCESS]
    if incomplete == "exclude" or len(lacking) == len(modalities):
        reasons += [f"{m} {person[f'{m}_status']}: {person[f'{m}_reason']}" for m in lacking]
    return "; ".join(reasons)


def group_codes(labels: pd.Series) -> NDArray[np.int64]:
    """Number the groups of a column, shape (n,); a missing label is a group of its own."""
    codes, known = pd.factorize(labels)
    return np.where(codes < 0, len(known) + np.arange(len(codes)), codes)


def plan(
    sheets: Mapping[str, pd.DataFrame], blocks: Mapping[tuple[str, str], FeatureBlock], settings: SplitSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Everybody's status, as `join_participants` gives it, and the roles of those who take part.

    Raises
    ------
    InputError
        Where cohorts have different features, a feature is constant, a cohort has nobody left, no cohort has as many
        people with every modality as the latents need (with ``incomplete: exclude``, one has not), or the folds do not
        fit the people.
    """
    for modality in settings.modalities:
        same_names({cohort: block.names for (cohort, name), block in blocks.items() if name == modality}, modality)
    refuse_constant(blocks, settings.modalities)
    ordered = {cohort: sheets[cohort] for cohort in settings.cohorts}
    people = join_participants(ordered, blocks, settings.modalities, settings.incomplete)
    groups = None
    if settings.splits.group is not None:
        for cohort, sheet in ordered.items():
            require_column(f"participants of cohort '{cohort}'", list(sheet), settings.splits.group, "splits.group")
        groups = pd.concat([sheet[settings.splits.group] for sheet in ordered.values()], ignore_index=True)
    needed = MIN_PEOPLE_PER_DIMENSION * len(settings.modalities)
    enough = {}
    for cohort, rows in people.groupby("cohort", sort=False):
        n = int((rows["included"] & has_every_modality(rows, settings.modalities)).sum())
        log.info("%s: %d of %d people take part, %d with every modality", cohort, rows["included"].sum(), len(rows), n)
        if not rows["included"].any():
            raise InputError(f"cohort '{cohort}': nobody takes part; first reason: {rows['reason'].iloc[0]}")
        enough[cohort] = n >= needed
        if not enough[cohort]:
            message = (
                f"cohort '{cohort}': n = {n} people who take part have every modality, which is too few to decompose "
                f"d = {len(settings.modalities)} latents, one a modality; expected at least "
                f"{MIN_PEOPLE_PER_DIMENSION:g} people a modality"
            )
            if settings.incomplete == "exclude":
                remedy = "Leave the cohort out, use fewer modalities, or look at the reasons of the others"
                raise InputError(f"{message}. {remedy}")
            log.warning("%s: it is used for training and accuracy alone", message)
    if not any(enough.values()):
        raise InputError(f"{message}, in at least one cohort. Use fewer modalities, or look at participants.tsv")
    return people, make_splits(people, groups, settings)


def make_splits(people: pd.DataFrame, groups: pd.Series | None, settings: SplitSettings) -> pd.DataFrame:
    """Side of every included person in every fold of every repeat.

    Parameters
    ----------
    people : DataFrame
        As `join_participants` gives it.
    groups : Series or None
        Value of the grouping column of each row of `people`; a missing value is a group of its own.
    settings : SplitSettings
        Scheme, folds, repeats and seed, and the target's range, which sets the edges of the strata.

    Returns
    -------
    DataFrame
        participant_id, cohort, repeat, fold, role (train or test).

    Raises
    ------
    InputError
        Where there are fewer people than folds, a fold would have nobody to test, or training people with every
        modality would be too few to relate the modalities to each other.
    """
    splits = settings.splits
    included = people["included"].to_numpy(dtype=bool)
    kfold = splits.scheme == "kfold"
    folds = splits.folds if kfold else len(settings.cohorts)
    if included.sum() < 2 * folds and kfold:
        raise InputError(
            f"{int(included.sum())} people take part, which is too few for {folds} folds; expected at least "
            f"{2 * folds}, two a fold. Give fewer splits.folds or look at the reasons in participants.tsv"
        )
    edges = np.linspace(*settings.target.range, TARGET_BINS + 1)[1:-1]
    strata = [
        (cohort, site, int(level))
        for cohort, site, level in zip(people["cohort"], people["site"], np.digitize(people["age"], edges), strict=True)
    ]
    labels = None if groups is None else group_codes(groups).tolist()
    complete = included & has_every_modality(people, settings.modalities).to_numpy()
    tables = []
    for repeat in range(splits.repeats):
        if kfold:
            has_target = people["age"].notna().to_numpy()
            fold = np.full(len(people), -1)
            fold[has_target] = deal_folds(
                [stratum for stratum, known in zip(strata, has_target, strict=True) if known],
                folds,
                repeat,
                splits.seed,
                None if labels is None else [label for label, known in zip(labels, has_target, strict=True) if known],
            )
        else:
            fold = people["cohort"].map({cohort: k for k, cohort in enumerate(settings.cohorts)}).to_numpy()
        counts = np.bincount(fold[included], minlength=folds)
        if (counts == 0).any():
            empty = np.flatnonzero(counts == 0)
            names = empty if kfold else np.array(settings.cohorts)[empty]
            raise InputError(
                f"repeat {repeat}: nobody to test in fold(s) {list_some(names)} of {folds}, with {int(included.sum())} "
                "people included; give fewer splits.folds, or leave the cohort out"
            )
        _refuse_few_complete(np.bincount(fold[complete], minlength=folds), repeat, settings)
        for k in range(folds):
            role = np.where(fold[included] == k, "test", "train")
            tables.append(people.loc[included, ["participant_id", "cohort"]].assign(repeat=repeat, fold=k, role=role))
    return pd.concat(tables, ignore_index=True)


def _refuse_few_complete(complete: NDArray[np.int64], repeat: int, settings: SplitSettings) -> None:
    """Raise where outside a fold there are too few people with every modality; `complete` counts those of each fold."""
    training = complete.sum() - complete
    needed = len(settings.modalities) + 2  # a line through one latent a modality, with a degree of freedom to spare
    if (training < needed).any():
        k = int(np.argmin(training))
        raise InputError(
            f"repeat {repeat}, fold {k}: {training[k]} training people have every modality "
            f"({', '.join(settings.modalities)}); expected at least {needed}. Use fewer modalities, or with "
            "leave_one_cohort_out more cohorts that have all of them"
        )


def refuse_constant(blocks: Mapping[tuple[str, str], FeatureBlock], modalities: Sequence[str]) -> None:
    """Raise where a feature has one and the same value in everybody, over all cohorts.

    Such a feature tells nothing and usually is an export gone wrong.
    """
    for modality in modalities:
        chosen = [block for (_, name), block in blocks.items() if name == modality]
        values = np.concatenate([block.values[block.present] for block in chosen])
        if not values.size:  # nobody has it, which is said elsewhere, or its features are not extracted yet
            continue
        constant = np.nanmax(values, axis=0) == np.nanmin(values, axis=0)
        if constant.any():
            first = int(np.flatnonzero(constant)[0])
            names = list_some(np.array(chosen[0].names)[constant])
            raise InputError(
                f"{modality}: {int(constant.sum())} feature(s) have the same value in all {len(values)} people "
                f"(for example {np.nanmax(values[:, first]):g}): {names}; leave them out with drop"
            )
