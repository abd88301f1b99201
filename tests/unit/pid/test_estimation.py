"""Information is estimated without bias, and what cannot be estimated is refused."""

import numpy as np
import pytest
from pid_cases import GROUND_TRUTH, TRUTH, sample

from brainpid.core.errors import NumericalError
from brainpid.pid.estimation import bias_bits, information_from_data, information_from_sample_covariance


@pytest.mark.skipif(not TRUTH, reason=f"no {GROUND_TRUTH}")
def test_bias_is_exact():
    for row in TRUTH["bias_bits_exact"]["rows"]:
        assert bias_bits(row["n"], row["d"]) == pytest.approx(row["bias_bits"], abs=1e-10)


def test_bias_of_no_columns_is_zero_and_too_many_are_refused():
    assert bias_bits(100, 0) == 0.0
    with pytest.raises(NumericalError, match="n = 10 people and d = 9"):
        bias_bits(10, 9)


def test_a_person_who_alone_spans_a_direction_is_finite():
    sources, target = sample()
    sources["t1"][:, 2] = 0.0
    sources["t1"][5, 2] = 1.0
    found = information_from_data(sources, target)
    assert np.isfinite(found.influence).all()


def test_influence_predicts_what_one_person_changes():
    sources, target = sample(n=300)
    found = information_from_data(sources, target)
    person = int(np.argmax(np.abs(found.influence[:, -1])))
    without = information_from_data(
        {m: np.delete(block, person, axis=0) for m, block in sources.items()}, np.delete(target, person)
    )
    assert found.raw - without.raw == pytest.approx(found.influence[person] / 300, rel=0.15, abs=1e-4)
    assert np.abs(found.influence.mean(axis=0)).max() < 0.02


def test_sample_covariances_give_the_same_information_as_people():
    rng = np.random.default_rng(9)
    sources = {m: rng.standard_normal((4, 80, d)) for m, d in (("t1", 2), ("dwi", 3), ("fmri", 1))}
    y = sources["t1"][..., 0] + rng.standard_normal((4, 80))
    table = np.concatenate([y[..., None], *sources.values()], axis=-1)
    cov = np.stack([np.cov(one, rowvar=False) for one in table])
    found = information_from_sample_covariance(cov, {m: z.shape[-1] for m, z in sources.items()}, 80)
    np.testing.assert_allclose(found.bits, information_from_data(sources, y).bits, atol=1e-10)
    with pytest.raises(NumericalError, match="n = 12 people are too few for d = 6"):
        information_from_sample_covariance(cov, {m: z.shape[-1] for m, z in sources.items()}, 12)
