"""What cohorts tell at one spread of the target, against planted slopes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from prediction_tables import MODALITIES, out_of_fold

from brainpid.config.analysis import DecompositionSettings
from brainpid.core.errors import InputError
from brainpid.evaluation.information import decompose_all
from brainpid.evaluation.moderator import FEWEST_COHORTS, MODERATED_COLUMNS, pool_moderated
from brainpid.evaluation.random_effects import pool
from brainpid.evaluation.within_cohort import WithinCohorts

SD = np.array([5.0, 6, 9, 12, 15, 20, 24, 30])
N = np.full(8, 200)


def test_a_planted_slope_without_noise_is_found():
    bits = 0.3 + 0.8 * (np.log2(SD) - np.log2(SD).mean())
    found = pool_moderated(bits, np.full(8, 1e-3), N, np.log2(SD), 0.15)
    assert found.estimate == pytest.approx(0.3, abs=1e-6)
    assert found.slope == pytest.approx(0.8, abs=1e-6)
    assert found.tau < 0.005
    assert pool(bits, np.full(8, 1e-3), N, 0.15).tau > 0.4


def test_intervals_hold_what_they_promise():
    rng = np.random.default_rng(0)
    z, covered = np.log2(SD) - np.log2(SD).mean(), np.zeros(2)
    for _ in range(200):
        bits = 0.3 + 0.8 * z + rng.normal(0, np.hypot(0.1, 0.05), 8)
        found = pool_moderated(bits, np.full(8, 0.05), N, np.log2(SD), 0.15)
        for k, (ends, truth) in enumerate(((found.interval, 0.3), (found.slope_interval, 0.8))):
            covered[k] += ends.low <= truth <= ends.high
    assert (covered / 200 > 0.91).all()
    assert (covered / 200 < 0.995).all()


def test_a_moderator_that_does_not_vary_is_refused():
    with pytest.raises(InputError, match="a moderator needs finite estimates of at least 3 cohorts in which it varies"):
        pool_moderated(np.ones(4), np.ones(4), N[:4], np.ones(4), 0.15)


def test_it_stands_beside_the_pooled_rows_of_six_cohorts_or_more():
    one = out_of_fold(40, repeats=1)
    one = one[one["cohort"] == "a"]
    rows = pd.concat([one.assign(cohort=f"c{k}", age=50 + (k + 1) * (one["age"] - 50)) for k in range(FEWEST_COHORTS)])
    settings = DecompositionSettings(measures=("mmi",))
    none = WithinCohorts({}, "ridge", 5, {})
    pooling = decompose_all(rows, MODALITIES, settings, none)[1]
    told = pooling[(pooling["scope"] == "one_vs_rest") & pooling["atom"].isin(["total", "alone", "added"])]
    assert told[MODERATED_COLUMNS].notna().all(axis=None)
    assert pooling.drop(told.index)[MODERATED_COLUMNS].isna().all(axis=None)
    # Cohorts differ in nothing but the scale of their ages, and log scores do not move with it.
    np.testing.assert_allclose(told["per_doubling"], 0, atol=1e-9)
    np.testing.assert_allclose(told["moderated_bits"], told["fixed_bits"], atol=1e-9)
    sd = one["age"].std()
    np.testing.assert_allclose(told["middle_age_sd"], sd * np.prod(np.arange(1, 7)) ** (1 / 6))
    few = decompose_all(rows[rows["cohort"] != "c0"], MODALITIES, settings, none)[1]
    assert few[MODERATED_COLUMNS].isna().all(axis=None)
