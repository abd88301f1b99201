"""The weights that join base learners, and the head of a subset."""

from __future__ import annotations

import numpy as np

from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_predictions import BasePredictions
from brainpid.model.pidreg.stacking import Stack, equal_drawn_weights


def test_weights_favour_the_better_reading_and_share_between_equals():
    rng = np.random.default_rng(0)
    g = rng.normal(size=2000)
    good, bad = g + 0.3 * rng.normal(size=2000), g + 3 * rng.normal(size=2000)
    weights = equal_drawn_weights(np.column_stack([good, bad]), g)
    assert weights[0] > 0.7
    assert 0 <= weights[1] < 0.1
    np.testing.assert_allclose(equal_drawn_weights(np.column_stack([g, g]), g), 0.5, atol=1e-6)


def test_the_head_of_a_subset_is_the_full_head_after_filling_in_the_conditional_mean():
    rng = np.random.default_rng(1)
    g = rng.normal(size=500)
    alone = g[:, None] + rng.normal(size=(500, 3)) @ np.array([[1, 0.4, 0], [0, 1, 0.3], [0, 0, 1]])
    not_read = np.full((500, 3), np.nan)
    told = np.column_stack([alone, not_read, g + rng.normal(size=500)])
    found = Stack.fit([BasePredictions(told)], g, NormalScores.straight(g))
    latents = found.latents([BasePredictions(told)])
    pattern = np.array([True, False, True])
    mean, covariance = found.mean[1:], found.covariance[1:, 1:]
    slope = covariance[1, [0, 2]] @ np.linalg.inv(covariance[np.ix_([0, 2], [0, 2])])
    filled = latents.copy()
    filled[:, 1] = mean[1] + (latents[:, [0, 2]] - mean[[0, 2]]) @ slope
    np.testing.assert_allclose(found.head(latents, pattern), found.head(filled, np.ones(3, bool)), atol=1e-9)
