"""List the image files of a cohort's people, and look for labels that fit no folder and folders that fit no label."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

import pandas as pd

from brainpid.cohort.acquisitions import different
from brainpid.cohort.finding import find, require_anybody, root_of, unmatched_labels
from brainpid.cohort.participants import read_sheet
from brainpid.commands.options import add_settings, read_settings
from brainpid.config.slices import IndexSettings
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import write_tsv

log = logging.getLogger(__name__)

COLUMNS = ["participant_id", "modality", "role", "path", "reason", "note", "acquisition"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--cohort", required=True, help="name of the cohort")
    parser.add_argument("--participants", required=True, type=Path, help="the cohort's sheet from `participants`")
    add_settings(parser)
    parser.add_argument("--out", required=True, type=Path, help="table to write: one line a file")


def run(args: argparse.Namespace) -> None:
    """Look into the folder of everybody in the sheet; write what is there and, where nothing is, why."""
    settings = read_settings(args, IndexSettings)
    people = read_sheet(args.participants)["participant_id"].tolist()
    records = []
    for modality, source in settings.sources.items():
        if source.kind == "table":
            raise InputError(f"sources.{modality}: a table has no images to list")
        others = unmatched_labels(source, settings.bids, people)
        if others:
            log.warning("%s: %d people with %s files are not in the participants table and are not used: %s",
                        args.cohort, len(others), modality, list_some(others))  # fmt: skip
        everybody = {person: find(source, modality, settings.bids, person) for person in people}
        require_anybody(args.cohort, modality, everybody)
        if differing := different({person: found.acquisition for person, found in everybody.items() if found.files}):
            log.warning("%s %s: %s", args.cohort, modality, differing)
        for person, found in everybody.items():
            shared = {"participant_id": person, "modality": modality, "note": found.note, "reason": found.reason}
            shared |= {"acquisition": found.acquisition}
            root = root_of(source, settings.bids)
            files = {role: os.path.relpath(path, root) for role, path in found.files.items()}
            records += [shared | {"role": role, "path": path} for role, path in files.items() or [("", "")]]
        log.info(
            "%s %s: %d of %d people", args.cohort, modality, sum(bool(f.files) for f in everybody.values()), len(people)
        )
    write_tsv(args.out, pd.DataFrame(records, columns=COLUMNS))
