"""Test what modalities tell and add in one cohort, and estimate how far standard errors there are to be widened."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from brainpid.cohort.controls import read_columns
from brainpid.cohort.groups import read_groups
from brainpid.cohort.participants import has_every_modality
from brainpid.cohort.training_group import training_group
from brainpid.commands.options import add_settings, add_threads, read_settings, set_threads
from brainpid.config.slices import NullSettings
from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.errors import InputError, NumericalError
from brainpid.core.files import read_own_tsv, write_json, write_tsv
from brainpid.core.provenance import code_digest, record
from brainpid.core.seeds import derive
from brainpid.crossfit.controls import ControlDesign
from brainpid.crossfit.encoders import ENCODERS
from brainpid.crossfit.exchange import Exchange, exchange_of
from brainpid.crossfit.inflation import inflation_or_assumed
from brainpid.crossfit.minima import why_no_null, why_not_cross_fitted
from brainpid.crossfit.null import empty_null_table, null_table, permutation_null
from brainpid.crossfit.told import labels_told
from brainpid.evaluation.given import by_person, design_of, reported_sets
from brainpid.features.matrix import read_chosen, read_matrix
from brainpid.pid.decompose import OUT_OF_FOLD_SE_FACTOR

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--cohort", required=True, help="name of the cohort")
    parser.add_argument("--participants", required=True, type=Path, help="participants.tsv from `split`")
    parser.add_argument("--features", required=True, type=Path, help="feature file of the cohort")
    parser.add_argument("--chosen", required=True, type=Path, help="features.tsv from `split`: which of them to use")
    parser.add_argument("--sheets", nargs="*", default=[], type=Path, help="sheets with the column of the groups")
    parser.add_argument("--quality", nargs="*", default=[], type=Path, help="tables of `quality` that are controls")
    add_threads(parser)
    add_settings(parser)
    parser.add_argument("--out", required=True, type=Path, help="table to write")


def run(args: argparse.Namespace) -> None:
    """Read the cohort's people who take part, permute and draw, write one line a permutation, and what is estimated."""
    settings = read_settings(args, NullSettings)
    everybody = read_own_tsv(args.participants)
    people = everybody[(everybody["cohort"] == args.cohort) & everybody["included"]]
    if people.empty:
        raise InputError(f"{args.participants}: nobody of cohort '{args.cohort}' takes part")
    people = training_group(people)
    people = people[has_every_modality(people, settings.modalities)]
    entry = ENCODERS[settings.null.encoder]
    age = people["age"].to_numpy(dtype=float)
    groups = read_groups(args.sheets, people, settings.group)
    exchanged = {} if groups is None or people.empty else _exchanged(exchange_of(age, groups), args.cohort, settings)
    set_threads(args.threads, entry.packages)
    estimated: dict[str, Any] = {"encoder": settings.null.encoder, "folds": settings.null.folds}
    designs = {} if people.empty else _designs(people, args.quality, settings)
    blocks, reason = None, why_not_cross_fitted(age, settings.modalities, settings.null.folds)
    if reason:
        estimated |= {"se_factor": OUT_OF_FOLD_SE_FACTOR, "se_factor_assumed_because": reason, "se_factor_given": {}}
    else:
        blocks = read_matrix([args.features], people, read_chosen(args.chosen, settings.modalities))
        seed = derive(settings.seed, "inflation", args.cohort)
        estimated |= _se_factors(blocks, age, settings, seed, groups, designs)
        seed = derive(settings.seed, "sites", args.cohort)
        told = {name: labels_told(block, people["site"].astype(str), seed) for name, block in blocks.items()}
        estimated["site_told"] = {name: asdict(own) for name, own in told.items() if own is not None}
    log.info("%s: standard errors are widened by %.3f", args.cohort, estimated["se_factor"], extra=estimated)
    write_json(args.out.with_suffix(".json"), _provenance(settings) | exchanged | estimated)
    reason = reason or why_no_null(age, settings.modalities, settings.null.folds, groups)
    if reason or blocks is None or not settings.null.permutations:
        if reason:
            log.warning("cohort '%s' has no null and no p-values: %s", args.cohort, reason)
        write_tsv(args.out, empty_null_table(settings.modalities))
        return
    try:
        tables = [
            null_table(
                permutation_null(
                    blocks,
                    age,
                    entry.load(),
                    permutations=settings.null.permutations,
                    folds=settings.null.folds,
                    seed=derive(settings.seed, "null", args.cohort),
                    groups=groups,
                    controls=design,
                ),
                given,
            )
            for given, design in [("", None), *[*designs.items()][-1:]]
        ]
    except NumericalError as fault:
        log.warning("cohort '%s' has no null and no p-values: %s", args.cohort, fault)
        write_tsv(args.out, empty_null_table(settings.modalities))
        return
    write_tsv(args.out, pd.concat(tables, ignore_index=True))


def _designs(people: pd.DataFrame, quality: Sequence[Path], settings: NullSettings) -> dict[str, ControlDesign]:
    """Controls that information is given beyond, by their names, where they differ in the cohort; all come last."""
    found = read_columns(settings.controls, settings.people, {path.stem: path for path in quality}, people)
    controls, cohort = by_person(found, people), str(people["cohort"].iloc[0])
    designs = {
        "+".join(names): design_of(controls, names, cohort, people["participant_id"].tolist())
        for names in reported_sets(controls)
    }
    return {given: design for given, design in designs.items() if not design.empty}


def _se_factors(
    blocks: Blocks,
    age: FloatArray,
    settings: NullSettings,
    seed: int,
    groups: IntArray | None,
    designs: Mapping[str, ControlDesign],
) -> dict[str, Any]:
    """Estimate the widening of standard errors, or say why `OUT_OF_FOLD_SE_FACTOR` stands in its place."""
    folds = settings.null.folds
    factor, why = inflation_or_assumed(blocks, age, folds=folds, seed=seed, groups=groups)
    given = {
        name: inflation_or_assumed(blocks, age, folds=folds, seed=seed, groups=groups, controls=design)[0]
        for name, design in designs.items()
    }
    return {"se_factor": factor, "se_factor_given": given} | ({"se_factor_assumed_because": why} if why else {})


def _exchanged(exchange: Exchange, cohort: str, settings: NullSettings) -> dict[str, Any]:
    """What is exchanged where people are of groups, for the log and the file beside the table."""
    log.info("%s: %s of '%s' are exchanged: %s", cohort, exchange.what, settings.group, exchange.counts)
    if exchange.groups < settings.null.folds:
        log.warning(
            "cohort '%s': %d groups of '%s' are fewer than %d folds of the null, which has as many folds as groups",
            cohort, exchange.groups, settings.group, settings.null.folds,
        )  # fmt: skip
    if exchange.sets and exchange.distinct < settings.null.permutations + 1:
        log.warning(
            "cohort '%s': there are only %d exchanges of groups of '%s', and no p-value far below %.2g",
            cohort, exchange.distinct, settings.group, 1 / exchange.distinct,
        )  # fmt: skip
    return {"exchanged": {"what": exchange.what, "groups": exchange.groups, "staying": exchange.staying}}


def _provenance(settings: NullSettings) -> dict[str, Any]:
    """Where the table comes from."""
    entry = ENCODERS[settings.null.encoder]
    provenance = record(__name__, settings.recorded(), entry.packages)
    provenance["generated_by"]["encoder_code"] = code_digest(entry.module)
    return provenance
