"""Join all folds: predictions, accuracy and decomposition of every cohort, and over cohorts."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainpid.cohort.controls import read_columns
from brainpid.cohort.groups import read_groups
from brainpid.cohort.schemes import SCHEME, of_scheme
from brainpid.cohort.training_group import OTHER, TRAINED
from brainpid.commands.options import add_settings, read_settings
from brainpid.config.analysis import schemes_of
from brainpid.config.slices import AggregateSettings
from brainpid.core.errors import InputError
from brainpid.core.files import read_json, read_own_tsv, write_json, write_tsv
from brainpid.core.provenance import mixed_versions, record, trained_with
from brainpid.crossfit.null import nulls_of_table
from brainpid.evaluation.accuracy import accuracy_of_cohorts, with_pooled
from brainpid.evaluation.atypicality import atypicality_table
from brainpid.evaluation.base_learners import base_learner_table, choices
from brainpid.evaluation.comparison import comparison_table
from brainpid.evaluation.control_models import control_table
from brainpid.evaluation.coverage import coverage_table
from brainpid.evaluation.given import Controls, by_person
from brainpid.evaluation.importance import MOST_PEOPLE, MOST_READ, READS
from brainpid.evaluation.importance_summary import agreement, summarise
from brainpid.evaluation.information import (
    decompose_cohorts,
    information_tables,
    normality_table,
    readings_against_target,
)
from brainpid.evaluation.local_promise import learned, left_out_scheme, promise_table
from brainpid.evaluation.persons import person_table, reliability_table
from brainpid.evaluation.pool_summary import Found, cohort_summaries, pool_summary
from brainpid.evaluation.predictions import GROUP, LATENT, LOG_SCORE, SUBSET, decomposable, not_decomposable
from brainpid.evaluation.selection import select
from brainpid.evaluation.transfer import transfer_table
from brainpid.evaluation.within_cohort import WithinCohorts, rows_of_tests, summary_of
from brainpid.model.calibration import CALIBRATION
from brainpid.report.calibration_columns import calibration_dictionary
from brainpid.report.glossary import (
    atypicality_dictionary,
    base_learner_dictionary,
    control_dictionary,
    dictionary,
    importance_dictionary,
    person_dictionary,
    selection_dictionary,
)

log = logging.getLogger(__name__)

PERSON = ["participant_id", "cohort", "site", "age", "model", "repeat", "fold"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv from `split`")
    parser.add_argument("--folds", required=True, type=Path, help="folder with <model>/repeat-<r>_fold-<k>")
    parser.add_argument("--chosen", required=True, type=Path, help="features.tsv from `split`")
    parser.add_argument("--nulls", nargs="+", required=True, type=Path, help="table of each cohort from `null`")
    parser.add_argument("--sheets", nargs="*", default=[], type=Path, help="sheets with the column of the groups")
    parser.add_argument("--quality", nargs="*", default=[], type=Path, help="tables of `quality` that are controls")
    parser.add_argument("--importances", nargs="*", default=[], type=Path, help="tables from `explain`, if any")
    parser.add_argument("--reference", nargs="*", default=[], type=Path,
                        help="scores.tsv and ages.json of `rescore`, where there are reference ages")  # fmt: skip
    add_settings(parser)
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")


def run(args: argparse.Namespace) -> None:
    """Read every fold that the splits name, write the tables."""
    settings = read_settings(args, AggregateSettings)
    splits = read_own_tsv(args.splits)
    tested = splits[splits["role"] == "test"]
    folds = tested[["repeat", "fold"]].drop_duplicates().itertuples(index=False)
    expected = [(model, repeat, fold) for repeat, fold in folds for model in settings.models]
    tables = [
        read_own_tsv(args.folds / model / f"repeat-{repeat}_fold-{fold}" / "predictions.tsv")
        for model, repeat, fold in expected
    ]
    made_by = {
        place: read_json(args.folds / place[0] / f"repeat-{place[1]}_fold-{place[2]}" / "provenance.json")
        for place in expected
    }
    mixed = mixed_versions(
        {f"{model}, repeat {repeat} fold {fold}": found for (model, repeat, fold), found in made_by.items()}
    )
    if mixed:
        log.warning("folds were trained by different versions, delete those that are not wanted and run again: %s",
                    "; ".join(mixed))  # fmt: skip
    predictions = pd.concat(tables, ignore_index=True)
    _check_complete(predictions, tested, settings)
    others = _others(args.folds, splits, settings)
    schemes = schemes_of(settings.scheme)
    everything = _in_order(_with_schemes(predictions, splits), settings)
    by_cohort = {
        scheme: accuracy_of_cohorts(of_scheme(everything, scheme), settings.modalities, scheme, settings.pid.confidence)
        for scheme in schemes
    }
    pooled = [with_pooled(own, settings.modalities, settings.pid.confidence) for own in by_cohort.values()]
    accuracy = pd.concat(pooled, ignore_index=True)
    if len(schemes) > 1:
        told = _with_groups(everything, args.sheets, settings)
        gaps = transfer_table(told, settings.modalities, schemes, settings.pid.confidence)
        write_tsv(args.out / "transfer.tsv", gaps)
    if left_out_scheme(schemes):
        promise = promise_table(everything, schemes, settings.interval_coverage, settings.pid.confidence)
        write_tsv(args.out / "calibration.tsv", promise.table)
        write_json(args.out / CALIBRATION, calibration_dictionary(learned(promise, settings.target_units)))
    # All that follows is of the scheme that is shown in detail.
    predictions = of_scheme(everything, schemes[0])
    controls = _controls(predictions, args.quality, settings)
    within = _within_cohorts(args.nulls, "+".join(controls), settings)
    told = _with_groups(predictions, args.sheets, settings)
    of_reference = {path.name: path for path in args.reference}
    scores = read_own_tsv(of_reference["scores.tsv"]) if of_reference else None
    reference = read_json(of_reference["ages.json"]) if of_reference else None
    decomposed = decompose_cohorts(told, settings.modalities, settings.pid, within, scores, controls)
    tested = rows_of_tests(within, settings.modalities, settings.pid.measures)
    pid, pooling = information_tables(decomposed, settings.modalities, settings.pid, tested)
    against = readings_against_target(predictions, settings.modalities)
    for words in against:
        log.warning("%s", words)
    first = predictions[predictions["model"] == settings.models[0]]
    for cohort, reason in not_decomposable(first, settings.modalities).items():
        log.warning("cohort '%s' is not decomposed, its accuracy is given: %s", cohort, reason)
    selection = select(
        decomposable(first, settings.modalities), settings.modalities, settings.costs, settings.pid.confidence
    )
    own = [column for column in predictions if not column.startswith((LATENT, SUBSET, LOG_SCORE))]
    latents = [column for column in predictions if column not in own]
    public = everything
    if others is not None:
        public = _in_order(pd.concat([everything.assign(**{TRAINED: True}), others], ignore_index=True), settings)
    shown = of_scheme(public, schemes[0]) if len(schemes) == 1 else _scheme_by_scheme(public, schemes)
    first_columns = [column for column in (TRAINED, SCHEME) if column in shown]
    write_tsv(args.out / "predictions.tsv", shown[_public_order(own, first_columns)])
    write_tsv(args.out / "latents.tsv", predictions[[*PERSON, *latents]])
    write_tsv(args.out / "null.tsv", summary_of(within, settings.modalities))
    write_tsv(args.out / "normality.tsv", normality_table(predictions, settings.modalities))
    write_json(args.out / "pid.json", dictionary())
    write_tsv(args.out / "selection.tsv", selection.table)
    write_json(args.out / "selection.json", selection_dictionary(selection))
    write_tsv(args.out / "accuracy.tsv", accuracy)
    write_tsv(args.out / "coverage.tsv", coverage_table(predictions, settings.target_range, settings.interval_coverage))
    write_tsv(args.out / "person.tsv", person_table(of_scheme(public, schemes[0]), settings.modalities))
    write_json(args.out / "person.json", person_dictionary(settings.modalities, others is not None))
    write_tsv(args.out / "reliability.tsv", reliability_table(predictions, settings.modalities))
    comparison = comparison_table(predictions, settings.modalities, settings.pid.confidence)
    write_tsv(args.out / "comparison.tsv", comparison)
    write_tsv(args.out / "pid.tsv", pid)
    write_tsv(args.out / "pooling.tsv", pooling)
    summaries = cohort_summaries(
        Found(predictions, decomposed, by_cohort[schemes[0]], within),
        settings.modalities, settings.target_range, settings.interval_coverage,
    )  # fmt: skip
    shared = pool_summary(summaries, read_own_tsv(args.chosen), within, settings, reference)
    write_json(args.out / "pool.json", shared.model_dump(mode="json"))
    places = set(predictions[["repeat", "fold"]].itertuples(index=False, name=None))
    beside = control_table(told, settings.modalities, controls, settings.pid.confidence, _sites_told(args.nulls))
    write_tsv(args.out / "controls.tsv", beside)
    write_json(args.out / "controls.json", control_dictionary())
    chosen = {
        model: [
            found["chosen"] for (name, *place), found in made_by.items() if name == model and tuple(place) in places
        ]
        for model in settings.models
    }
    learners = [base_learner_table(model, own) for model, own in chosen.items()]
    write_tsv(args.out / "base_learners.tsv", pd.concat(learners, ignore_index=True))
    made_of = {model: choices(own) for model, own in chosen.items()}
    write_json(args.out / "base_learners.json", base_learner_dictionary(made_of))
    write_tsv(args.out / "atypicality.tsv", atypicality_table(first))
    write_json(args.out / "atypicality.json", atypicality_dictionary())
    importances = [read_own_tsv(path) for path in args.importances]
    write_tsv(args.out / "importance.tsv", summarise(importances))
    about = importance_dictionary(agreement(importances), MOST_PEOPLE, MOST_READ, READS)
    write_json(args.out / "importance.json", about)
    provenance = record(__name__, settings.recorded(), ("numpy", "pandas", "scipy"))
    found = {
        "mixed_versions": mixed,
        "readings_against_target": against,
        "trained_with": trained_with(made_by.values()),
        "reference_ages": None if reference is None else {key: reference[key] for key in ("words", "cohorts")},
    }
    write_json(args.out / "provenance.json", provenance | found)


def _others(folder: Path, splits: pd.DataFrame, settings: AggregateSettings) -> pd.DataFrame | None:
    """Predictions of people who were never trained on, of every model, as of those held out; None without any."""
    named = splits[splits["role"] == OTHER]
    if named.empty:
        return None
    places = [
        (m, *place) for m in settings.models for place in sorted(set(zip(named["repeat"], named["fold"], strict=True)))
    ]
    tables = [read_own_tsv(folder / m / f"repeat-{repeat}_fold-{fold}" / "others.tsv") for m, repeat, fold in places]
    found = pd.concat(tables, ignore_index=True)
    _check_complete(found, named, settings)
    return _with_schemes(found, splits).assign(**{TRAINED: False})


def _within_cohorts(paths: Sequence[Path], given: str, settings: AggregateSettings) -> WithinCohorts:
    """What `null` found in each cohort; `given` names all controls."""
    found = {path.stem: path for path in paths}
    ordered = {cohort: found[cohort] for cohort in settings.cohorts if cohort in found}
    told = {cohort: read_json(path.with_suffix(".json")) for cohort, path in ordered.items()}
    readers = sorted({(str(own["encoder"]), int(own["folds"])) for own in told.values()})
    if len(readers) != 1:
        raise InputError(
            f"{', '.join(str(path) for path in paths)}: expected the nulls of all cohorts, made with one encoder in "
            f"one number of folds, found {readers}; run `null` again"
        )
    tables = {cohort: read_own_tsv(path) for cohort, path in ordered.items()}
    found_in = {cohort: nulls_of_table(table) for cohort, table in tables.items() if len(table)}
    factors = {cohort: {"": own["se_factor"], **own["se_factor_given"]} for cohort, own in told.items()}
    nulls = {cohort: own[""] for cohort, own in found_in.items()}
    # Beyond controls that do not differ in a cohort there is what there is without them.
    beyond = {cohort: [*own.values()][-1] for cohort, own in found_in.items()} if given else {}
    return WithinCohorts(nulls, *readers[0], factors, beyond, given)


def _controls(predictions: pd.DataFrame, quality: Sequence[Path], settings: AggregateSettings) -> Controls:
    """Columns of the controls of everybody who was predicted."""
    people = predictions.drop_duplicates(["cohort", "participant_id"])[["cohort", "participant_id", "site"]]
    found = read_columns(settings.controls, settings.people, {path.stem: path for path in quality}, people)
    return by_person(found, people)


def _sites_told(nulls: Sequence[Path]) -> dict[str, dict[str, dict[str, float]]]:
    """How well the site is told from each modality, by cohort, as `null` found it."""
    return {path.stem: read_json(path.with_suffix(".json")).get("site_told", {}) for path in nulls}


def _check_complete(predictions: pd.DataFrame, tested: pd.DataFrame, settings: AggregateSettings) -> None:
    """Raise where the folds' predictions are not of exactly the people whom the splits name."""
    keys = ["cohort", "participant_id", "repeat", "fold"]
    wanted = set(tested[keys].itertuples(index=False, name=None))
    for model in settings.models:
        found = set(predictions.loc[predictions["model"] == model, keys].itertuples(index=False, name=None))
        if found != wanted:
            example = sorted(found ^ wanted)[0]
            raise InputError(
                f"folds of {model} do not fit the splits: {len(wanted - found)} predictions are missing and "
                f"{len(found - wanted)} are of other people, for example {example}; delete those folds and run again"
            )


def _with_groups(predictions: pd.DataFrame, sheets: Sequence[Path], settings: AggregateSettings) -> pd.DataFrame:
    """Predictions with the group of each person, where people are of groups."""
    people = predictions[["cohort", "participant_id"]].drop_duplicates()
    groups = read_groups(sheets, people, settings.group)
    return predictions if groups is None else predictions.merge(people.assign(**{GROUP: groups}), how="left")


def _in_order(predictions: pd.DataFrame, settings: AggregateSettings) -> pd.DataFrame:
    """Rows by model and cohort as configured, then repeat, fold and person."""
    for column, order in (("model", settings.models), ("cohort", settings.cohorts)):
        predictions[column] = pd.Categorical(predictions[column], list(order), ordered=True)
    ordered = predictions.sort_values(["model", "cohort", "repeat", "fold", "participant_id"], kind="stable")
    return ordered.astype({"model": str, "cohort": str}).reset_index(drop=True)


def _public_order(columns: list[str], further: list[str]) -> list[str]:
    """Columns with the person first, then whether trained on and scheme, model, repeat and fold."""
    place = PERSON.index("model")
    return [*PERSON[:place], *further, *PERSON[place:]] + [column for column in columns if column not in PERSON]


def _with_schemes(predictions: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Predictions with the schemes that their fold belongs to, where the splits say so."""
    if SCHEME not in splits:
        return predictions
    of_folds = splits[["repeat", "fold", SCHEME]].drop_duplicates()
    return predictions.merge(of_folds, on=["repeat", "fold"], how="left", validate="many_to_one")


def _scheme_by_scheme(everything: pd.DataFrame, schemes: Sequence[str]) -> pd.DataFrame:
    """Predictions of every scheme under the numbers of their folders, those of shared folds under each of its names."""
    member = {scheme: [scheme in own.split("+") for own in everything[SCHEME]] for scheme in schemes}
    return pd.concat([everything[member[name]].assign(**{SCHEME: name}) for name in schemes], ignore_index=True)
