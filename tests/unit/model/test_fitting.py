"""One way to fit a model by name, whoever asks for it."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import InputError
from brainpid.model.age_bias import AgeBias
from brainpid.model.baselines.linear import Ridge
from brainpid.model.fitting import fit_model


def cohort(n: int = 40) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(0)
    g = rng.normal(size=n)
    return {m: g[:, None] + rng.normal(size=(n, 3)) for m in ("t1", "dwi")}, 50 + 15 * g


def test_it_is_the_model_with_its_seed_and_its_bias():
    X, y = cohort()
    groups = np.arange(40) // 2
    found = fit_model("ridge", {"alphas": 5}, X, y, groups, seed=3)
    by_hand = Ridge(alphas=5, random_state=3).fit(X, y, groups)
    np.testing.assert_array_equal(found.model.predict(X), by_hand.predict(X))
    assert (found.name, found.seed, found.n) == ("ridge", 3, 40)
    assert set(found.biases) == {"t1", "dwi", "t1+dwi"}
    assert found.biases["t1+dwi"] == AgeBias.fit(by_hand.out_of_fold_prediction_, y)
    assert found.biases["t1"] == AgeBias.fit(by_hand.out_of_fold_subsets_["t1",], y)


def test_predictions_that_do_not_depend_on_age_are_said(caplog):
    fit_model("mean", {}, *cohort(), groups=None, seed=0)
    assert "the age-bias correction is not defined" in caplog.text


def test_an_unknown_option_names_the_model():
    with pytest.raises(InputError, match=r"hyperparameters of ridge: .*'alpha'"):
        fit_model("ridge", {"alpha": 5}, *cohort(), groups=None, seed=0)
