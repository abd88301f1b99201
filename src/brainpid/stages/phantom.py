"""Write a synthetic cohort and its truth."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from brainpid.errors import InputError
from brainpid.files import write_json, write_tsv
from brainpid.phantom import MODALITIES, make_cohort, truth

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--out", required=True, type=Path, help="folder to write to")
    parser.add_argument("--subjects", type=int, default=480, help="people over all sites (default: %(default)s)")
    parser.add_argument("--sites", type=int, default=3, help="number of sites (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Draw the cohort, write one folder a site and truth.json."""
    if args.sites < 1 or args.subjects < 20 * args.sites:
        raise InputError(f"expected at least 20 people a site, found {args.subjects} for {args.sites} site(s)")
    units = {"age": {"Units": "years"}, "icv_mm3": {"Units": "mm^3"}}
    for site, tables in make_cohort(args.subjects, args.sites, args.seed).items():
        write_tsv(args.out / site / "participants.tsv", tables.participants)
        write_json(args.out / site / "participants.json", units)
        for name, table in tables.features.items():
            write_tsv(args.out / site / f"{name}.tsv", table)
            feature_units = {column: {"Units": MODALITIES[name].unit} for column in table.columns[1:]}
            write_json(args.out / site / f"{name}.json", feature_units)
    write_json(args.out / "truth.json", truth() | {"subjects": args.subjects, "sites": args.sites, "seed": args.seed})
    log.info("%d people of %d site(s) in %s", args.subjects, args.sites, args.out)
