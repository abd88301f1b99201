r"""A synthetic cohort whose true information is known: who is in it, and what drives each person's images.

The normal score of age is ``g = .45 s + .45 u_t1 + .70 u_dwi + rest``, with a factor ``s`` that modalities share and
one of each modality's own, all standard normal. Every image of a person is driven by one number,
``d_m = a_m s + b_m u_m + c_m n_m`` scaled to variance 1, where ``n_m`` is what has nothing to do with age. The
driver of fMRI is ``n_fmri`` alone: its images differ between people and tell nothing of age. Age scores and drivers
are jointly Gaussian, so that the information of every subset of modalities, and both of its decompositions, follow from
their covariance. What is read from the images can only be less: features are measured with noise, and encoders are
learned from few people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainpid.core.arrays import FloatArray
from brainpid.pid.decompose import decompose_covariance

MEAN_AGE, SD_AGE = 52.0, 14.0
AGE_RANGE = (18.0, 89.0)
"""In years; a ``participants.tsv`` of BIDS holds no number above 89."""
SHARED = 0.45
MISSING = 0.02
"""Part of the people who lack a modality, for each modality."""


@dataclass(frozen=True)
class Driver:
    """What drives one modality's images.

    Attributes
    ----------
    age : float
        Weight of the modality's own factor in the age score.
    shared, own, noise : float
        Weights of the shared factor, the own factor and what has nothing to do with age, before scaling.
    """

    age: float
    shared: float
    own: float
    noise: float


DRIVERS = {
    "t1": Driver(0.45, 0.40, 0.60, 0.20),
    "dwi": Driver(0.70, 0.55, 0.65, 0.15),
    "fmri": Driver(0.00, 0.00, 0.00, 1.00),
}


@dataclass(frozen=True)
class Person:
    """One person of the phantom.

    Attributes
    ----------
    participant_id, site, sex : str
    age : float
        In years; NaN for the one person whose age is not known.
    drivers : dict of str to float
        Standard normal over people; a modality that the person lacks is not in it.
    motion : float
        Scale of head motion; 1 is usual. It does not depend on age, of which the BOLD images would tell by it.
    corrupt : str
        Modality whose file is cut off; empty for all but one person.
    seed : int
        Of everything random in the person's images.
    """

    participant_id: str
    site: str
    sex: str
    age: float
    drivers: dict[str, float]
    motion: float
    corrupt: str
    seed: int


def weights() -> FloatArray:
    """Weights of the standard normal factors: age score first, then the drivers, each of variance 1.

    Returns
    -------
    ndarray, shape (1 + M, 2 M + 2)
        Columns: the shared factor, each modality's own, each modality's noise, the rest of the age score.
    """
    m = len(DRIVERS)
    rows = np.zeros((1 + m, 2 * m + 2))
    rows[0, 0] = SHARED
    for k, driver in enumerate(DRIVERS.values()):
        rows[0, 1 + k] = driver.age
        rows[1 + k, [0, 1 + k, 1 + m + k]] = driver.shared, driver.own, driver.noise
        rows[1 + k] /= np.linalg.norm(rows[1 + k])
    rows[0, -1] = np.sqrt(1 - rows[0] @ rows[0])
    return rows


def covariance() -> tuple[FloatArray, dict[str, int]]:
    """Joint covariance of the age score (first) and the drivers, and the width (1) of each modality."""
    rows = weights()
    return rows @ rows.T, dict.fromkeys(DRIVERS, 1)


def truth() -> dict[str, object]:
    """True information of every subset of modalities and its decompositions, in bits."""
    cov, dims = covariance()
    found = {measure: decompose_covariance(cov, dims, measure) for measure in ("mmi", "idep")}
    information = found["mmi"].information
    return {
        "units": "bits",
        "target": "normal score of age",
        "information": {"+".join(m for m in DRIVERS if m in subset): bits for subset, bits in information.items()},
        "decomposition": {
            measure: [
                {"scope": row.scope, "modalities": row.modalities, "atom": row.atom, "bits": row.bits}
                for row in decomposition.rows
            ]
            for measure, decomposition in found.items()
        },
    }


def draw_people(subjects: int, sites: int, seed: int) -> list[Person]:
    """Draw people and share them out over sites.

    The first person's age is not known, the second moves far too much, and the third's diffusion image is cut off;
    some people lack a modality.

    Parameters
    ----------
    subjects : int
        Number of people over all sites.
    sites : int
        Number of sites, named ``site-01`` and so on.
    seed : int
        Seed of everything random.
    """
    rng = np.random.default_rng(seed)
    rows = weights()
    g, *driven = rows @ rng.normal(size=(rows.shape[1], subjects))
    drivers = dict(zip(DRIVERS, driven, strict=True))
    age = np.round(np.clip(MEAN_AGE + SD_AGE * g, *AGE_RANGE), 2)
    motion = np.exp(0.4 * rng.normal(size=subjects))
    lacks = {name: rng.random(subjects) < MISSING for name in DRIVERS}
    sex = rng.choice(["F", "M"], subjects)
    people = []
    for k in range(subjects):
        # The people with a planted fault have all modalities.
        present = {name: float(drivers[name][k]) for name in DRIVERS if k < 3 or not lacks[name][k]}
        people.append(
            Person(
                participant_id=f"sub-{k + 1:04d}",
                site=f"site-{k % sites + 1:02d}",
                sex=str(sex[k]),
                age=float("nan") if k == 0 else float(age[k]),
                drivers=present,
                motion=12.0 if k == 1 else float(motion[k]),
                corrupt="dwi" if k == 2 else "",
                seed=int(np.random.SeedSequence([seed, k]).generate_state(1)[0]),
            )
        )
    return people


def participants_table(people: list[Person]) -> pd.DataFrame:
    """Participants table of one site."""
    columns = ["participant_id", "age", "sex", "site"]
    return pd.DataFrame([{name: getattr(person, name) for name in columns} for person in people])
