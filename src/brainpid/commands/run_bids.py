"""`brainpid run` in the form of a BIDS App: a dataset and an output folder in place of a configuration.

The first call writes the configuration of what the dataset holds into the output folder, as `brainpid init` does, and
every call reads it, so that what is changed in it counts. Level ``participant`` extracts the features of single people
and of nobody else, and keeps each person's result; it needs no lock, so that one job a person can run at a time. Level
``group`` does all the rest, up to the report, and extracts whom nobody has extracted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import yaml

from brainpid.cohort.participants import read_labels
from brainpid.cohort.shards import kept_folder
from brainpid.config.schema import Config, parse_config
from brainpid.config.slices import ExtractSettings
from brainpid.config.yaml_files import read_yaml
from brainpid.core.errors import InputError, did_you_mean, list_some
from brainpid.core.files import write_text
from brainpid.features.draft import draft
from brainpid.features.survey import survey

LEVELS = ("participant", "group")
CONFIG = "brainpid.yaml"


class BidsCall(NamedTuple):
    """A call in the form of a BIDS App.

    Attributes
    ----------
    dataset, out : path
    level : str
        One of `LEVELS`.
    labels : list of str
        People to extract, as they were given; empty for everybody.
    cores : str or None
    further : list of str
        Options for Snakemake.
    """

    dataset: Path
    out: Path
    level: str
    labels: list[str]
    cores: str | None
    further: list[str]


def bids_call(config: Path, further: list[str], cores: str | None) -> BidsCall | None:
    """The call that words of the command line make, None where they are of the other form.

    Raises
    ------
    InputError
        Where a folder is given and the level is none.
    """
    if len(further) < 2 or further[1] not in LEVELS:
        if config.is_dir():
            found = _found(further[1:2])
            raise InputError(
                f"{config}: expected a configuration (.yaml), or as of a BIDS App `brainpid run BIDS_DIR OUT "
                f"{'|'.join(LEVELS)}`, found a folder and {found}; `brainpid init {config}` writes a configuration"
            )
        return None
    parser = argparse.ArgumentParser(prog=f"brainpid run BIDS_DIR OUT {further[1]}", allow_abbrev=False)
    parser.add_argument("--participant-label", "--participant_label", nargs="+", default=[], metavar="LABEL")
    parser.add_argument("--cores", "--n_cpus", "--n-cpus", default=cores)
    given, others = parser.parse_known_args(further[2:])
    return BidsCall(config, Path(further[0]), further[1], given.participant_label, given.cores, others)


def _found(words: list[str]) -> str:
    """What was found in place of a level, for a message."""
    return f"the level '{words[0]}'" if words else "no level"


def prepare(call: BidsCall) -> Path:
    """Write the configuration unless there is one; its path.

    The working folder becomes the output folder: paths in the configuration are relative to it from wherever it is run.

    Raises
    ------
    InputError
        Where there is no dataset, or nothing that is recognised in it.
    """
    if not call.dataset.is_dir():
        found = "a file" if call.dataset.exists() else "nothing"
        raise InputError(f"{call.dataset}: expected a folder with a BIDS dataset, found {found}")
    if call.out.exists() and not call.out.is_dir():
        raise InputError(f"{call.out}: expected a folder to write to, found a file")
    dataset, out = call.dataset.resolve(), call.out.resolve()
    config = out / CONFIG
    if config.is_file():
        os.chdir(out)
        return config
    cohorts = survey(dataset)
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(out)
    text = draft(cohorts, dataset.name, CONFIG, str(out))
    parse_config(yaml.safe_load(text), str(config))
    write_text(config, text)
    sys.stderr.write(f"Written to {config}: what {call.dataset} holds, and how it is analysed; it may be changed.\n")
    return config


def extract_named(call: BidsCall, path: Path, workers: int) -> int:
    """Extract and keep the features of people who are named, of everybody if none is.

    Each cohort and modality of images is a call of the verb `extract`, as the workflow makes it.

    Returns
    -------
    int
        0, or the exit code of the first call that stopped.

    Raises
    ------
    InputError
        Where a label is nobody's, or options for the workflow are given, which does not run.
    """
    if call.further:
        raise InputError(f"participant: expected --participant-label and --cores alone, found {call.further[0]}")
    config = parse_config(read_yaml(path), str(path))
    people = people_of(config)
    chosen = _chosen(call.labels, people)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
    images = [
        (cohort, modality)
        for cohort, block in config.cohorts.items()
        for modality, source in block.sources.items()
        if source.kind != "table" and chosen[cohort]
    ]
    for cohort, modality in images:
        command = [
            *(sys.executable, "-m", "brainpid.cli", "extract", "--cohort", cohort, "--modality", modality),
            *("--participants", config.cohorts[cohort].participants_path),
            *("--settings", ExtractSettings.of(config, cohort, modality).model_dump_json()),
            *("--keep", kept_folder(config.output_dir, cohort, modality), "--workers", str(workers)),
            *("--only", *chosen[cohort]),
        ]
        code = subprocess.run(command, env=environment, check=False).returncode
        if code:
            return code if code > 0 else 1
    if not images:
        sys.stdout.write("Nothing is extracted from single people: all features come from tables.\n")
    sys.stdout.write(f"Next: brainpid run {call.dataset} {call.out} group\n")
    return 0


def people_of(config: Config) -> dict[str, list[str]]:
    """Labels of everybody, by cohort."""
    return {
        name: read_labels(block.participants_path, block.columns.participant_id, config.visits_of(name))
        for name, block in config.cohorts.items()
    }


def _chosen(labels: list[str], people: dict[str, list[str]]) -> dict[str, list[str]]:
    """People of each cohort who are named; labels stand with and without ``sub-``."""
    if not labels:
        return people
    wanted = {label if label.startswith("sub-") else f"sub-{label}": None for label in labels}
    known = {label for own in people.values() for label in own}
    if unknown := [label for label in wanted if label not in known]:
        raise InputError(
            f"--participant-label: {list_some(unknown)} stand(s) in no participants table; "
            f"{did_you_mean(unknown[0], known)}"
        )
    return {cohort: [label for label in own if label in wanted] for cohort, own in people.items()}
