"""Decompose the information that groups of columns of any table have about one of its columns."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from brainpid.cohort.groups import group_codes
from brainpid.cohort.participants import read_ids
from brainpid.commands.options import add_threads, check_out_folder, set_threads
from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.codes import warn_of_codes
from brainpid.core.errors import InputError, did_you_mean, list_some
from brainpid.core.files import numeric_cells, read_table, require_column, write_json, write_text, write_tsv
from brainpid.core.names import GAUSSIAN_SCORE, matching, split_patterns
from brainpid.core.provenance import code_digest, record
from brainpid.core.seeds import derive
from brainpid.crossfit.encoders import ENCODERS
from brainpid.crossfit.exchange import exchange_of
from brainpid.crossfit.inflation import inflation_or_assumed
from brainpid.crossfit.normality import Normality, check_normality, squared_mahalanobis
from brainpid.crossfit.null import permutation_null
from brainpid.crossfit.table import (
    decompose_columns,
    decompose_latents,
    folds_are_large_enough,
    out_of_fold_latents,
    repeats_for,
)
from brainpid.crossfit.transforms import normal_scores
from brainpid.evaluation.ages import Ages
from brainpid.evaluation.within_cohort import WithinCohorts, rows_of_tests
from brainpid.pid.gaussian import checked_names
from brainpid.pid.options import check_options
from brainpid.report.glossary import CANNOT_SAY, MEASURES, dictionary

log = logging.getLogger(__name__)

NO_ENCODER = "none"
LABEL = "participant_id"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="TSV or CSV, one line a person")
    parser.add_argument("--target", required=True, help="column of the target")
    parser.add_argument(
        "--source", required=True, action="append", metavar="NAME=PATTERN[,PATTERN]",
        help="a group of columns by name or shell pattern, such as t1=t1_*; give two or more",
    )  # fmt: skip
    parser.add_argument(
        "--encoder", default="ridge", choices=[*ENCODERS, NO_ENCODER],
        help="what is cross-fitted to each source (default: %(default)s); none: the columns are latents already, which "
        "nothing has fitted to these people",
    )  # fmt: skip
    parser.add_argument("--components", type=int, default=2, help="components of pls (default: %(default)s)")
    parser.add_argument(
        "--wide", action="store_true", help="decompose all components of pls, in each fold, and not one scalar a source"
    )
    parser.add_argument("--measure", nargs="+", default=list(MEASURES), choices=list(MEASURES), help="default: all")
    parser.add_argument("--folds", type=int, default=10, help="cross-fitting folds (default: %(default)s)")
    parser.add_argument("--repeats", type=int, help="repeats of the folds (default: 5 below 1000 people, else 1)")
    parser.add_argument("--permutations", type=int, default=1000, help="of the null; 0 for none (default: %(default)s)")
    parser.add_argument(
        "--null-encoder", default="ridge", choices=list(ENCODERS), help="encoder of the null (default: %(default)s)"
    )
    parser.add_argument(
        "--group", metavar="COLUMN",
        help="rows of one group, such as visits of a person (participant_id) or a family, are held out, permuted and "
        "counted as a whole (default: rows are independent)",
    )  # fmt: skip
    parser.add_argument("--confidence", type=float, default=0.95, help="of the intervals (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    add_threads(parser)
    parser.add_argument("--out", type=Path, help="folder for tables, figures and provenance")


def run(args: argparse.Namespace) -> None:
    """Read the table, decompose, print, and write where asked to."""
    _check(args)
    blocks, target, groups = _read(args)
    used = [ENCODERS[name].packages for name in {args.encoder, args.null_encoder} - {NO_ENCODER}]
    set_threads(args.threads, [package for packages in used for package in packages])
    checked, nulls, widened = None, {}, 1.0
    if args.encoder == NO_ENCODER:
        decompositions = decompose_columns(blocks, target, args.measure, args.confidence, groups)
    else:
        repeats = repeats_for(len(target)) if args.repeats is None else args.repeats
        encoder = ENCODERS[args.encoder].load(**_options(args, blocks, len(target)))
        latents = out_of_fold_latents(
            blocks, target, encoder,
            folds=args.folds, repeats=repeats, seed=derive(args.seed, "latents"), groups=groups,
        )  # fmt: skip
        widened = _se_factor(blocks, target, args, groups)
        decompositions = decompose_latents(latents, target, args.measure, args.confidence, widened, groups)
        if all(values.shape[-1] == 1 for values in latents.values.values()):
            scalars = {name: values[..., 0] for name, values in latents.values.items()}
            score = normal_scores(target)
            checked = check_normality(scalars, score), squared_mahalanobis(scalars, score)[0]
        exchange = exchange_of(target, groups)
        if exchange.groups < args.folds:
            log.warning(
                "%d groups of '%s' are fewer than %d folds: there are as many folds as groups",
                exchange.groups, args.group, args.folds,
            )  # fmt: skip
        if args.permutations and not exchange.sets:
            log.warning("no p-values: no two groups of '%s' have the same size, and none can be exchanged", args.group)
        elif args.permutations:
            if groups is not None:
                log.info("%s of '%s' are exchanged: %s", exchange.what, args.group, exchange.counts)
            nulls[args.table.stem] = permutation_null(
                blocks, target, ENCODERS[args.null_encoder].load(),
                permutations=args.permutations, folds=args.folds, seed=derive(args.seed, "null"), groups=groups,
            )  # fmt: skip
    table = pd.concat([found.to_frame() for found in decompositions], ignore_index=True)
    table = table.assign(
        cohort=args.table.stem,
        model=args.encoder,
        estimator=GAUSSIAN_SCORE,
        given="",
        se_factor=widened,
        **Ages.of(target).columns(),
    )
    tested = rows_of_tests(WithinCohorts(nulls, args.null_encoder, args.folds, {}), tuple(blocks), args.measure)
    if len(tested):
        table = pd.concat([table, tested.drop(columns="n_folds")], ignore_index=True)
    _print(args, table, decompositions[0].warnings, checked[0] if checked else None)
    if args.out is not None:
        _write(args, table, tuple(blocks), checked)


def _se_factor(
    blocks: dict[str, FloatArray], target: FloatArray, args: argparse.Namespace, groups: IntArray | None
) -> float:
    """Widening of standard errors; `OUT_OF_FOLD_SE_FACTOR` where it cannot be estimated."""
    seed = derive(args.seed, "inflation")
    factor, why = inflation_or_assumed(blocks, target, folds=args.folds, seed=seed, groups=groups)
    if why:
        log.warning("standard errors are widened by %g, which is not estimated: %s", factor, why)
    return factor


LEAST = {"folds": 2, "repeats": 1, "components": 1, "permutations": 0, "seed": 0, "threads": 1}
"""Smallest value of each option that is a whole number."""


def _check(args: argparse.Namespace) -> None:
    """Refuse options that are none, and a place that cannot be written, before anything is read or computed."""
    for name, least in LEAST.items():
        if (given := getattr(args, name)) is not None and given < least:
            raise InputError(f"--{name}: expected {least} or more, found {given}")
    for measure in args.measure:
        check_options(measure, args.confidence)
    if len(set(args.measure)) < len(args.measure):
        raise InputError(f"--measure: given twice in {' '.join(args.measure)}")
    if args.wide and args.encoder != "pls":
        raise InputError(f"--wide needs --encoder pls, found {args.encoder}: other encoders give one scalar a source")
    if args.out is not None:
        check_out_folder(args.out)


def _options(args: argparse.Namespace, blocks: dict[str, FloatArray], n: int) -> dict[str, object]:
    """Options of the encoder; components fall back to one scalar a source where the folds are too small for them."""
    if args.encoder != "pls":
        return {}
    dimensions = sum(min(args.components, block.shape[1]) for block in blocks.values())
    wide = args.wide and folds_are_large_enough(n, args.folds, dimensions)
    if args.wide and not wide:
        log.warning(
            "folds of about %d people are too few for %d latent dimensions: one scalar a source is decomposed instead",
            n // args.folds,
            dimensions,
        )
    return {"components": args.components, "scalar": not wide}


def _read(args: argparse.Namespace) -> tuple[dict[str, FloatArray], FloatArray, IntArray | None]:
    """Sources (n, p_m), target and groups (n,) of the rows that have the target and something of every source."""
    path = args.table
    table = read_table(path, text=[LABEL] if args.group is None else [LABEL, args.group])
    require_column(path, list(table), args.target, "the target")
    if args.group is not None:
        require_column(path, list(table), args.group, "--group")
        if args.group == args.target:
            raise InputError(f"--group: expected another column than the target, '{args.target}'")
    groups = _groups(args.source, [name for name in table if name not in (args.target, LABEL, args.group)], path)
    labels, members = _labels(table, args.group, path)
    target = numeric_cells(table[[args.target]], labels, path)[:, 0]
    blocks = {name: numeric_cells(table[columns], labels, path) for name, columns in groups.items()}
    warn_of_codes(target[:, None], [args.target], labels, str(path))
    for name, columns in groups.items():
        warn_of_codes(blocks[name], columns, labels, str(path))
    known = np.isfinite(target)
    for name, block in blocks.items():
        missing = np.isnan(block)
        has = ~missing.any(axis=1) if args.encoder == NO_ENCODER else ~missing.all(axis=1)
        if (lost := int((known & ~has).sum())) > 0:
            log.warning("%d people are left out for missing values of '%s'", lost, name)
        known &= has
    if not known.any():
        raise InputError(f"{path}: nobody of {len(table)} has the target and every source")
    for name, columns in groups.items():
        empty = np.isnan(blocks[name][known]).all(axis=0)
        if empty.any():
            raise InputError(f"{path}: {list_some(np.array(columns)[empty])} of '{name}' has no value at all")
    if members is not None and len(set(members[known])) < 2:
        raise InputError(f"{path}: all {int(known.sum())} rows are of one group of '{args.group}'; expected at least 2")
    return (
        {name: block[known] for name, block in blocks.items()},
        target[known],
        None if members is None else members[known],
    )


def _labels(table: pd.DataFrame, group: str | None, path: Path) -> tuple[list[str], IntArray | None]:
    """What to call each row, and its group; a person who has several rows that no group keeps together is refused.

    Folds would put one visit of a person into training and another one aside, so that features which only tell who it
    is would tell the target; the null and the standard errors take rows for independent people.
    """
    if LABEL not in table:
        labels = pd.Series([f"row {row + 1}" for row in range(len(table))])
    elif group is not None:
        labels = read_ids(table, LABEL, path, unique=False)
    else:
        try:
            labels = read_ids(table, LABEL, path)
        except InputError as fault:
            raise InputError(
                f"{fault}; expected one row a person, such as the first visit of each, or --group {LABEL}, which keeps "
                "a person's rows together"
            ) from fault
    if group is None:
        return labels.tolist(), None
    members = group_codes(labels if group == LABEL else table[group])
    spread = pd.Series(members).groupby(labels.to_numpy()).nunique()
    if (spread > 1).any():
        raise InputError(
            f"{path}: rows of {list_some(spread.index[spread > 1])} are of several groups of '{group}'; a person's "
            "rows must be of one"
        )
    return labels.tolist(), members


def _groups(sources: Sequence[str], columns: Sequence[str], path: Path) -> dict[str, list[str]]:
    """Columns of each source; a column belongs to one source only."""
    groups: dict[str, list[str]] = {}
    owner: dict[str, str] = {}
    for source in sources:
        name, _, patterns = source.partition("=")
        if not name or not patterns:
            raise InputError(f"--source {source}: expected NAME=PATTERN, such as t1=t1_*")
        if name in groups:
            raise InputError(f"--source {source}: '{name}' is given twice")
        groups[name] = []
        for pattern in split_patterns(patterns, columns):
            matched = matching(pattern, columns)
            if not matched:
                raise InputError(
                    f"{path}: '{pattern}' of source '{name}' matches no column; {did_you_mean(pattern, columns)}"
                )
            for column in matched:
                if owner.setdefault(column, name) != name:
                    raise InputError(f"{path}: column '{column}' is in both '{owner[column]}' and '{name}'")
            groups[name] += [column for column in matched if column not in groups[name]]
    checked_names(groups)
    return groups


def _print(args: argparse.Namespace, table: pd.DataFrame, warnings: Sequence[str], checked: Normality | None) -> None:
    """Show the decompositions for reading, with what they cannot say."""
    console = Console(width=None if Console().is_terminal else 120, markup=False, emoji=False)
    how = "columns as they are"
    if args.encoder != NO_ENCODER:
        how = f"cross-fitted {ENCODERS[args.encoder].label} latents"
    console.print(f"Information about {args.target} in {how}, n = {table['n'].iloc[0]}")
    console.print(f"in bits, debiased, with {100 * args.confidence:g}% intervals")
    titles = {"all": "all sources", "one_vs_rest": "one source against the rest", "pair": "pairs of sources"}
    own = table["model"] == args.encoder
    for (measure, scope), rows in table[own].groupby(["measure", "scope"], sort=False):
        shown = Table("source", "atom", "bits", "interval", title=f"{measure}: {titles[scope]}", title_justify="left")
        for row in rows.to_dict("records"):
            interval = f"{row['ci_low']:.3f} to {row['ci_high']:.3f}" if np.isfinite(row["ci_low"]) else ""
            shown.add_row(row["modalities"], row["atom"], f"{row['bits']:.3f}", interval)
        console.print(shown)
    if not own.all():
        title = f"tests, with bits of their own readers: {ENCODERS[args.null_encoder].label}, {args.folds} random folds"
        shown = Table("source", "atom", "bits", "p", title=title, title_justify="left")
        for row in table[~own & (table["measure"] == args.measure[0])].to_dict("records"):
            p = f"{row['p_value']:.3f}" if np.isfinite(row["p_value"]) else "not tested"
            shown.add_row(row["modalities"], row["atom"], f"{row['bits']:.3f}", p)
        console.print(shown)
    for measure in args.measure:
        console.print(f"{measure}: {MEASURES[measure]}")
    if checked is not None and checked.doubts:
        console.print(f"The Gaussian reading is doubtful: {'; '.join(checked.doubts)}.")
    for sentence in dict.fromkeys([*warnings, *CANNOT_SAY]):
        console.print(f"- {sentence}")


def _write(
    args: argparse.Namespace,
    table: pd.DataFrame,
    sources: Sequence[str],
    checked: tuple[Normality, FloatArray] | None,
) -> None:
    """Write tables, figures and provenance."""
    from brainpid.report import figures  # matplotlib is not loaded where nothing is drawn

    write_tsv(args.out / "pid.tsv", table.drop(columns="cohort"))
    write_json(args.out / "pid.json", dictionary())
    write_text(args.out / "pid.svg", figures.to_svg(figures.modalities(table, args.encoder, sources, GAUSSIAN_SCORE)))
    if checked is not None:
        normality, distances = checked
        write_tsv(args.out / "normality.tsv", pd.DataFrame([vars(normality) | {"doubts": "; ".join(normality.doubts)}]))
        drawn = figures.normality({args.table.stem: distances})
        write_text(args.out / "normality.svg", figures.to_svg(drawn))
    settings = {name: str(value) if isinstance(value, Path) else value for name, value in vars(args).items()}
    packages = ENCODERS[args.encoder].packages if args.encoder in ENCODERS else ("numpy",)
    provenance = record(__name__, settings, packages)
    if args.encoder in ENCODERS:
        provenance["generated_by"]["encoder_code"] = code_digest(ENCODERS[args.encoder].module)
    write_json(args.out / "provenance.json", provenance)
    Console(stderr=True, markup=False, emoji=False).print(f"Wrote {args.out}/pid.tsv, pid.svg and what goes with them.")
