"""How many people each step needs; who can be decomposed."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.crossfit import minima

MODALITIES = ["t1", "dwi"]


def test_the_numbers_that_later_steps_hold_to():
    assert minima.fewest_of_baseline() == 10
    assert [minima.fewest_of_ensemble(*own) for own in ((10, 2), (2, 2), (2, 3), (10, 9))] == [20, 5, 8, 23]
    assert minima.fewest_to_relate(2) == 4
    assert [minima.folds_read(folds) for folds in (3, 5, 7, 8, 10)] == [1, 1, 1, 2, 2]
    assert [minima.fewest_of_own_weights(10, 2), minima.fewest_of_own_weights(3, 3)] == [30, 24]
    assert [minima.fewest_of_latents(d) for d in (1, 2, 3)] == [3, 5, 8]
    assert [minima.fewest_of_interval(coverage) for coverage in (0.5, 0.8, 0.9, 0.95, 0.99)] == [1, 4, 9, 19, 99]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ([], "n = 0 people who take part have every modality, which is too few to decompose d = 2 latents"),
        ([60, 61, 62, 63], r"expected at least 2.5 people a modality, that is 5"),
        ([73.0] * 40, "all 40 people who take part with every modality have the same target, 73"),
        ([73, 73, 73, 73, 74], ""),
    ],
)
def test_why_a_cohort_cannot_be_decomposed(target, reason):
    found = minima.why_not_decomposed(np.array(target, dtype=float), MODALITIES)
    assert reason in found
    assert bool(found) == bool(reason)


def test_a_null_needs_two_people_a_fold_besides():
    assert minima.why_no_null(np.arange(9.0), MODALITIES, 5).endswith("5 folds of the null; expected at least 10")
    assert minima.why_no_null(np.arange(10.0), MODALITIES, 5) == ""
    assert "the same target, 7" in minima.why_no_null(np.full(10, 7.0), MODALITIES, 5)


def test_a_null_needs_groups_that_can_be_exchanged():
    target = np.arange(12.0)
    assert minima.why_no_null(target, MODALITIES, 5, np.arange(12) // 2) == ""
    reason = minima.why_no_null(target, MODALITIES, 5, np.repeat([0, 1, 2], [3, 4, 5]))
    assert "12 people with every modality are of 3 group(s), of which no two have the same size" in reason
    assert minima.why_no_null(np.repeat([1.0, 2, 3], [3, 4, 5]), MODALITIES, 5, np.repeat([0, 1, 2], [3, 4, 5])) == ""
