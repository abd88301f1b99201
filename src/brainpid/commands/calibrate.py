"""Calibrate a saved model at new sites by a few of their people whose targets are known."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainpid.cohort.participants import read_participants
from brainpid.cohort.training_group import in_training_group
from brainpid.commands.options import check_out_folder
from brainpid.commands.predict import load_model, people_of_config, predict_new, read_provenance
from brainpid.config.schema import load_predict_config
from brainpid.config.slices import ParticipantsSettings
from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import write_bytes, write_json
from brainpid.core.seeds import derive
from brainpid.model.age_bias import AgeBiases
from brainpid.model.calibration import (
    CALIBRATION,
    Calibration,
    Learned,
    LocalSite,
    digest_of,
    learned_beside,
    read_calibration,
    read_learned,
)
from brainpid.model.harmonised import Harmoniser
from brainpid.model.local_people import NOBODY, Raw, correct, line_of, sums_of

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--model", required=True, type=Path, help="folder of the model: final/<model>, or a calibrated")
    parser.add_argument("--config", required=True, help="configuration whose cohorts have people of the new sites")
    parser.add_argument("--cohorts", nargs="+", help="cohorts to calibrate by (default: all)")
    parser.add_argument(
        "--people", type=int, metavar="K", help="draw so many people of each site (default: all whose target is known)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of that draw (default: 0)")
    parser.add_argument(
        "--learned", type=Path, help="aggregate/calibration.json of the model's run (default: beside final/)"
    )
    parser.add_argument("--out", required=True, type=Path, help="folder of the calibrated model")


def run(args: argparse.Namespace) -> None:
    """Read model and people, learn each site's correction, write the model with it."""
    if args.people is not None and args.people < 0:
        raise InputError(f"--people: expected 0 or more people of each site, found {args.people}")
    check_out_folder(args.out)
    if args.out.resolve().is_relative_to(args.model.resolve()):
        raise InputError(f"--out {args.out}: expected a folder outside that of the model, {args.model}")
    provenance = read_provenance(args.model)
    model = load_model(args.model, provenance)
    name = str(provenance.get("model", ""))
    if not name:
        raise InputError(
            f"{args.model / 'provenance.json'}: expected the name of the model, found none; give the folder of a model "
            "that a run has made"
        )
    calibration = _start(args, name)
    learned = calibration.learned
    config = load_predict_config(args.config)
    if config.target.units != learned.units:
        raise InputError(
            f"{args.config}: target.units: expected {learned.units}, in which the model was trained, found "
            f"{config.target.units}"
        )
    cohorts = list(config.cohorts) if args.cohorts is None else args.cohorts
    new = people_of_config(args.config, args.cohorts, args.model, model, provenance)
    sheets = {
        cohort: read_participants(cohort, ParticipantsSettings.of(config, cohort), needs_target=args.people != 0)
        for cohort in cohorts
    }
    ages = pd.concat([sheet["age"] for sheet in sheets.values()], ignore_index=True).to_numpy(float)
    if config.train_on is not None:
        inside = np.concatenate(list(in_training_group(sheets, config.train_on).values()))
        log.info("%d of %d people are not of the training group (train_on): none of them is drawn", (~inside).sum(),
                 len(inside))  # fmt: skip
        ages = np.where(inside, ages, np.nan)
    told = predict_new(model, new, AgeBiases(), learned.spread.coverage)
    predicted, low, high = told[["predicted_age", "pi_low", "pi_high"]].to_numpy(float).T
    raw, sites = Raw(predicted, low, high, (high - low) / 2), np.array(new.sites, dtype=object)
    found = {}
    if (harmoniser := Harmoniser.load(args.model)) and harmoniser.unseen == "own":
        log.warning(
            "harmonise.unseen: own: features of a new site are harmonised by its people at hand, and the correction "
            "holds for predictions that are made with these people among them"
        )
    for site in _new_sites(new.sites, getattr(model, "sites_", ())):
        rows = np.flatnonzero((sites == site) & np.isfinite(predicted))
        if not len(rows):
            raise InputError(f"site '{site}': expected people with a modality of the model, found none")
        known = _drawn(site, rows[np.isfinite(ages[rows])], args.people, args.seed)
        labels = [digest_of(site, label) for label in told["participant_id"].iloc[known]]
        found[site] = calibrate_site(learned, raw.of(known), ages[known], labels, raw.of(rows))
        if site in calibration.sites:
            log.warning("site '%s' was calibrated before: these people take the place of those", site)
        sys.stdout.write(f"{in_words(site, found[site], learned, config.target.units)}\n")
    for file in sorted(args.model.rglob("*")):
        # Tables of a fold's folder are of single people.
        if file.is_file() and file.suffix != ".tsv" and file.name != CALIBRATION:
            write_bytes(args.out / file.relative_to(args.model), file.read_bytes())
    whole = calibration.model_copy(update={"sites": calibration.sites | found})
    write_json(args.out / CALIBRATION, whole.model_dump(mode="json"))


def calibrate_site(learned: Learned, known: Raw, y: FloatArray, labels: Sequence[str], everybody: Raw) -> LocalSite:
    """Correction of a site.

    Parameters
    ----------
    learned : Learned
    known : Raw
        What the model says of the k people whose targets are known.
    y : ndarray, shape (k,)
        Their targets, in the target's units.
    labels : sequence of str
        Digests of their labels.
    everybody : Raw
        Of all people of the site at hand, for whom expected error and width are told; no target of theirs is used.
    """
    spread = learned.spread
    sums = sums_of(known, y, spread) if len(y) else NOBODY
    offset, slope, at = line_of(spread, sums)
    told, none = (correct(spread, own, everybody, spread.coverage) for own in (sums, NOBODY))
    (a, b), (_, c) = sums.zz.tolist()
    first, second = sums.zr.tolist()
    return LocalSite(
        people=len(y), zz=((a, b), (b, c)), zr=(first, second), rr=float(sums.rr),
        known=dict(zip(labels, (y - known.predicted).tolist(), strict=True)), offset=offset, slope=slope,
        at=at, expected_error=float(told.expected_error.mean()), uncorrected_error=float(none.expected_error.mean()),
        width=float((told.high - told.low).mean()), expected=learned.at(len(y)),
    )  # fmt: skip


def in_words(site: str, own: LocalSite, learned: Learned, units: str) -> str:
    """What was done at a site, and what is expected there, in a sentence or two."""
    coverage = learned.spread.coverage
    seen = "" if learned.error_seen is None else f", {learned.error_seen:.1f} at sites of the training"
    widths = f"{coverage:.0%} intervals are {own.width:.1f} {units} wide"
    if not own.people:
        return (
            f"{site}: nobody is known, predictions stay; expected error {own.expected_error:.1f} {units}{seen}; "
            f"{widths}, as errors at sites left out are."
        )
    return (
        f"{site}: by {own.people} people, {own.offset:+.1f} {units} at a prediction of {own.at:.0f}, and "
        f"{own.slope:+.2f} for each further one; expected error {own.expected_error:.1f} {units} "
        f"(uncorrected {own.uncorrected_error:.1f}{seen}); {widths}."
    )


def _start(args: argparse.Namespace, name: str) -> Calibration:
    """The calibration that sites are added to: that of the model's folder, or one without a site."""
    there = read_calibration(args.model, name)
    if there is None:
        path = learned_beside(args.model) if args.learned is None else args.learned
        return Calibration(model=name, learned=read_learned(path, name), sites={})
    if args.learned is not None:
        raise InputError(
            f"--learned: {args.model / CALIBRATION} has what was learned from sites left out; expected it not given"
        )
    return there


def _new_sites(sites: Sequence[str | None], seen: Sequence[str]) -> list[str]:
    """Sites that took no part in the training."""
    named, known = list(dict.fromkeys(site for site in sites if site is not None)), set(seen)
    if both := [site for site in named if site in known]:
        if len(both) == len(named):
            raise InputError(
                f"all sites took part in the training: {list_some(both)}; expected a new one (another site of the same "
                "name needs another name)"
            )
        log.warning("sites that took part in the training are left as they are: %s", list_some(both))
    return [site for site in named if site not in known]


def _drawn(site: str, known: IntArray, people: int | None, seed: int) -> IntArray:
    """Rows of the people who are used, of those whose target is known."""
    if people is None:
        if not len(known):
            raise InputError(f"site '{site}': expected people whose target is known, found none; --people 0 needs none")
        return known
    if len(known) < people:
        raise InputError(f"--people {people}: site '{site}' has {len(known)} people with a target and a modality")
    order = np.random.default_rng(derive(seed, "calibrate", site)).permutation(len(known))
    return np.sort(known[order[:people]])
