"""Join the quality measures of one modality over shards and cohorts, and flag who stands out."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import pandas as pd

from brainpid.core.files import read_own_tsv, write_tsv
from brainpid.features.quality import NO_MEASURE, flag_outliers

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--parts", required=True, nargs="+", type=Path, help="tables that `extract` wrote")
    parser.add_argument("--out", required=True, type=Path, help="table to write")


def run(args: argparse.Namespace) -> None:
    """Read every part, flag outliers within cohorts, write one table."""
    tables = [table for table in map(read_own_tsv, args.parts) if len(table)]
    joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=NO_MEASURE)
    flagged = flag_outliers(joined).sort_values(["cohort", "participant_id"], kind="stable")
    last = ["note", "acquisition"]
    write_tsv(args.out, flagged[[name for name in flagged if name not in last] + last])
    log.info("%d people, %d stand out", len(flagged), int((flagged["outlier_in"] != "").sum()))
