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
    say(args.config)


def say(path: Path, output_dir: str | None = None) -> None:
    """Print what the run of a configuration found.

    Parameters
    ----------
    path : path
        The configuration.
    output_dir : str, optional
        Where the results lie, if not where it says.

    Raises
    ------
    InputError
        Where the run is not finished, or the configuration is none.
    """
    config = parse_config(read_yaml(path), str(path))
    settings = ReportSettings.of(config)
    folder = Path(output_dir or config.output_dir)
    accuracy = read_own_tsv(folder / "aggregate/accuracy.tsv")
    said = closing(
        accuracy[accuracy["scheme"] == settings.splits.schemes[0]],
        read_own_tsv(folder / "aggregate/pid.tsv"),
        read_truths(settings.data_folders, settings.modalities, POOLED),
        settings.models,
        settings.modalities,
        (settings.target.column, settings.target.units),
        str(folder),
    )
    for sentence in said:
        sys.stdout.write(textwrap.fill(sentence, 120, break_long_words=False, break_on_hyphens=False) + "\n")
