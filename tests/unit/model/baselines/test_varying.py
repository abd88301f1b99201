"""Every baseline tells of changed columns what reading changed people gives, and its slopes are those of its scores."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor
from sklearn.tree import DecisionTreeRegressor

from brainpid.model.baselines.varying import vary_scores
from brainpid.model.registry import MODELS
from brainpid.model.varying import WholeReads

RNG = np.random.default_rng(0)
N = 80
AGE = RNG.uniform(20, 80, N)
X = {
    "t1": np.column_stack([AGE[:, None] / 20 + RNG.normal(size=(N, 5)), np.ones(N)]),
    "dwi": AGE[:, None] / 30 + RNG.normal(size=(N, 4)),
}
QUICK = {
    "random_forest": {"trees": 9},
    "gradient_boosting": {"max_iter": 20, "max_leaf_nodes": (4,)},
    "mlp": {"members": 2, "epochs": 10, "alphas": (1.0,)},
    "svr": {"widths": (0.3,), "costs": (3.0,)},
    "stacking": {"experts": ("ridge", "svr"), "target_transform": "none"},
}
EXACT = {"ridge", "elastic_net", "gradient_boosting", "random_forest", "mean"}


@pytest.mark.parametrize("name", [name for name in MODELS if name != "pidreg"])
def test_changed_columns_give_what_changed_people_give(name):
    model = MODELS[name].load_class()(**QUICK.get(name, {})).fit(X, AGE)
    people = {m: block[:20].copy() for m, block in X.items()}
    people["dwi"][:5] = np.nan  # lacks a modality
    people["t1"][7, 2] = np.nan  # lacks a cell
    varying, whole = model.vary(people, "t1"), WholeReads(model.predict, people, "t1")
    assert varying.exact == (name in EXACT)
    columns = np.array([4, 1, 5])
    values = np.stack([people["t1"][RNG.permutation(20)], people["t1"] + 1.0])[..., columns]
    values[0, 3, 0] = np.nan
    found = varying(columns, values)
    assert name == "mean" or np.ptp(found, axis=0).max() > 1e-3
    np.testing.assert_allclose(found, whole(columns, values), rtol=1e-8)
    if varying.exact:
        np.testing.assert_allclose(varying.each(columns, values), whole.each(columns, values), atol=1e-8)
        return
    close = np.stack([people["t1"] + 1e-5, people["t1"] - 1e-5])[..., columns]
    slopes, expected = (np.subtract(*asked.each(columns, close)) for asked in (varying, whole))
    np.testing.assert_allclose(slopes, expected, rtol=1e-3, atol=1e-8)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "logistic"])
def test_slopes_of_a_perceptron_with_two_hidden_layers(activation):
    rows = RNG.normal(size=(30, 4))
    fitted = MLPRegressor(hidden_layer_sizes=(5, 3), activation=activation, max_iter=400, random_state=0).fit(
        rows, rows[:, 0]
    )
    slopes = vary_scores(fitted, rows, 1, 2).additive().slopes
    for j in range(2):
        step = 1e-6 * np.eye(4)[1 + j]
        expected = (fitted.predict(rows + step) - fitted.predict(rows - step)) / 2e-6
        np.testing.assert_allclose(slopes[:, j], expected, atol=1e-6)


def test_a_regressor_of_unknown_form_is_said():
    rows = RNG.normal(size=(30, 4))
    with pytest.raises(TypeError, match="DecisionTreeRegressor"):
        vary_scores(DecisionTreeRegressor().fit(rows, rows[:, 0]), rows, 0, 4)
