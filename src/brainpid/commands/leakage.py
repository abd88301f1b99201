"""Look for what makes results too good: people who are in the study twice, features that are the target, and others."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from brainpid.cohort.families import read_families
from brainpid.cohort.groups import read_groups
from brainpid.cohort.same_files import kept_contents
from brainpid.commands.options import add_settings, read_settings
from brainpid.config.leakage_slice import LeakageSettings
from brainpid.core.files import read_own_tsv, write_json, write_tsv
from brainpid.features.findings import COLUMNS, findings_table
from brainpid.features.leakage import audit
from brainpid.features.matrix import read_chosen, read_tables
from brainpid.features.pipelines import read_pipelines

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--participants", required=True, type=Path, help="participants.tsv from `split`")
    parser.add_argument("--splits", required=True, type=Path, help="splits.tsv from `split`")
    parser.add_argument("--chosen", required=True, type=Path, help="features.tsv from `split`")
    parser.add_argument("--features", required=True, nargs="+", type=Path, help="feature file of every cohort")
    parser.add_argument("--sheets", nargs="*", default=[], type=Path, help="sheets with the column of the groups")
    parser.add_argument("--persons", required=True, type=Path, help="folder with what `extract` kept of people")
    add_settings(parser)
    parser.add_argument("--out", required=True, type=Path, help="table to write")


def run(args: argparse.Namespace) -> None:
    """Read who takes part and their features, write one line a finding."""
    settings = read_settings(args, LeakageSettings)
    people = read_own_tsv(args.participants)
    people = people[people["included"].astype(bool)].reset_index(drop=True)
    findings = audit(
        people,
        read_tables(args.features, people, read_chosen(args.chosen, settings.modalities)),
        target=settings.target,
        of_tables=settings.of_tables,
        splits=read_own_tsv(args.splits),
        groups=read_groups(args.sheets, people, settings.group),
        families=read_families(settings.participants, settings.labels, people),
        files=kept_contents(args.persons, settings.of_images),
        pipelines=read_pipelines(args.features, settings.modalities),
    )
    for finding in findings:
        log.warning("%s: %s", finding.severity, finding.sentence)
    write_tsv(args.out, findings_table(findings))
    write_json(args.out.with_suffix(".json"), {name: {"Description": words} for name, words in COLUMNS.items()})
