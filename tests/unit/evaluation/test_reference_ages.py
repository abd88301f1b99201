"""Information for given ages: cohorts of the same people in other ranges agree where their ranges overlap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.reference_ages import even_ages
from brainpid.config.analysis import DecompositionSettings
from brainpid.crossfit.densities import PredictiveDensities
from brainpid.evaluation.reference_ages import decompose_for_reference
from brainpid.evaluation.reference_weights import WEIGHT, weights_for

SETTINGS = DecompositionSettings(measures=("mmi",))


def cohort(low: float, high: float, n: int = 2000) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Those of one population who are of a range of ages; two readers err by 6 and 9 years.

    Half of them are held out from densities that the others give. Log scores relative to their own ages, those
    relative to ages evenly from 30 to 60, and the number of people that the latter are of.
    """
    rng = np.random.default_rng(1)
    # More of the young, as in most cohorts.
    everybody = 18 + 70 * rng.beta(1.0, 1.4, 2 * n)
    noise = rng.normal(size=(2, 2 * n)) * [[6], [9]]
    taken = (everybody >= low) & (everybody <= high)
    age, test = everybody[taken], (np.arange(2 * n) % 2 == 0)[taken]
    told = {("t1",): age + noise[0, taken], ("dwi",): age + noise[1, taken]}
    # The least squares prediction of both, as a model of both gives it.
    design = np.column_stack([*told.values(), np.ones(len(age))])
    told["t1", "dwi"] = design @ np.linalg.lstsq(design[~test], age[~test], rcond=None)[0]
    fold = np.arange(int((~test).sum())) % 5
    fitted = PredictiveDensities.fit({a: v[~test] for a, v in told.items()}, age[~test], fold)
    new, own = {a: v[test] for a, v in told.items()}, age[test]
    people = pd.DataFrame({"participant_id": np.arange(len(own)).astype(str), "repeat": 0, "fold": 0, "age": own})
    tables, weights = [], weights_for(own, even_ages(30, 60), "years")
    for reference, weight in ((age[~test], np.ones(len(own))), (even_ages(30, 60), weights.weights)):
        scores = fitted.log_scores(new, own, reference)
        tables.append(people.assign(**{WEIGHT: weight, **{f"log_score_{'+'.join(a)}": v for a, v in scores.items()}}))
    return tables[0], tables[1], weights.n_effective


def bits(table: pd.DataFrame) -> np.ndarray:
    """Information of t1, of dwi and of both."""
    (found,) = decompose_for_reference(table, ["t1", "dwi"], SETTINGS, 1.0)
    return np.array(list(found.decomposition.information.values()))


def test_ranges_that_overlap_agree_and_unweighted_bits_do_not():
    found = [cohort(18, 88), cohort(30, 60), cohort(25, 75)]
    plain = np.array([bits(own) for own, _, _ in found])
    weighted = np.array([bits(own) for _, own, _ in found])
    assert (np.ptp(plain, axis=0) > 0.5).all()
    assert (np.ptp(weighted, axis=0) < 0.03).all()
    # What it is by quadrature, for a reader that knows errors to be normal: the range counts as a prior.
    assert weighted.mean(axis=0) == pytest.approx([truth(6), truth(9), truth((6**-2 + 9**-2) ** -0.5)], abs=0.04)


def truth(sd: float) -> float:
    """Information of age + N(0, sd^2) about an age evenly from 30 to 60, in bits."""
    age, seen = np.linspace(30, 60, 601), np.linspace(30 - 6 * sd, 60 + 6 * sd, 2001)
    density = np.exp(-0.5 * ((seen - age[:, None]) / sd) ** 2) / sd / np.sqrt(2 * np.pi)
    ratio = density / density.mean(axis=0)
    step = seen[1] - seen[0]
    return float(np.mean(np.sum(density * np.log2(np.maximum(ratio, 1e-300)), axis=1) * step))


def test_the_number_of_people_is_the_effective_one():
    _, table, effective = cohort(18, 88, n=600)
    (found,) = decompose_for_reference(table, ["t1", "dwi"], SETTINGS, 1.5)
    assert found.decomposition.n == int(effective)
    assert found.ages.low >= 30
    assert found.ages.high <= 60
    assert found.ages.sd == pytest.approx(30 / np.sqrt(12), rel=0.1)
