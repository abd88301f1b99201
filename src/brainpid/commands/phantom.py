"""Write a synthetic cohort of images, and its truth."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from brainpid.cohort.truth import FILE
from brainpid.core.errors import InputError
from brainpid.core.files import write_json, write_tsv
from brainpid.core.progress import progress
from brainpid.core.provenance import record
from brainpid.phantom.images import COARSEST_MM, FINEST_MM, write_description, write_person
from brainpid.phantom.people import Person, draw_people, participants_table, truth

log = logging.getLogger(__name__)

LEAST_PEOPLE = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--out", required=True, type=Path, help="folder to write to: one BIDS dataset a site")
    parser.add_argument("--subjects", type=int, default=48, help="people over all sites (default: %(default)s)")
    parser.add_argument("--sites", type=int, default=2, help="number of sites (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default: %(default)s)")
    parser.add_argument("--voxel-size", type=int, default=5, help="of all images, in mm (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Draw the people, write one dataset a site, and truth.json last."""
    if args.sites < 1 or args.subjects < LEAST_PEOPLE * args.sites:
        raise InputError(
            f"expected at least {LEAST_PEOPLE} people a site, found {args.subjects} for {args.sites} site(s)"
        )
    if args.workers < 1:
        raise InputError(f"--workers: expected 1 or more, found {args.workers}")
    if not FINEST_MM <= args.voxel_size <= COARSEST_MM:
        raise InputError(f"--voxel-size: expected {FINEST_MM} to {COARSEST_MM} mm, found {args.voxel_size}")
    people = draw_people(args.subjects, args.sites, args.seed)
    by_site: dict[str, list[Person]] = {}
    for person in people:
        by_site.setdefault(person.site, []).append(person)
    for site, own in by_site.items():
        folder = args.out / site
        write_description(folder, f"Phantom, {site}")
        write_description(folder / "derivatives" / "fmriprep", f"Phantom, {site}", "fMRIPrep")
        write_tsv(folder / "participants.tsv", participants_table(own))
        write_json(folder / "participants.json", {"age": {"Units": "years"}})
    with ProcessPoolExecutor(
        args.workers, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_interrupts
    ) as pool:
        written = pool.map(partial(_write, args.out, args.voxel_size), people, chunksize=4)
        try:
            for _ in progress(written, "making people's images", len(people)):
                pass
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    about = {"subjects": args.subjects, "sites": args.sites, "seed": args.seed, "voxel_size_mm": args.voxel_size}
    planted = {
        "no_age": people[0].participant_id,
        "extreme_motion": people[1].participant_id,
        "corrupt": {"participant_id": people[2].participant_id, "modality": people[2].corrupt},
    }
    write_json(args.out / FILE, truth() | about | {"planted": planted, "generated_by": generated_by()})
    log.info("%d people of %d site(s) in %s", args.subjects, args.sites, args.out)


def _leave_interrupts() -> None:
    """A terminal sends an interrupt to all: this process ends the others, once they have written what they began."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def generated_by() -> dict[str, str]:
    """Name, version and code of what makes the cohort: the same makes the same images."""
    found: dict[str, str] = record(__name__, {})["generated_by"]
    return found


def _write(out: Path, mm: int, person: Person) -> None:
    write_person(person, out / person.site, mm)
