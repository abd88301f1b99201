"""Check a configuration and its inputs, and show who has what; nothing is run or written."""

from __future__ import annotations

import argparse
import logging
from collections import Counter

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from brainpid.config import load_config
from brainpid.features import SUCCESS, UNAVAILABLE, FeatureBlock
from brainpid.participants import read_participants
from brainpid.settings import ParticipantsSettings, SplitSettings
from brainpid.source_settings import ImageSource, TableSource
from brainpid.sources.finding import find
from brainpid.sources.tables import extract_table, read_units
from brainpid.splits import plan

FROM_IMAGES = "from images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--config", default="config/config.yaml", help="configuration (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Go through everything that a run reads, in memory."""
    logging.getLogger("brainpid").setLevel(logging.WARNING)
    config = load_config(args.config)
    sheets, blocks = {}, {}
    for cohort, block in config.cohorts.items():
        settings = ParticipantsSettings.of(config, cohort)
        sheets[cohort] = read_participants(cohort, settings)
        units = read_units(settings.path)
        for modality, source in block.sources.items():
            if isinstance(source, TableSource):
                blocks[cohort, modality] = extract_table(source, sheets[cohort], modality, units)
            else:
                blocks[cohort, modality] = _images(source, sheets[cohort], modality, block.bids)
    people, _ = plan(sheets, blocks, SplitSettings.of(config))

    table = Table("cohort", "modality", "found", "missing", "features", "why missing")
    for cohort, rows in people.groupby("cohort", sort=False):
        for modality in config.modalities:
            found = rows[f"{modality}_status"] == SUCCESS
            reasons = Counter(rows.loc[~found, f"{modality}_reason"])
            why = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common())
            names = blocks[cohort, modality].names if (cohort, modality) in blocks else ()
            width = FROM_IMAGES if names == (FROM_IMAGES,) else str(len(names))
            table.add_row(str(cohort), modality, str(found.sum()), str((~found).sum()), width, why)
        table.add_row(
            str(cohort),
            "all",
            str(rows["included"].sum()),
            str((~rows["included"]).sum()),
            "",
            "take part",
            end_section=True,
        )
    console = Console()
    console.print(table)
    folds, repeats = config.n_folds, config.splits.repeats
    console.print(
        f"{args.config} is valid: {len(config.models)} models x {repeats} repeats x {folds} folds = "
        f"{len(config.models) * repeats * folds} trainings"
    )


def _images(source: ImageSource, sheet: pd.DataFrame, modality: str, bids: str | None) -> FeatureBlock:
    """Who has images; what the features are is known once they are extracted, and a running number stands for them."""
    people = sheet["participant_id"].tolist()
    found = [find(source, modality, bids, person) for person in people]
    return FeatureBlock(
        modality=modality,
        participant_id=tuple(people),
        names=(FROM_IMAGES,),
        units=("n/a",),
        values=np.where([bool(one.files) for one in found], np.arange(len(people)), np.nan)[:, None],
        status=tuple(SUCCESS if one.files else UNAVAILABLE for one in found),
        reason=tuple(one.reason for one in found),
    )
