"""People who stand for a reference, and parts of it for which nobody stands."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.cohort.reference_ages import even_ages
from brainpid.core.errors import InputError
from brainpid.evaluation.reference_weights import refuse_no_cohort, weights_for


def test_weights_make_ages_those_of_the_reference():
    rng = np.random.default_rng(0)
    own = rng.normal(40, 12, 4000)
    found = weights_for(own, rng.normal(45, 6, 3000), "years")
    assert np.average(own, weights=found.weights) == pytest.approx(45, abs=0.5)
    assert np.sqrt(np.cov(own, aweights=found.weights)) == pytest.approx(6, abs=0.6)
    assert found.n_effective == pytest.approx(found.weights.sum() ** 2 / np.sum(found.weights**2))
    assert found.n_effective < found.n < 4000
    alike = weights_for(own, own, "years")
    np.testing.assert_allclose(alike.weights, 1, atol=0.01)
    assert alike.n_effective == pytest.approx(4000, rel=1e-4)


def test_a_part_of_the_range_without_people_is_named():
    own = np.concatenate([np.linspace(18, 40, 150), np.linspace(61, 90, 150)])
    found = weights_for(own, even_ages(18, 90), "years")
    assert found.reason == "nobody with every modality is of 42 to 54 years, which the reference has"
    assert not found.weights.any()
    young = weights_for(np.linspace(18, 30, 200), even_ages(18, 90), "years")
    assert young.reason == "nobody with every modality is of 30 to 90 years, which the reference has"
    few = weights_for(np.linspace(20, 80, 6), even_ages(18, 90), "years")
    assert few.reason == "6 people within the reference stand for 6.0 of equal weight; expected at least 10"


def test_a_reference_of_one_value_is_refused():
    with pytest.raises(InputError, match="two different values or more"):
        weights_for([1.0, 2.0], [5.0, 5.0], "years")


def test_a_reference_that_no_cohort_has_is_refused():
    refuse_no_cohort({"a": "few", "b": ""})
    with pytest.raises(InputError, match="no cohort has the targets of the reference \\(a: few; b: none\\)"):
        refuse_no_cohort({"a": "few", "b": "none"})
