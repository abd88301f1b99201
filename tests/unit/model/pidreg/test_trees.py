"""Trees of arrays are those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor

from brainpid.model.pidreg.trees import BOOSTING, RANDOMISED, Trees


def people(n: int = 80, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    return {"a": np.tanh(g)[:, None] + rng.normal(size=(n, 3)), "b": g[:, None] + rng.normal(size=(n, 2))}, g


@pytest.mark.parametrize(
    ("grow", "reference"),
    [
        (Trees.randomised, ExtraTreesRegressor(**RANDOMISED, random_state=3)),
        (Trees.boosted, HistGradientBoostingRegressor(**BOOSTING, random_state=3)),
    ],
)
def test_trees_of_arrays_are_those_of_scikit_learn(grow, reference):
    blocks, g = people(300)
    table, new = (
        np.column_stack(list(b.values())).astype(np.float32).astype(float) for b in (blocks, people(50, 1)[0])
    )
    trees = grow({"all": table}, g, 3)
    np.testing.assert_allclose(trees.predict({"all": new}), reference.fit(table, g).predict(new), rtol=1e-10)
