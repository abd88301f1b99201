"""Fusion weights rest on predictions of people whose relatives were left out as well."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import InputError
from brainpid.crossfit.transforms import normal_scores
from brainpid.model import PIDReg
from brainpid.model.pidreg.fusion import fusion, ridge_fusion_weights


def families(n: int = 120, size: int = 4) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """T1 tells a little about the target; DWI tells who is related to whom, and relatives are of one age."""
    rng = np.random.default_rng(0)
    y, group = np.repeat(rng.normal(size=n), size), np.repeat(np.arange(n), size)
    own = np.repeat(rng.normal(size=(n, 80)), size, axis=0)
    blocks = {"t1": 0.6 * y[:, None] + rng.normal(size=(len(y), 1)), "dwi": own + 0.1 * rng.normal(size=own.shape)}
    return blocks, y, group


def test_a_modality_that_knows_relatives_alone_gets_no_weight():
    blocks, y, group = families()
    scores = normal_scores(y)
    apart = ridge_fusion_weights(blocks, scores, np.random.default_rng(0), group)
    together = ridge_fusion_weights(blocks, scores, np.random.default_rng(0))
    assert apart.modalities["dwi"] < 0.15 < 0.5 < together.modalities["dwi"]


def test_the_estimator_hands_its_groups_on():
    blocks, y, group = families()
    model = PIDReg(members=4, epochs=1, hidden=(4,), experts=())
    assert model.fit(blocks, y, group).fusion_weights_["dwi"] < 0.15
    assert model.fit(blocks, y).fusion_weights_["dwi"] > 0.5


def test_people_without_groups_are_groups_of_their_own():
    blocks, y, _ = families()
    scores = normal_scores(y)
    found = [ridge_fusion_weights(blocks, scores, np.random.default_rng(0), own) for own in (None, np.arange(len(y)))]
    assert found[0] == found[1]


def test_equal_weights_ask_nobody():
    blocks, y, group = families()
    weights = fusion(blocks, normal_scores(y), "equal", np.random.default_rng(0), group)
    assert (weights.modalities, weights.synergy) == ({"t1": 0.5, "dwi": 0.5}, 0.0)
    with pytest.raises(InputError, match="at least 2 groups, found 1"):
        fusion(blocks, normal_scores(y), "pid", np.random.default_rng(0), np.zeros(len(y)))
