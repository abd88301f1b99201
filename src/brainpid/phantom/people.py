r"""A synthetic cohort whose true information is known: who is in it, and what drives each person's images.

The normal score of age is ``g = .65 s + .35 u_t1 + .45 u_dwi + .20 u_fmri + rest``, with a factor ``s`` that all
modalities share and one of each modality's own, all standard normal. Every image of a person is driven by one number,
``d_m = a_m s + b_m u_m + c_m n_m`` scaled to variance 1, where ``n_m`` is what has nothing to do with age. Age scores
and drivers are jointly Gaussian, so that the information of every subset of modalities, and both of its decompositions,
follow from their covariance. What is read from the images can only be less: features are measured with noise, and
encoders are learned from few people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainpid.core.arrays import FloatArray
from brainpid.pid.decompose import decompose_covariance

MEAN_AGE, SD_AGE = 52.0, 14.0
AGE_RANGE = (18.0, 90.0)
SHARED = 0.65
MISSING = 0.06
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
    "t1": Driver(0.35, 0.65, 0.35, 0.50),
    "dwi": Driver(0.45, 0.65, 0.45, 0.35),
    "fmri": Driver(0.20, 0.35, 0.20, 0.60),
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
        Scale of head motion, related to age but not equal to it; 1 is usual.
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


def covariance() -> tuple[FloatArray, dict[str, int]]:
    """Joint covariance of the age score (first) and the drivers, and the width (1) of each modality."""
    names = list(DRIVERS)
    age = np.array([SHARED, *(driver.age for driver in DRIVERS.values())])
    rows = np.zeros((1 + len(names), 1 + len(names)))
    rows[0] = age
    noise = [1 - age @ age]
    for k, driver in enumerate(DRIVERS.values(), start=1):
        scale = np.sqrt(driver.shared**2 + driver.own**2 + driver.noise**2)
        rows[k, [0, k]] = np.array([driver.shared, driver.own]) / scale
        noise.append((driver.noise / scale) ** 2)
    return rows @ rows.T + np.diag(noise), dict.fromkeys(names, 1)


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
    shared, rest = rng.normal(size=(2, subjects))
    own = {name: rng.normal(size=subjects) for name in DRIVERS}
    left = 1 - SHARED**2 - sum(driver.age**2 for driver in DRIVERS.values())
    g = SHARED * shared + sum(driver.age * own[name] for name, driver in DRIVERS.items()) + np.sqrt(left) * rest
    drivers = {}
    for name, driver in DRIVERS.items():
        mixed = driver.shared * shared + driver.own * own[name] + driver.noise * rng.normal(size=subjects)
        drivers[name] = mixed / np.sqrt(driver.shared**2 + driver.own**2 + driver.noise**2)
    age = np.round(np.clip(MEAN_AGE + SD_AGE * g, *AGE_RANGE), 2)
    motion = np.exp(0.25 * g + 0.3 * rng.normal(size=subjects))
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
