"""Extract one modality of one cohort into named features with units and a status for everybody."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from brainpid.cohort.file_states import read_record, record_of, record_path, write_record
from brainpid.cohort.finding import find, root_of
from brainpid.cohort.participants import SUCCESS, read_labels, read_sheet
from brainpid.cohort.person_files import join_notes
from brainpid.cohort.pipelines import of_dataset, of_people
from brainpid.cohort.shards import shard_of
from brainpid.commands.options import add_settings, read_settings
from brainpid.config.slices import ExtractSettings
from brainpid.config.sources import ImageSource, ImportSource, TableSource, reader_options, section_of, settings_of
from brainpid.core.errors import InputError, MachineError, did_you_mean, list_some
from brainpid.core.files import write_tsv
from brainpid.core.imports import import_function
from brainpid.core.provenance import code_digest, record, versions
from brainpid.features.block import FeatureBlock
from brainpid.features.extraction import Task, extract_people
from brainpid.features.extractors import atlas_digest, extractor_of, scratch_bytes
from brainpid.features.person_results import PersonResult
from brainpid.features.shared_names import in_one_order, lacking
from brainpid.features.store import write_features
from brainpid.features.tables import divisor_of, extract_table, read_units

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--cohort", required=True, help="name of the cohort")
    parser.add_argument("--modality", required=True, help="name of the modality")
    parser.add_argument(
        "--participants", required=True, type=Path, help="the cohort's sheet; for images, its participants table itself"
    )
    add_settings(parser)
    parser.add_argument("--out", type=Path, help="HDF5 file to write")
    images = parser.add_argument_group("for images")
    images.add_argument("--shard", type=int, help="which of the cohort's shards")
    images.add_argument("--workers", type=int, default=1, help="processes (default: %(default)s)")
    images.add_argument("--keep", type=Path, help="folder for the results of single people, used again when they fit")
    images.add_argument("--quality", type=Path, help="table of quality measures to write")
    images.add_argument(
        "--only",
        nargs="+",
        metavar="LABEL",
        help="extract these people alone, keep their results and write nothing else",
    )


def run(args: argparse.Namespace) -> None:
    """Read who the people are and the source, write the features."""
    settings = read_settings(args, ExtractSettings)
    if args.only is not None:
        _keep_only(args, settings)
        return
    if args.out is None:
        raise InputError("--out: expected, unless --only names people whose results alone are kept")
    if isinstance(settings.source, TableSource):
        sheet = read_sheet(args.participants)
        units = read_units(args.participants)
        block = extract_table(settings.source, sheet, args.modality, units)
        provenance: dict[str, Any] = record(__name__, settings.model_dump(mode="json"), ("numpy", "h5py", "pandas"))
        provenance["divided"] = divisor_of(settings.source, block.names, units)
        provenance["notes"] = dict(block.notes)
        n = int(block.present.sum())
        provenance["pipelines"] = dict.fromkeys(of_dataset(Path(settings.source.path).parent), n)
    else:
        block, provenance = _from_images(args, settings, settings.source)
    write_features(args.out, args.cohort, [block], provenance)
    counts = Counter(block.status)
    log.info("%s %s: %d features; %s", args.cohort, args.modality, len(block.names), dict(counts))


def _from_images(
    args: argparse.Namespace, settings: ExtractSettings, source: ImageSource
) -> tuple[FeatureBlock, dict[str, Any]]:
    """Extract the people of one shard and write their quality measures.

    Who the people are comes from the cohort's own table: the sheet, which also holds ages, is made again for everybody
    where one person changes.
    """
    if None in (args.shard, args.keep, args.quality):
        raise InputError(f"a source of kind {source.kind} needs --shard, --keep and --quality")
    plan = _plan(args, settings, source)
    people = [person for person in plan.people if shard_of(person, plan.shards) == args.shard]
    results = plan.extract(people, args.keep, args.workers)
    _record_files(results, record_path(args.keep, args.shard))
    for result in results:
        if result.remark:
            log.warning("%s: %s", result.participant_id, result.remark)
    block = _block(results, args.modality)
    write_tsv(args.quality, _quality(results, block.status, args))
    provenance = record(__name__, settings.model_dump(mode="json"), ("numpy", "h5py", *plan.packages))
    provenance["generated_by"] |= {"extractor_code": plan.code, "atlas_content": plan.atlas}
    measured = {result.participant_id for result in results if result.status == SUCCESS}
    root = root_of(source, settings.bids)
    files = [find(source, args.modality, settings.bids, person).files for person in people if person in measured]
    provenance["pipelines"] = of_people(source.kind, root, files)
    return block, provenance


class _Plan(NamedTuple):
    """How people of a cohort are extracted."""

    people: list[str]
    shards: int
    packages: Sequence[str]
    code: str
    atlas: str
    task_of: Callable[[str, Path], Task]

    def extract(self, people: Sequence[str], keep: Path, workers: int) -> list[PersonResult]:
        """Extract some people and keep their results."""
        tasks: list[Task] = []
        unseen: dict[str, MachineError] = {}
        for person in people:
            try:
                tasks.append(self.task_of(person, keep))
            except MachineError as fault:
                unseen[person] = fault
        return extract_people(tasks, workers, unseen)


def _plan(args: argparse.Namespace, settings: ExtractSettings, source: ImageSource) -> _Plan:
    """Read who the people are, and what their results depend on, before the work begins."""
    entry = extractor_of(source, args.modality)
    section = settings_of(source, args.modality, settings)
    if section is None or settings.participant_id is None or settings.shards is None:
        raise InputError(
            f"--settings: a source of kind {source.kind} needs {section_of(source, args.modality)}, participant_id and "
            "shards, not null"
        )
    if isinstance(source, ImportSource):  # here, so that a function that is not there is nobody's failure
        import_function(source.function, f"sources.{args.modality}.function")
    # What the results depend on, before the work begins.
    code, atlas = "+".join([code_digest(entry.module), *entry.digests]), atlas_digest(entry, section)
    options: dict[str, Any] = reader_options(source)
    # Without paths: of the atlas its content counts, and the person's files count below the root.
    text = json.dumps(section.model_dump(mode="json", exclude={"atlas", "path"}) | options, sort_keys=True)
    made_by = json.dumps({"code": code} | versions(entry.packages), sort_keys=True)
    root = str(root_of(source, settings.bids))
    extract = partial(entry.extract, settings=section, **options)
    scratch = scratch_bytes(entry, section)

    def task_of(person: str, keep: Path) -> Task:
        found = find(source, args.modality, settings.bids, person)
        return Task(person, found, root, extract, atlas, text, made_by, keep, scratch)

    people = read_labels(args.participants, settings.participant_id, settings.visits)
    return _Plan(people, settings.shards, entry.packages, code, atlas, task_of)


def _keep_only(args: argparse.Namespace, settings: ExtractSettings) -> None:
    """Extract people who are named, keep their results for the shards that they are of, and print how they ended."""
    if isinstance(settings.source, TableSource) or args.keep is None:
        raise InputError("--only: expected with --keep and a source of images, of which results of people are kept")
    if args.out is not None or args.shard is not None or args.quality is not None:
        raise InputError("--only: expected without --out, --shard and --quality, which are of a whole shard")
    plan = _plan(args, settings, settings.source)
    if unknown := [label for label in args.only if label not in plan.people]:
        raise InputError(
            f"--only: {list_some(unknown)} not in {args.participants}; {did_you_mean(unknown[0], plan.people)}"
        )
    for result in plan.extract(args.only, args.keep, args.workers):
        reason = f": {result.reason}" if result.reason else ""
        sys.stdout.write(f"{args.cohort} {result.participant_id} {args.modality} {result.status}{reason}\n")


def _record_files(results: list[PersonResult], path: Path) -> None:
    """Leave what the files of a shard are, so that the next planning knows them again under other times."""
    before = read_record(path)
    people = {result.participant_id for result in results}
    now = record_of({result.participant_id: result.files for result in results if result.files}, before)
    write_record(path, {person: files for person, files in before.items() if person in people} | now)


def _block(results: list[PersonResult], modality: str) -> FeatureBlock:
    """Features of a shard; without any success in it there are no names, and `collect` takes those of other shards.

    What one person lacks is not known in that person. Who was measured by something else than others is seen where
    everybody is joined.
    """
    measured = {result.participant_id: result for result in results if result.status == SUCCESS}
    own = {person: tuple(result.values) for person, result in measured.items()}
    names = in_one_order(own.values())
    if gaps := lacking(own, names):
        log.warning("%s: features that others have are n/a in %s", modality, list_some(gaps, 20))
    units = {name: unit for result in measured.values() for name, unit in result.units.items()}
    regions = {name: region for result in measured.values() for name, region in result.regions.items()}
    rows = [
        [result.values.get(name, np.nan) if result.participant_id in measured else np.nan for name in names]
        for result in results
    ]
    return FeatureBlock(
        modality=modality,
        participant_id=tuple(result.participant_id for result in results),
        names=names,
        units=tuple(units[name] for name in names),
        values=np.array(rows, dtype=float).reshape(len(results), len(names)),
        status=tuple(result.status for result in results),
        reason=tuple(result.reason for result in results),
        regions=tuple(tuple(regions.get(name, ())) for name in names),
    )


def _quality(results: list[PersonResult], statuses: Sequence[str], args: argparse.Namespace) -> pd.DataFrame:
    """Quality measures, one line a person who has images; time and memory, which no two runs share, are in the log."""
    records = [
        {"participant_id": r.participant_id, "cohort": args.cohort, "modality": args.modality, "status": status}
        | r.quality
        | {"note": join_notes(r.note, r.remark), "acquisition": r.acquisition}
        for r, status in zip(results, statuses, strict=True)
        if r.key
    ]
    return pd.DataFrame(records, columns=None if records else ["participant_id", "cohort", "modality", "status"])
