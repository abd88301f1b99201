"""Run the demonstration: a synthetic cohort with known truth, from its images to a report."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from brainpid.cohort.truth import FILE
from brainpid.commands import phantom
from brainpid.commands import run as workflow
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import read_json
from brainpid.core.project import project_file

DATA = Path("results/demo_data")
"""Where the shipped configuration of the demonstration looks for its images."""
COHORT = {"subjects": 200, "sites": 2, "seed": 0, "voxel_size_mm": 8}
NEXT = """
Your own data, from any folder:
    brainpid init FOLDER --out mine.yaml    a configuration of what the folder holds
    brainpid check --config mine.yaml       who has what, and what is missing
    brainpid run mine.yaml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--cores", default="2", help="CPUs to use (default: %(default)s)")
    parser.add_argument("--images-only", action="store_true", help="make the images and stop")


def run(args: argparse.Namespace) -> int:
    """Make the images where they are not there yet, run the workflow on them, and say what it found."""
    make_images(args.cores)
    if args.images_only:
        return 0
    config = project_file("config", "demo.yaml")
    _say("From the images to a report: features of everybody, five folds of two models, tests, figures.")
    if code := workflow.run(_parsed(workflow, ["--cores", args.cores, str(config)])):
        return code
    _say(NEXT.rstrip("\n"))
    return 0


def make_images(cores: str) -> None:
    """Make the cohort in the working folder, unless this program has made the same one there before.

    Raises
    ------
    InputError
        Where the folder holds something else, which is not deleted for it.
    """
    if _is_made():
        return
    foreign = [path.name for path in DATA.glob("*") if path.name != FILE and not path.name.startswith("site-")]
    if foreign:
        raise InputError(
            f"{DATA}: expected the images of the demonstration alone, found {list_some(sorted(foreign), 3)}; move "
            "that, or start in another folder"
        )
    _say(f"Making the images of {COHORT['subjects']} people: T1, diffusion and BOLD, with a known truth.")
    shutil.rmtree(DATA, ignore_errors=True)
    options = {"--out": DATA, "--workers": cores, "--subjects": COHORT["subjects"], "--sites": COHORT["sites"]}
    options |= {"--seed": COHORT["seed"], "--voxel-size": COHORT["voxel_size_mm"]}
    phantom.run(_parsed(phantom, [str(word) for option in options.items() for word in option]))


def _is_made() -> bool:
    """Whether the cohort is there as a whole, made by the code that is here; its truth is written last."""
    if not (DATA / FILE).is_file():
        return False
    there = read_json(DATA / FILE)
    wanted = COHORT | {"generated_by": phantom.generated_by()}
    return all(there.get(name) == value for name, value in wanted.items())


def _parsed(verb: ModuleType, words: Sequence[str]) -> argparse.Namespace:
    """Options of another verb, as its own parser reads them."""
    parser = argparse.ArgumentParser()
    verb.add_arguments(parser)
    return parser.parse_args(words)


def _say(text: str) -> None:
    """Print a line at once: Snakemake, which comes next, writes to the same terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
