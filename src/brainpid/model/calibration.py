"""What a model's folder knows of new sites: ``calibration.json``, and what a run has learned for it.

Of the people who calibrated a site it has sums (`brainpid.model.local_people.Sums`), and of each a digest of the label
with the error of the prediction, so that nobody's own target is in the correction when they are predicted themselves.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from brainpid.config.section import Section, parse_section
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import read_json
from brainpid.model.local_people import SiteSpread, Sums

CALIBRATION = "calibration.json"
ROUNDING = 1e-9
"""Part by which a product of sums may be off."""
LEARNED = "Learned"
"""Key under which a run's ``aggregate/calibration.json`` has what `Learned` is, by model."""
Pair = tuple[float, float]
Count = Annotated[int, Field(ge=0)]


class Expected(Section):
    """What is expected at a new site with some of its people known: a row of ``aggregate/calibration.tsv``."""

    people: Count
    sites: Count
    mae: float
    mae_site_low: float
    mae_site_high: float
    coverage: float
    coverage_site_low: float
    coverage_site_high: float


class Learned(Section):
    """What was learned from sites left out: how much they differ, and what is expected of the next one.

    Attributes
    ----------
    units : str
        Of the target.
    spread : SiteSpread
    error_seen : float or None
        Mean absolute error at sites that training has seen, in the target's units; None where it is not known.
    expected : tuple of Expected
        By number of people, the first without any.
    """

    units: str
    spread: SiteSpread
    error_seen: float | None
    expected: Annotated[tuple[Expected, ...], Field(min_length=1)]

    def at(self, people: int) -> Expected:
        """What is expected with so many people: the row with as many, or the next fewer."""
        return [row for row in self.expected if row.people <= people][-1]


class LocalSite(Section):
    """A site that was calibrated.

    Attributes
    ----------
    people : int
        How many were known.
    zz, zr, rr
        Their `Sums`.
    known : dict of str to float
        Target less prediction of each of them, in the target's units, by `digest_of` the label.
    offset, slope, at : float
        What is added to a prediction p is ``offset + slope * (p - at)``, as nearly as a line tells it.
    expected_error, uncorrected_error : float
        Expected absolute error, mean over the site's people at hand, with these people and with none.
    width : float
        Mean width of the intervals of the same people, in the target's units.
    expected : Expected
        What sites left out showed with as many people, or the next fewer.
    """

    people: Count
    zz: tuple[Pair, Pair]
    zr: Pair
    rr: Annotated[float, Field(ge=0)]
    known: dict[str, float]
    offset: float
    slope: float
    at: float
    expected_error: float
    uncorrected_error: float
    width: float
    expected: Expected

    @model_validator(mode="after")
    def _of_people(self) -> Self:
        (a, b), (c, d) = self.zz
        if b != c or min(a, d) < 0 or b * c > a * d * (1 + ROUNDING):
            raise ValueError("zz: expected sums of squares and products of people")
        return self

    @property
    def sums(self) -> Sums:
        """Sums over the people who were known."""
        return Sums(self.people, np.array(self.zz), np.array(self.zr), self.rr)


class Calibration(Section):
    """``calibration.json`` of a model's folder."""

    format: Literal[1] = 1
    model: str
    learned: Learned
    sites: dict[str, LocalSite]


def digest_of(site: str, participant_id: str) -> str:
    """Digest of a person's label at a site."""
    return hashlib.sha256(f"{site}\0{participant_id}".encode()).hexdigest()[:16]


def read_calibration(folder: Path, model: str | None) -> Calibration | None:
    """Read ``calibration.json`` of a model's folder; None where there is none.

    Parameters
    ----------
    folder : path
    model : str or None
        Name of the model; None where its folder does not say it.

    Raises
    ------
    InputError
        Where it is not what `brainpid calibrate` writes, or of another model.
    """
    path = folder / CALIBRATION
    if not path.is_file():
        return None
    found = parse_section(Calibration, read_json(path), str(path))
    if model is not None and found.model != model:
        raise InputError(
            f"{path}: model: expected '{model}', which the folder has, found '{found.model}'; calibrate it"
        )
    return found


def read_learned(path: Path, model: str) -> Learned:
    """Read what a run has learned of one model from sites left out.

    Parameters
    ----------
    path : path
        ``aggregate/calibration.json`` of a run.
    model : str

    Raises
    ------
    InputError
        Where the file is absent, or too few sites were left out for the model.
    """
    if not path.is_file():
        raise InputError(
            f"{path}: expected what a run learned from sites left out, found none; run the configuration of the model "
            "with splits.scheme: [kfold, leave_one_site_out], or name the file by --learned"
        )
    found = read_json(path).get(LEARNED, {})
    if model not in models_learned(path):
        raise InputError(
            f"{path}: expected '{model}' among the models that were learned of, found "
            f"{list_some(list(found)) or 'none'}; it needs 5 sites or more with 5 people or more each that are left out"
        )
    return parse_section(Learned, found[model], f"{path}: {LEARNED}.{model}")


def models_learned(path: Path) -> list[str]:
    """Models of which a run has learned from sites left out; none where the file is absent."""
    found = read_json(path).get(LEARNED, {}) if path.is_file() else {}
    return list(found) if isinstance(found, dict) else []


def learned_beside(folder: Path) -> Path:
    """Where the run of a final model, ``OUT/final/<model>``, has what it learned."""
    return folder.absolute().parent.parent / "aggregate" / CALIBRATION
