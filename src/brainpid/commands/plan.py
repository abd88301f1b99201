"""Tell what a finished run is expected to find with more people: error and bits, with intervals."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainpid.cohort.groups import read_groups
from brainpid.cohort.schemes import of_scheme
from brainpid.cohort.training_group import training_group
from brainpid.commands.options import check_out_folder
from brainpid.config.analysis import schemes_of
from brainpid.config.models import RidgeSettings
from brainpid.config.section import parse_section
from brainpid.config.slices import AggregateSettings, TrainSettings
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import read_json, read_own_tsv, write_json, write_text, write_tsv
from brainpid.core.provenance import record
from brainpid.evaluation.expected import Plan, expected_table
from brainpid.evaluation.learning_curve import FARTHEST, FEWEST_FRACTIONS, checked_times
from brainpid.evaluation.predictions import decomposable
from brainpid.evaluation.refits import FRACTIONS, READER, Study, refit, usable_fractions
from brainpid.features.matrix import read_chosen, read_matrix
from brainpid.report.figures import to_svg
from brainpid.report.plan import plan_dictionary, plan_figure, sentences

log = logging.getLogger(__name__)

TIMES = (1.5, 2.0)
REPEATS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.description = (
        "Tell what a finished run is expected to find with more people like those it has: mean absolute error and "
        "bits, with intervals. A ridge is refitted to parts of each fold's training people "
        f"({', '.join(map(str, FRACTIONS))} of them), and the curve of its errors and bits is continued from the level "
        f"of the run's first model, no further than {FARTHEST:g} times the people: beyond, nothing can be told."
    )
    parser.add_argument("run", metavar="RUN", type=Path, help="output folder of a finished run")
    parser.add_argument(
        "--to",
        default=",".join(f"{time:g}" for time in TIMES),
        help=f"multiples of the people, joined with commas, up to {FARTHEST:g} (default: %(default)s)",
    )
    parser.add_argument(
        "--repeats", type=int, default=REPEATS, help="draws of parts of every fold's people (default: %(default)s)"
    )
    parser.add_argument("--threads", type=int, default=1, help="refits at a time (default: %(default)s)")
    parser.add_argument(
        "--units", default="years", help="unit of the target, for words and labels (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, help="folder to write to (default: RUN/plan)")


def run(args: argparse.Namespace) -> None:
    """Read the run, refit, write table, dictionary and figure, and print three sentences."""
    times = _times(args.to)
    for name in ("repeats", "threads"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name}: expected 1 or more, found {getattr(args, name)}")
    out = args.out or args.run / "plan"
    check_out_folder(out)
    settings = _settings(args.run)
    model = settings.models[0]
    study = read_study(args.run, settings, args.repeats)
    fractions = usable_fractions(study)
    if len(fractions) < FEWEST_FRACTIONS:
        raise InputError(
            f"{args.run}: {len(study.people)} people take part, too few of whom have every modality to be told what "
            f"parts of them would bring; expected enough for {FEWEST_FRACTIONS} of the parts {list_some(FRACTIONS)}, "
            f"found {len(fractions)}"
        )
    seed = _made_by(args.run, model).seed
    of_run = READER in settings.models
    reader = dict(_made_by(args.run, READER).hyperparameters if of_run else RidgeSettings())
    latents = read_own_tsv(args.run / "aggregate/latents.tsv")
    observed = decomposable(latents[latents["model"] == model], settings.modalities)
    if observed.empty:
        raise InputError(f"{args.run}: no cohort has enough people with every modality to be decomposed")
    factors = {
        cohort: float(_recorded(args.run / f"null/{cohort}.json", "se_factor")) for cohort in set(observed["cohort"])
    }
    plan = Plan(settings.modalities, model, READER, len(study.people), times, settings.pid.confidence, args.units, seed)
    refits = refit(study, fractions, reader, seed, args.threads)
    table = expected_table(observed, refits, factors, plan)
    write_tsv(out / "plan.tsv", table)
    write_json(out / "plan.json", plan_dictionary())
    write_text(out / "plan.svg", to_svg(plan_figure(table, args.units)))
    told = asdict(plan) | {"repeats": args.repeats, "fractions": fractions, "hyperparameters": reader}
    write_json(out / "provenance.json", record(__name__, told, ("numpy", "pandas", "scipy", "scikit-learn")))
    for sentence in sentences(table):
        sys.stdout.write(f"{sentence}\n")


def _times(text: str) -> list[float]:
    """Multiples of the people, ascending."""
    try:
        asked = sorted({float(part) for part in text.split(",")})
    except ValueError as fault:
        raise InputError(f"--to: expected numbers joined with commas, such as 1.5,2, found '{text}'") from fault
    try:
        checked_times(asked)
    except InputError as fault:
        raise InputError(f"--to: {fault}") from fault
    if asked[0] <= 1:
        raise InputError(f"--to: expected multiples above 1, found {asked[0]:g}: what there is now stands beside them")
    return asked


def _settings(folder: Path) -> AggregateSettings:
    """Settings of a run, as its aggregation recorded them."""
    path = folder / "aggregate/provenance.json"
    if not path.is_file():
        raise InputError(
            f"{folder}: expected the output folder of a finished run; aggregate/provenance.json does not exist"
        )
    return parse_section(AggregateSettings, _recorded(path, "settings"), str(path))


def _made_by(folder: Path, model: str) -> TrainSettings:
    """Settings of a model, as its first fold recorded them."""
    path = folder / f"folds/{model}/repeat-0_fold-0/provenance.json"
    return parse_section(TrainSettings.of_model(model), _recorded(path, "settings"), str(path))


def _recorded(path: Path, key: str) -> Any:
    """What a step of the run wrote under a key of a file."""
    content = read_json(path)
    if key not in content:
        raise InputError(f"{path}: expected the key '{key}', found {list_some(content)}; run the study again")
    return content[key]


def read_study(folder: Path, settings: AggregateSettings, repeats: int) -> Study:
    """People, features, groups and folds of a run; with more repeats than it has, its folds come again.

    Raises
    ------
    InputError
        Where a file of the run is missing or does not fit the others.
    """
    people = read_own_tsv(folder / "participants.tsv")
    people = training_group(people[people["included"]]).reset_index(drop=True)
    paths = [folder / f"features/{cohort}.h5" for cohort in settings.cohorts]
    X = read_matrix(paths, people, read_chosen(folder / "features.tsv", settings.modalities))
    sheets = [folder / f"participants/{cohort}.tsv" for cohort in settings.cohorts] if settings.group else []
    splits = of_scheme(read_own_tsv(folder / "splits.tsv"), schemes_of(settings.scheme)[0])
    return Study(people, X, read_groups(sheets, people, settings.group), _folds(people, splits, repeats))


def _folds(people: pd.DataFrame, splits: pd.DataFrame, repeats: int) -> Sequence[tuple[int, int, Any]]:
    """Role of everybody in every fold of so many repeats."""
    keys = ["cohort", "participant_id"]
    there = sorted(set(splits["repeat"]))
    found = []
    for number in range(repeats):
        own = splits[splits["repeat"] == there[number % len(there)]]
        for fold in sorted(set(own["fold"])):
            roles = people[keys].merge(own[own["fold"] == fold][[*keys, "role"]], on=keys, how="left")["role"]
            found.append((number, int(fold), roles.fillna("").to_numpy(dtype=np.str_)))
    return found
