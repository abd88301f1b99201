"""A synthetic cohort, as feature tables, whose true information is known.

A person's age has the normal score ``g``. Each modality has a state ``s_m = gain_m g + shared_m u + unique_m v_m``,
with ``u`` common to all modalities and ``v_m`` its own, all standard normal; its features are
``x = loading s_m + noise e``. Everything is jointly Gaussian, so that the information of every subset of modalities
about ``g``, and both of its decompositions, follow from the covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainpid.arrays import FloatArray
from brainpid.pid import decompose_covariance

MEAN_AGE, SD_AGE = 52.0, 12.0
AGE_RANGE = (18.0, 90.0)
MISSING = 0.05
"""Part of the people who lack a modality, for each modality."""


@dataclass(frozen=True)
class ModalityModel:
    """How one modality of the phantom depends on age.

    Attributes
    ----------
    gain, shared, unique : float
        Weights of the age score, of the common factor and of the modality's own factor in its state.
    features : int
        Number of features.
    noise : float
        Standard deviation of each feature's own noise; loadings are between 0.5 and 1.5.
    unit : str
        Unit of the features.
    centre, scale : float
        Mean and standard deviation that the features are given in the table, in `unit`.
    """

    gain: float
    shared: float
    unique: float
    features: int
    noise: float
    unit: str
    centre: float
    scale: float


MODALITIES = {
    "t1": ModalityModel(1.0, 0.8, 0.5, 20, 1.5, "mm^3", 9000.0, 700.0),
    "dwi": ModalityModel(0.9, 0.8, 0.9, 16, 1.5, "1", 0.45, 0.03),
    "fmri": ModalityModel(0.4, 0.0, 1.0, 12, 1.5, "Fisher z", 0.3, 0.12),
}


@dataclass(frozen=True)
class SiteTables:
    """Tables of one site: its participants, and one table of features a modality."""

    participants: pd.DataFrame
    features: dict[str, pd.DataFrame]


def loadings(model: ModalityModel) -> FloatArray:
    """Loadings of a modality's features on its state; the same in every phantom, since they are part of the truth."""
    return np.linspace(0.5, 1.5, model.features)


def covariance() -> tuple[FloatArray, dict[str, int]]:
    """Joint covariance of the age score (first) and all features, and the number of features of each modality."""
    directions = [np.concatenate([[1.0], np.zeros(1 + len(MODALITIES))])]
    noise = [0.0]
    for index, model in enumerate(MODALITIES.values()):
        state = np.zeros(2 + len(MODALITIES))
        state[[0, 1, 2 + index]] = model.gain, model.shared, model.unique
        directions += list(np.outer(loadings(model), state))
        noise += [model.noise**2] * model.features
    rows = np.array(directions)
    return rows @ rows.T + np.diag(noise), {name: model.features for name, model in MODALITIES.items()}


def truth() -> dict[str, object]:
    """True information of every subset of modalities and its decompositions, in bits."""
    cov, dims = covariance()
    found = {measure: decompose_covariance(cov, dims, measure) for measure in ("mmi", "idep")}
    information = found["mmi"].information
    return {
        "units": "bits",
        "target": "normal score of age",
        "information": {"+".join(m for m in MODALITIES if m in subset): bits for subset, bits in information.items()},
        "decomposition": {
            measure: [
                {"scope": row.scope, "modalities": row.modalities, "atom": row.atom, "bits": row.bits}
                for row in decomposition.rows
            ]
            for measure, decomposition in found.items()
        },
    }


def make_cohort(subjects: int, sites: int, seed: int) -> dict[str, SiteTables]:
    """Draw people and share them out over sites.

    Parameters
    ----------
    subjects : int
        Number of people over all sites.
    sites : int
        Number of sites, named ``site-01`` and so on.
    seed : int
        Seed of everything random.

    Returns
    -------
    dict of str to SiteTables
        T1 volumes scale with head size (column ``icv_mm3`` of the participants); one part in twenty of the people
        lacks a modality, and the first person's age is not known.
    """
    rng = np.random.default_rng(seed)
    g, common = rng.normal(size=(2, subjects))
    age = np.clip(MEAN_AGE + SD_AGE * g, *AGE_RANGE)
    head_size = rng.normal(1.45e6, 1.2e5, subjects)
    labels = np.array([f"sub-{person + 1:04d}" for person in range(subjects)])
    site = np.arange(subjects) % sites
    participants = pd.DataFrame(
        {
            "participant_id": labels,
            "age": np.round(age, 2),
            "sex": rng.choice(["F", "M"], subjects),
            "site": [f"site-{index + 1:02d}" for index in site],
            "icv_mm3": np.round(head_size),
        }
    )
    participants.loc[0, "age"] = np.nan
    tables = {}
    for name, model in MODALITIES.items():
        state = model.gain * g + model.shared * common + model.unique * rng.normal(size=subjects)
        raw = np.outer(state, loadings(model)) + model.noise * rng.normal(size=(subjects, model.features))
        values = model.centre + model.scale * raw / np.sqrt(raw.var(axis=0))
        if model.unit == "mm^3":
            values *= (head_size / head_size.mean())[:, None]
        table = pd.DataFrame(values, columns=[f"{name}_region-{region + 1:02d}" for region in range(model.features)])
        table.insert(0, "participant_id", labels)
        tables[name] = table[rng.random(subjects) >= MISSING]
    return {
        f"site-{index + 1:02d}": SiteTables(
            participants[site == index],
            {name: table[site[table.index] == index] for name, table in tables.items()},
        )
        for index in range(sites)
    }
