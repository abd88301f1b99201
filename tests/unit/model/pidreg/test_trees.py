"""Trees of arrays are those of the libraries that grew them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor

from brainpid.model.boosting import boosted_trees
from brainpid.model.pidreg import trees
from brainpid.model.pidreg.trees import BOOSTING, RANDOMISED, Trees


def people(n: int = 80, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    return {"a": np.tanh(g)[:, None] + rng.normal(size=(n, 3)), "b": g[:, None] + rng.normal(size=(n, 2))}, g


def table(blocks: dict[str, np.ndarray]) -> np.ndarray:
    return np.column_stack(list(blocks.values())).astype(np.float32).astype(float)


def test_a_forest_of_arrays_is_that_of_scikit_learn():
    (blocks, g), (new, _) = people(300), people(50, 1)
    reference = ExtraTreesRegressor(**RANDOMISED, random_state=3).fit(table(blocks), g)
    np.testing.assert_allclose(Trees.randomised(blocks, g, 3).predict(new), reference.predict(table(new)), rtol=1e-10)


def test_boosted_trees_of_arrays_are_those_of_lightgbm():
    (blocks, g), (new, _) = people(300), people(50, 1)
    trees = Trees.boosted(blocks, g, 3)
    reference = boosted_trees(table(blocks), g, **BOOSTING, fewest=15, seed=3)
    np.testing.assert_allclose(trees.predict(new), reference.predict(table(new)), rtol=1e-10, atol=1e-12)
    assert np.corrcoef(trees.predict(new), new["b"].mean(axis=1))[0, 1] > 0.5


def test_the_same_seed_gives_the_same_trees_and_changes_are_taken():
    blocks, g = people(300)
    first, second = (Trees.boosted(blocks, g, 3, trees=5) for _ in range(2))
    np.testing.assert_array_equal(first.value, second.value)
    assert len(first.root) == 5


def test_leaves_hold_a_twentieth_of_the_people_and_too_few_people_get_their_mean():
    blocks, g = people(30)
    assert Trees.boosted(blocks, g, 3).depth > 0
    np.testing.assert_allclose(Trees.boosted(blocks, g, 3, fewest=16).predict(blocks), g.mean(), atol=1e-9)


@pytest.mark.parametrize(("width", "part", "of_a_node"), [(100, 0.6, 0.33), (10_000, 0.1, 0.033)])
def test_trees_see_a_bounded_number_of_features(monkeypatch, width, part, of_a_node):
    seen = {}
    monkeypatch.setattr(trees, "boosted_trees", lambda table, scores, **options: seen.update(options) or 1 / 0)
    monkeypatch.setattr(trees, "ExtraTreesRegressor", lambda **options: seen.update(options) or 1 / 0)
    for grow in (trees.Trees.boosted, trees.Trees.randomised):
        with pytest.raises(ZeroDivisionError):
            grow({"x": np.zeros((30, width))}, np.zeros(30), 0)
    assert seen["part"] == pytest.approx(part)
    assert seen["max_features"] == pytest.approx(of_a_node)
