"""Small tables of a run, for the tests of the report."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from brainpid.config.analysis import DecompositionSettings, Explain, Null, Splits
from brainpid.config.cohorts import Target
from brainpid.config.harmonise import Harmonise
from brainpid.config.report_inputs import ReportInput
from brainpid.config.slices import ReportSettings
from brainpid.report.new_sites import of_new_sites

SETTINGS = ReportSettings(
    title="A <study> of ages",
    target=Target(),
    modalities=("t1", "dwi"),
    models=("pidreg", "ridge"),
    incomplete="use",
    splits=Splits(folds=4, repeats=3),
    interval_coverage=0.9,
    pid=DecompositionSettings(),
    null=Null(permutations=99),
    explain=Explain(),
    inputs={
        "a": {
            "t1": ReportInput(kind="table", divide_by="icv_mm3"),
            "dwi": ReportInput(kind="qsirecon", divide_by=None),
        }
    },
    image_modalities=(),
    atlases={},
    data_folders={"a": "data/a"},
    reference_ages=None,
    train_on=None,
    compared=(),
    harmonise=Harmonise(),
)

NO_NEW_SITES = of_new_sites(pd.DataFrame(columns=["participant_id", "cohort", "model", "age", "pi_low", "pi_high"]))
"""Of a run in which training had seen everybody's site."""


def pid_rows(n: int, cohort: str = "a", estimator: str = "log_score", bits: Mapping[str, float] | None = None):
    """Total, alone and added of t1 and dwi by PIDReg, each with an interval of 0.1 to both sides."""
    values = {"total": 1.5, "alone": 1.0, "added": 0.5} | dict(bits or {})
    return pd.DataFrame(
        {"cohort": cohort, "model": "pidreg", "estimator": estimator, "given": "", "measure": "idep",
         "scope": "one_vs_rest", "modalities": modality, "atom": atom, "bits": value,
         "ci_low": value - 0.1, "ci_high": value + 0.1, "n": n, "age_sd": 12.5}
        for modality in ("t1", "dwi") for atom, value in values.items()
    )  # fmt: skip


def predictions(
    shift: Mapping[str, float] | None = None, spread: Mapping[str, float] | None = None, seed: int = 0, n: int = 100
) -> pd.DataFrame:
    """PIDReg's predictions for n people of each of two sites, errors of 4 years about a line with regression."""
    random = np.random.default_rng(seed)
    sites = []
    for site in ("s0", "s1"):
        age = np.linspace(20, 80, n)
        error = 4 * random.permutation(np.linspace(-1.7, 1.7, n)) * (spread or {}).get(site, 1.0)
        predicted = 50 + 0.8 * (age - 50) + error + (shift or {}).get(site, 0.0)
        sites.append(pd.DataFrame({"site": site, "age": age, "predicted_age": predicted}))
    return pd.concat(sites, ignore_index=True).assign(
        participant_id=[f"sub-{k}" for k in range(2 * n)],
        cohort="a",
        model="pidreg",
        repeat=0,
        atypicality=0.5,
        modalities="t1+dwi+fmri",
    )


def normality(doubts: object, model: str = "pidreg") -> pd.DataFrame:
    """One row of ``normality.tsv``, as far as flags read it."""
    return pd.DataFrame([{"cohort": "a", "model": model, "doubts": doubts}])


def verdict(cohort: str, modality: str, words: str) -> dict[str, str]:
    """One row of `report.information.verdicts`, as far as flags read it."""
    return {"cohort": cohort, "modalities": modality, "verdict": words}


def motion(people: pd.DataFrame, values: object = 0.1) -> pd.DataFrame:
    """Mean framewise displacement of these people in fmri, mm."""
    return people[["cohort", "participant_id"]].assign(modality="fmri", fd_mean_mm=values)
