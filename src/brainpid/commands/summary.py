"""Say what a finished run found, in three sentences."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path

from brainpid.cohort.truth import read_truths
from brainpid.config.schema import parse_config
from brainpid.config.slices import ReportSettings
from brainpid.config.yaml_files import read_yaml
from brainpid.core.files import read_own_tsv
from brainpid.evaluation.random_effects import POOLED
from brainpid.report.closing import closing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("config", type=Path, help="configuration (.yaml) of the run")


def run(args: argparse.Namespace) -> None:
    """Read the tables of the run, and the truth beside synthetic cohorts; print."""
    config = parse_config(read_yaml(args.config), str(args.config))
    settings = ReportSettings.of(config)
    folder = Path(config.output_dir)
    said = closing(
        read_own_tsv(folder / "aggregate/accuracy.tsv"),
        read_own_tsv(folder / "aggregate/pid.tsv"),
        read_truths(settings.data_folders, settings.modalities, POOLED),
        settings.models,
        settings.modalities,
        (settings.target.column, settings.target.units),
        config.output_dir,
    )
    for sentence in said:
        sys.stdout.write(textwrap.fill(sentence, 120, break_long_words=False, break_on_hyphens=False) + "\n")
