"""Transforms are monotone, invertible and blind to rows they were not fitted on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from brainpid.core.errors import InputError
from brainpid.crossfit.transforms import (
    KNOTS,
    NormalScores,
    RankedStandardizer,
    Standardizer,
    clipped_features,
    normal_scores,
)

TARGETS = st.lists(st.integers(18, 90), min_size=2, max_size=60).filter(lambda ages: len(set(ages)) > 1)


def test_normal_scores_of_known_ranks():
    np.testing.assert_allclose(normal_scores([30, 10, 20]), norm.ppf([2.5 / 3, 0.5 / 3, 0.5]))


def test_equal_ages_get_one_score():
    scores = normal_scores([20, 50, 50, 50, 80])
    assert scores[1] == scores[2] == scores[3] == pytest.approx(0)


@given(ages=TARGETS)
def test_there_and_back(ages):
    target = NormalScores.fit(ages)
    np.testing.assert_allclose(target.inverse_transform(target.transform(ages)), ages, atol=1e-9)


@given(ages=TARGETS)
def test_monotone_also_beyond_the_training_range(ages):
    target = NormalScores.fit(ages)
    grid = np.linspace(-6, 6, 200)
    assert (np.diff(target.inverse_transform(grid)) > 0).all()
    np.testing.assert_allclose(target.transform(target.inverse_transform(grid)), grid, atol=1e-7)


def test_a_constant_target_is_refused():
    with pytest.raises(InputError, match="1 distinct value"):
        NormalScores.fit([40, 40, 40])


def test_standardizer_imputes_scales_and_clips():
    training = np.array([[1.0, 5.0, np.nan], [2.0, 5.0, np.nan], [3.0, 5.0, np.nan], [np.nan, 5.0, np.nan]])
    standardizer = Standardizer.fit(training, clip=3)
    found = standardizer.transform(np.array([[np.nan, 9.0, 1.0], [1e6, 5.0, np.nan]]))
    np.testing.assert_allclose(found, [[0, 0, 0], [3, 0, 0]])


def test_standardized_training_rows_have_no_mean_and_unit_spread():
    rows = np.random.default_rng(0).normal(5, 3, (200, 4))
    found = Standardizer.fit(rows).transform(rows)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=0), 1)


def test_clipped_features_are_said_of_each_person():
    table = pd.DataFrame({"a": [0.0, 2.0, 1.0, 1.0], "b": [10.0, 30.0, 20.0, 20.0], "same": 1.0})
    scaler = Standardizer.fit(table)
    far = pd.DataFrame(
        {"a": [1.0, -9999.0, np.nan, 1.0], "b": [20.0, 20.0, 20.0, 1e4], "same": [1.0, 1.0, 7.0, np.nan]}
    )
    told = clipped_features(far, scaler)
    assert told[0] == told[2] == ""  # a feature without spread is used by nobody
    assert told[1].startswith("1 of 3 features lie more than 5 standard deviations of the training people")
    assert told[1].endswith(f"a = -9999 ({10000 / np.sqrt(0.5):.1f} SD)")
    assert told[3].endswith(f"b = 10000 ({9980 / np.sqrt(50):.1f} SD)")
    many = pd.DataFrame([np.full(6, 100.0)], columns=list("abcdef"))
    (sentence,) = clipped_features(many, Standardizer.fit(np.random.default_rng(0).normal(size=(50, 6))))
    assert sentence.startswith("6 of 6 features")
    assert sentence.endswith(" and 3 more")


def test_ranked_features_are_normal_scores_of_the_training_people():
    rng = np.random.default_rng(0)
    features = np.exp(rng.normal(size=(200, 3)))
    found = RankedStandardizer.fit(features).transform(features)
    expected = normal_scores(features.T).T
    np.testing.assert_allclose(found, expected / expected.std(axis=0), atol=1e-12)
    stretched = RankedStandardizer.fit(features**3).transform(features**3)
    np.testing.assert_allclose(stretched, found, atol=1e-12)


def test_ranked_features_with_ties_gaps_and_nothing_in_them():
    rng = np.random.default_rng(0)
    sex, constant, gaps = rng.integers(0, 2, 150).astype(float), np.full(150, 3.0), rng.normal(size=150)
    gaps[:20] = np.nan
    features = np.column_stack([sex, constant, gaps])
    found = RankedStandardizer.fit(features).transform(features)
    assert len(np.unique(found[:, 0])) == 2
    np.testing.assert_allclose(found[:, 0].std(), 1, atol=1e-9)
    np.testing.assert_array_equal(found[:, 1], 0)
    assert np.isfinite(found).all()
    assert len(np.unique(found[:20, 2])) == 1  # the median takes the place of a missing cell


def test_ranked_features_go_on_beyond_the_training_values_up_to_the_clip():
    scaler = RankedStandardizer.fit(np.linspace(-1, 1, 101)[:, None])
    inside, beyond, far = scaler.transform(np.array([[1.0], [1.2], [99.0]]))[:, 0]
    assert inside < beyond < far == scaler.clip


def test_many_people_share_knots_of_ranked_features():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3000, 2))
    scaler = RankedStandardizer.fit(features)
    assert scaler.knots.shape == (KNOTS, 2)
    expected = normal_scores(features.T).T
    inner = np.abs(expected) < 2.3
    assert np.abs(scaler.transform(features) - expected)[inner].max() < 0.06
    shared = RankedStandardizer.fit(features[:100], least=10)
    assert not np.isin(shared.knots, features).any()
    some = scaler.of(np.array([1]))
    np.testing.assert_array_equal(some.transform(features[:5, 1:]), scaler.transform(features[:5])[:, 1:])
