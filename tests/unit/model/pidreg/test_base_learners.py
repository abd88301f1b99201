"""Gaussian processes, forests and the weights that join them are what their formulas say."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_learners import base_learners_for, fit_base_learner


def people(n: int = 80, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    return {"a": np.tanh(g)[:, None] + rng.normal(size=(n, 3)), "b": g[:, None] + rng.normal(size=(n, 2))}, g


@pytest.mark.parametrize("name", ["normative", "kernel", "forest", "boosting"])
def test_an_expert_reads_nothing_from_what_is_missing(name):
    blocks, g = people()
    blocks["a"][::3] = np.nan
    expert, left_out = fit_base_learner(
        name, blocks, g, NormalScores.fit(g), np.arange(80) % 4, np.random.SeedSequence(0)
    )
    lacking = np.isnan(blocks["a"]).any(1)
    for reading in (left_out, expert.read(blocks)):
        np.testing.assert_array_equal(np.isnan(reading.together), lacking)
        np.testing.assert_array_equal(np.isnan(reading.alone), np.column_stack([lacking, np.zeros(80, bool)]))
    own = ~lacking
    assert np.corrcoef(left_out.together[own], g[own])[0, 1] > 0.5


def test_experts_suit_the_number_of_people():
    assert base_learners_for(300, ("auto",)) == ("normative", "kernel")
    assert base_learners_for(1500, ("auto",)) == ("normative", "kernel", "forest", "boosting")
    assert base_learners_for(5000, ("auto",)) == ("normative", "forest", "boosting")
    assert base_learners_for(300, ("forest",)) == ("forest",)
    assert base_learners_for(300, ()) == ()
