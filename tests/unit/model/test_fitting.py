"""One way to fit a model by name, whoever asks for it."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import InputError
from brainpid.model.age_bias import AgeBias
from brainpid.model.baselines.linear import Ridge
from brainpid.model.fitting import fit_model

QUICK = {"members": 2, "epochs": 2, "hidden": (4,), "recipe": "compact", "experts": ("normative",)}


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
    assert set(found.biases.known) == {"t1", "dwi", "t1+dwi"}
    assert found.biases.known["t1+dwi"] == AgeBias.fit(by_hand.out_of_fold_prediction_, y)
    assert found.biases.known["t1"] == AgeBias.fit(by_hand.out_of_fold_subsets_["t1",], y)
    assert found.biases.new_sites == {}


@pytest.mark.parametrize("model", [("ridge", {"alphas": 5}), ("pidreg", QUICK)], ids=lambda model: model[0])
def test_sites_that_are_left_out_give_lines_of_people_of_new_sites(model):
    """And change nothing else."""
    X, y = cohort(90)
    site = np.repeat(["a", "b", "c"], 30).astype(object)
    X["t1"][site == "b"] += 2.0
    X["dwi"][::9] = np.nan
    without, found = (fit_model(*model, X, y, None, 0, sites) for sites in (None, site))
    assert found.biases.known == without.biases.known
    assert without.biases.new_sites == {}
    assert set(found.biases.new_sites) == {"t1", "dwi", "t1+dwi"}
    left, inside = found.model.left_out_subsets_["t1", "dwi"], found.model.out_of_fold_subsets_["t1", "dwi"]
    assert np.isnan(left).tolist() == np.isnan(X["dwi"][:, 0]).tolist()
    both, known = (left + inside) / 2, ~np.isnan(left)
    assert found.biases.new_sites["t1+dwi"] == AgeBias.fit(both[known], y[known])
    # Site b alone has what tells it apart: others do not predict its people as they do their own.
    assert np.abs(left - y)[known & (site == "b")].mean() > np.abs(inside - y)[known & (site == "b")].mean()


def test_predictions_that_do_not_depend_on_age_are_said(caplog):
    fit_model("mean", {}, *cohort(), groups=None, seed=0)
    assert "the age-bias correction is not defined" in caplog.text


def test_an_unknown_option_names_the_model():
    with pytest.raises(InputError, match=r"hyperparameters of ridge: .*'alpha'"):
        fit_model("ridge", {"alpha": 5}, *cohort(), groups=None, seed=0)
