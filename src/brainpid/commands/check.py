"""Check a configuration and its inputs, and show who has what; nothing is run or written."""

from __future__ import annotations

import argparse
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Column, Table

from brainpid.cohort.acquisitions import counted, different
from brainpid.cohort.choice import IN_WORDS
from brainpid.cohort.controls import check_columns, controls_in_words, read_columns
from brainpid.cohort.exclusions import read_exclusions
from brainpid.cohort.finding import find, refuse_strangers_alone, unmatched_labels
from brainpid.cohort.groups import group_codes
from brainpid.cohort.harmonisable import doubts_of_harmonisation
from brainpid.cohort.overview import doubts_of_people, people_of_sites
from brainpid.cohort.participants import SUCCESS, UNAVAILABLE, has_every_modality, read_participants
from brainpid.cohort.person_files import IMAGE_ENDINGS, Found
from brainpid.cohort.reference_ages import read_reference
from brainpid.cohort.schemes import Division, divisions, sites_of
from brainpid.cohort.training_group import TRAINED, in_training_group, training_group, training_in_words
from brainpid.config.analysis import ControlQuality
from brainpid.config.designs import column_of
from brainpid.config.schema import Config, load_config
from brainpid.config.slices import AggregateSettings, LimitSettings, ParticipantsSettings, SplitSettings
from brainpid.config.sources import ImportSource, TableSource, reader_of, settings_of
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import require_column
from brainpid.core.imports import import_function
from brainpid.core.machine import free_bytes_for
from brainpid.evaluation.effort import WORKFLOW_S, Study, Work, with_own_benchmarks, work_of
from brainpid.evaluation.group_tables import groups_in_words
from brainpid.evaluation.left_out import left_out
from brainpid.evaluation.new_sites import doubts_of_new_sites
from brainpid.evaluation.reference_weights import refuse_no_cohort, weights_for
from brainpid.features.between_cohorts import warn_of_target
from brainpid.features.block import FeatureBlock, FeatureSummary
from brainpid.features.chosen import choose_features, commonest, of_training_group, without_chosen
from brainpid.features.duration import image_work
from brainpid.features.excluded import without_excluded
from brainpid.features.findings import ERROR
from brainpid.features.inclusion import join_participants, plan
from brainpid.features.leaks_before import leaks_before_a_run
from brainpid.features.tables import divisor_of, extract_table, read_units
from brainpid.features.training_sets import fewest_and_needed
from brainpid.features.units import UNKNOWN_UNIT

USUALLY_FAIL = 0.15
"""Part of the people whose images may fail, or not pass, in extraction without surprise."""
SURELY = 2
"""The estimate is within about this factor: more room is enough, less than its inverse surely is not."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--config", default="config/config.yaml", help="configuration (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Go through everything that a run reads, in memory."""
    logging.getLogger("brainpid").setLevel(logging.WARNING)
    config = load_config(args.config)
    free = free_bytes_for(config.output_dir, "output_dir")
    if config.own_base_learners:
        from brainpid.model.pidreg.own_regressor import names_of  # it brings scikit-learn

        names_of(config.own_base_learners)
    beyond = AggregateSettings.of(config)
    check_columns(beyond.controls, beyond.people)
    sheets, blocks, images, strangers = {}, {}, {}, {}
    tables: dict[tuple[str, str], FeatureBlock] = {}
    divided: dict[tuple[str, str], dict[str, Any]] = {}
    for cohort, block in config.cohorts.items():
        settings = ParticipantsSettings.of(config, cohort)
        sheets[cohort] = read_participants(cohort, settings)
        units = read_units(settings.path)
        column = settings.columns.target or config.target.column
        warn_of_target(cohort, column, units.get(column, UNKNOWN_UNIT), config.target.units)
        for modality, source in block.sources.items():
            if isinstance(source, TableSource):
                table = extract_table(source, sheets[cohort], modality, units)
                tables[cohort, modality], blocks[cohort, modality] = table, table.summary()
                divided[cohort, modality] = divisor_of(source, table.names, units)
            else:
                if isinstance(source, ImportSource):
                    import_function(source.function, f"cohorts.{cohort}.sources.{modality}.function")
                people = sheets[cohort]["participant_id"].tolist()
                found = {person: find(source, modality, block.bids, person) for person in people}
                images[cohort, modality] = found
                strangers[cohort, modality] = unmatched_labels(source, block.bids, people)
                blocks[cohort, modality] = _images(found, modality).summary()
        if block.exclude is not None:
            reasons = read_exclusions(block.exclude, sheets[cohort]["participant_id"].tolist(), list(block.sources))
            for modality in block.sources:
                place = (cohort, modality)
                known = tables.get(place) or _images(images[place], modality)
                left = without_excluded(known, reasons[modality])
                blocks[place] = left.summary()
                if place in tables:
                    tables[place] = left
    console = Console(markup=False, emoji=False)  # a path or a label may hold [brackets]
    # Before what may refuse the cohorts, so that it is seen who lacks what.
    everybody = join_participants(sheets, blocks, config.modalities, config.incomplete)
    console.print(_overview(everybody, blocks, config))
    console.print(_people(everybody, config))
    if sentence := controls_in_words(everybody, beyond.controls):
        console.print(sentence, soft_wrap=True)
    for (cohort, modality), found in images.items():
        for words in _words_on(found):
            console.print(f"{cohort} {modality}: {words}", soft_wrap=True)
        refuse_strangers_alone(cohort, modality, found, strangers[cohort, modality])
    if any(one.note for found in images.values() for one in found.values()):
        console.print(IN_WORDS, soft_wrap=True)
    counted = blocks
    if config.train_on is not None:
        for cohort, sheet in sheets.items():
            path = config.cohorts[cohort].participants_path
            require_column(path, list(sheet), str(column_of(config.train_on)), "train_on")
        inside = in_training_group(sheets, config.train_on)
        counted = of_training_group(blocks, inside, lambda cohort, modality: tables.get((cohort, modality)))
    features = choose_features(counted, config.modalities, divided)
    blocks = without_chosen(blocks, features, lambda cohort, modality: tables[cohort, modality])
    planned, splits = plan(sheets, blocks, SplitSettings.of(config), LimitSettings.of(config))
    group = config.splits.group
    groups = None if group is None else group_codes(pd.concat([sheet[group] for sheet in sheets.values()]))
    for finding in leaks_before_a_run(config, planned, splits, groups, tables, features, images):
        console.print(f"{'LEAK' if finding.severity == ERROR else 'warning'}: {finding.sentence}", soft_wrap=True)
    # Models, effects of sites and intervals are learned from those who are trained on.
    told = planned.assign(included=planned["included"] & planned.get(TRAINED, True))
    at_hand = [one for one in beyond.controls if not isinstance(one, ControlQuality)]  # what the run makes comes later
    cells = read_columns(at_hand, beyond.people, {}, told[told["included"]])
    if empty := [name for name, own in cells.items() if own.isna().all(axis=None)]:
        raise InputError(f"controls: nobody who is trained on has a value of {list_some(empty)}; leave it out")
    doubts = [
        *doubts_of_people(told, config.target.units, config.splits.schemes),
        *doubts_of_new_sites(told, config.splits.schemes),
        *doubts_of_harmonisation(told, config.harmonise, config.target.units),
    ]
    for sentence in doubts:
        console.print(f"warning: {sentence}", soft_wrap=True)
    if images and (sentence := _may_fail(planned, splits, config)):
        console.print(f"warning: {sentence}", soft_wrap=True)
    for sentence in training_in_words(planned, config.train_on, config.target.units):
        console.print(sentence, soft_wrap=True)
    for sentence in _groups(planned, sheets, config):
        console.print(sentence, soft_wrap=True)
    for sentence in _without_reference(told, config):
        console.print(f"left out: {sentence}", soft_wrap=True)
    for sentence in left_out(told, splits, groups, config):
        console.print(f"left out: {sentence}", soft_wrap=True)
    steps = with_own_benchmarks(work_of(config, _study(planned, config, blocks, images)), Path(config.output_dir))
    console.print(_effort(steps))
    console.print(_in_all(steps, free, config), soft_wrap=True)
    console.print(
        f"{args.config} is valid: {_trainings(divisions(config.splits, sites_of(planned)), len(config.models))}",
        soft_wrap=True,
    )


def _groups(people: pd.DataFrame, sheets: Mapping[str, pd.DataFrame], config: Config) -> list[str]:
    """Groups that will be compared; refuses a column that a cohort lacks, or that is none of groups."""
    for column in config.compared:
        for cohort, sheet in sheets.items():
            require_column(config.cohorts[cohort].participants_path, list(sheet), column, "of groups")
    joined = pd.concat([sheets[cohort] for cohort in config.cohorts], ignore_index=True)
    cells = {column: joined[column] for column in config.compared}
    return groups_in_words(people, cells, config.train_on or {})


def _without_reference(people: pd.DataFrame, config: Config) -> list[str]:
    """Cohorts that have no information for the reference ages, and why; refuses a reference that no cohort has."""
    if config.reference_ages is None:
        return []
    reference = read_reference(config.reference_ages, people, config.target.range)
    whole = people[people["included"].astype(bool) & has_every_modality(people, config.modalities)]
    reasons = {
        cohort: weights_for(whole.loc[whole["cohort"] == cohort, "age"], reference, config.target.units).reason
        for cohort in config.cohorts
    }
    refuse_no_cohort(reasons)
    return [
        f"cohort '{cohort}' has no rows for reference_ages: {reason}" for cohort, reason in reasons.items() if reason
    ]


def _trainings(found: Sequence[Division], models: int) -> str:
    """How many trainings there are, and of which schemes where there are several."""
    trainings = models * sum(len(division.places) for division in found)
    of_models = f"{models} model{'s' if models > 1 else ''}"
    if len(found) == 1:
        only = found[0]
        return f"{of_models} x {only.repeats} repeats x {len(only.names)} folds = {trainings} trainings"
    parts = [f"{one.scheme} {one.repeats} x {len(one.names)}" for one in found]
    shared = sum(len(one.shared) for one in found)
    once = f"; folds that two schemes share are trained once ({shared})" if shared else ""
    return f"{of_models} x ({' + '.join(parts)} folds){once} = {trainings} trainings"


def _may_fail(people: pd.DataFrame, splits: pd.DataFrame, config: Config) -> str:
    """Where training would be refused if as many fail in extraction as usually do; empty where not."""
    found, needed = fewest_and_needed(people, splits, config.modalities, LimitSettings.of(config))
    if found - needed >= math.ceil(USUALLY_FAIL * found):
        return ""
    return (
        f"images of some people fail in extraction. The smallest training set has {found} people with every modality, "
        f"and {needed} are needed: {found - needed + 1} more that fail stop the run after the extraction. Give more "
        "splits.folds, which leave more for training, or fewer models"
    )


def _people(people: pd.DataFrame, config: Config) -> Table:
    """Who the people of each site are."""
    table = Table("cohort", "site", "people", "take part", f"{config.target.column} in {config.target.units}", "sex")
    for row in people_of_sites(people).itertuples():
        sd = f", sd {row.age_sd:.2g}" if np.isfinite(row.age_sd) else ""
        ages = f"{row.age_low:.4g} to {row.age_high:.4g}, mean {row.age_mean:.3g}{sd}"
        known = np.isfinite(row.age_low)
        table.add_row(row.cohort, str(row.site), str(row.n), str(row.taking_part), ages if known else "", row.sexes)
    return table


def _study(
    people: pd.DataFrame,
    config: Config,
    blocks: Mapping[tuple[str, str], FeatureSummary],
    images: Mapping[tuple[str, str], Mapping[str, Found]],
) -> Study:
    """Sizes of the study, for the estimate of what a run takes."""
    taking = people[people["included"]]
    trained = training_group(taking)
    complete = trained[has_every_modality(trained, config.modalities)]
    work = {}
    for (cohort, modality), found in images.items():
        source: Any = config.cohorts[cohort].sources[modality]
        having = [one.files.values() for one in found.values() if one.files]
        paths = [[path for path in files if path.endswith(IMAGE_ENDINGS)] for files in having]
        section = settings_of(source, modality, config.extraction)
        work[cohort, modality] = image_work(reader_of(source, modality), paths, section)
    return Study(
        complete={cohort: int((complete["cohort"] == cohort).sum()) for cohort in config.cohorts},
        people={cohort: int((taking["cohort"] == cohort).sum()) for cohort in config.cohorts},
        widths={key: len(block.names) for key, block in blocks.items() if key not in images},
        images=work,
        divisions=divisions(config.splits, sites_of(people)),
    )


def _effort(steps: Sequence[Work]) -> Table:
    """What each step takes."""
    table = Table(Column("step", overflow="fold"), "jobs", "time of one core", "memory of a job", "files", "from")
    for one in steps:
        origin = f"{one.measured} finished job(s)" if one.measured else "an estimate"
        table.add_row(one.step, str(one.jobs), _time(one.seconds), f"{one.mb / 1000:.1f} GB", _size(one.bytes), origin)
    return table


def _in_all(steps: Sequence[Work], free: int, config: Config) -> str:
    """The whole run in one sentence; refuses a disk that is surely too small."""
    seconds, size = sum(one.seconds for one in steps) + WORKFLOW_S, sum(one.bytes for one in steps)
    told = (
        f"estimate, within about a factor 2, of a run from its beginning: {sum(one.jobs for one in steps)} jobs, "
        f"{_time(seconds)} of one core, {max(one.mb for one in steps) / 1000:.1f} GB of memory for the largest job, "
        f"{_size(size)} of files"
    )
    room = f"{_size(free)} are free where output_dir ({config.output_dir}) is"
    if free < size / SURELY:
        raise InputError(f"{room}, and a run leaves about {_size(size)}; make room there, or give another output_dir")
    return f"{told}; {room}" if free > SURELY * size else f"warning: {told}; {room}, which may not suffice"


def _time(seconds: float) -> str:
    """Seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def _size(size: float) -> str:
    """Bytes in MB or GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _overview(people: pd.DataFrame, blocks: Mapping[tuple[str, str], FeatureSummary], config: Config) -> Table:
    """Who has what, for every cohort and modality, and why others do not."""
    table = Table("cohort", "modality", "found", "missing", "features", Column("why missing", overflow="fold"))
    for cohort, block in config.cohorts.items():
        rows = people[people["cohort"] == cohort]
        for modality in config.modalities:
            found = rows[f"{modality}_status"] == SUCCESS
            lacking = rows[~found]
            why = commonest(lacking["participant_id"].tolist(), lacking[f"{modality}_reason"].tolist())
            if modality not in block.sources:
                width = ""
            elif isinstance(block.sources[modality], TableSource):
                width = str(len(blocks[cohort, modality].names))
            else:
                width = "from images"
            table.add_row(cohort, modality, str(found.sum()), str((~found).sum()), width, why)
        taking = rows["included"]
        complete = int((taking & has_every_modality(rows, config.modalities)).sum())
        words = f"take part, {complete} with every modality"
        if unknown := int(rows["age"].isna().sum()):
            words += f"; {unknown} without {config.target.column}"
        table.add_row(cohort, "", str(taking.sum()), str((~taking).sum()), "", words, end_section=True)
    return table


def _images(found: Mapping[str, Found], modality: str) -> FeatureBlock:
    """Who has images; nothing is read, and what the features are is known once they are extracted."""
    return FeatureBlock(
        modality=modality,
        participant_id=tuple(found),
        names=(),
        units=(),
        values=np.empty((len(found), 0)),
        status=tuple(SUCCESS if one.files else UNAVAILABLE for one in found.values()),
        reason=tuple(one.reason for one in found.values()),
    )


def _words_on(found: Mapping[str, Found]) -> list[str]:
    """What was chosen where people have several images, and where they get different ones."""
    present = {person: own for person, own in found.items() if own.files}
    differing = different({person: own.acquisition for person, own in present.items()})
    notes = counted({person: own.note for person, own in present.items()})
    return [*([f"warning: {differing}"] if differing else []), *notes]
