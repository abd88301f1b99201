"""The normative model says what Bayes' rule says, and what does not matter to it does not change it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import multivariate_normal, ortho_group

from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.normative import DEGREE, SCORE_DEGREE, SHRINKAGES, NormativeModel, Products


def people(n: int = 120, p: int = 5, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 80, n)
    t = (age - 50) / 17
    curves = np.column_stack([t, t**2, t**3, -t, np.zeros(n)])[:, :p]
    return {"a": curves[:, :2] + rng.normal(size=(n, 2)), "b": curves[:, 2:] + rng.normal(size=(n, p - 2))}, age


def fitted(blocks: dict[str, np.ndarray], age: np.ndarray, folds: int = 5) -> tuple[NormativeModel, np.ndarray]:
    return NormativeModel.fit(blocks, age, NormalScores.fit(age), np.arange(len(age)) % folds)


def by_bayes_rule(
    blocks: dict[str, np.ndarray],
    age: np.ndarray,
    target_map: NormalScores,
    shrinkage: float,
    new: dict[str, np.ndarray],
) -> np.ndarray:
    """Posterior mean scores with every density written out."""
    x = np.hstack(list(blocks.values()))
    curve = np.polynomial.Polynomial.fit
    fits = [curve(age, column, DEGREE) for column in x.T]
    residuals = x - np.column_stack([fit(age) for fit in fits])
    scatter = residuals.T @ residuals / (len(age) - DEGREE - 1)
    covariance = (1 - shrinkage) * scatter + shrinkage * np.trace(scatter) / x.shape[1] * np.eye(x.shape[1])
    quantiles = np.quantile(age, (np.arange(200) + 0.5) / 200)
    means = np.column_stack([fit(quantiles) for fit in fits])
    rows = np.hstack(list(new.values()))
    log_density = np.column_stack([multivariate_normal(mean, covariance).logpdf(rows) for mean in means])
    return softmax(log_density, axis=1) @ target_map.transform(quantiles)


def test_a_prediction_is_the_posterior_mean():
    blocks, age = people()
    model, _ = fitted(blocks, age)
    new, _ = people(30, seed=1)
    expected = by_bayes_rule(blocks, age, NormalScores.fit(age), model.shrinkage, new)
    np.testing.assert_allclose(model.predict(new), expected, atol=1e-9)


def test_left_out_people_are_predicted_without_them():
    blocks, age = people()
    model, left_out = fitted(blocks, age)
    for k in range(5):
        inside = np.arange(120) % 5 == k
        training, rest = ({m: block[rows] for m, block in blocks.items()} for rows in (~inside, inside))
        expected = by_bayes_rule(training, age[~inside], NormalScores.fit(age), model.shrinkage, rest)
        np.testing.assert_allclose(left_out[inside], expected, atol=1e-9)


def test_the_shrinkage_is_the_best_on_left_out_people():
    blocks, age = people()
    model, _ = fitted(blocks, age)
    target_map = NormalScores.fit(age)
    errors = {}
    for shrinkage in SHRINKAGES:
        of_folds = []
        for k in range(5):
            inside = np.arange(120) % 5 == k
            training, rest = ({m: block[rows] for m, block in blocks.items()} for rows in (~inside, inside))
            of_folds.append(
                by_bayes_rule(training, age[~inside], target_map, shrinkage, rest) - target_map.transform(age[inside])
            )
        errors[shrinkage] = np.mean(np.concatenate(of_folds) ** 2)
    assert model.shrinkage == min(errors, key=errors.__getitem__)


def test_a_rotation_of_the_features_changes_nothing():
    blocks, age = people()
    model, left_out = fitted(blocks, age)
    turn = ortho_group.rvs(5, random_state=0)
    turned = {"all": np.hstack(list(blocks.values())) @ turn}
    again, left_out_again = fitted(turned, age)
    np.testing.assert_allclose(again.predict(turned), model.predict(blocks), atol=1e-9)
    np.testing.assert_allclose(left_out_again, left_out, atol=1e-9)


def test_the_unit_of_the_target_does_not_matter():
    blocks, age = people()
    np.testing.assert_allclose(fitted(blocks, age * 12)[0].predict(blocks), fitted(blocks, age)[0].predict(blocks))


def test_curved_features_are_read_where_no_straight_line_reads_them():
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, 600)
    # Distance from middle age, and a hint of the side.
    t = (age - 50) / 17
    blocks = {"a": np.column_stack([t**2 + 0.2 * rng.normal(size=600), np.sign(t) + rng.normal(size=600)])}
    target_map = NormalScores.fit(age)
    _, left_out = NormativeModel.fit(blocks, age, target_map, np.arange(600) % 10)
    goal = target_map.transform(age)
    design = np.column_stack([np.ones(600), blocks["a"]])
    straight = goal - design @ np.linalg.lstsq(design, goal, rcond=None)[0]
    assert np.mean((left_out - goal) ** 2) < 0.8 * np.mean(straight**2)


@pytest.mark.parametrize(("n", "p"), [(8, 40), (25, 3), (60, 400)])
def test_few_people_or_many_features(n, p):
    rng = np.random.default_rng(2)
    age = rng.uniform(20, 80, n)
    blocks = {"a": age[:, None] / 20 + rng.normal(size=(n, p)), "b": np.zeros((n, 1))}
    model, left_out = fitted(blocks, age, folds=4)
    assert model.basis.shape[1] - 1 == {8: 1, 25: 1, 60: 3}[n]
    assert np.isfinite(left_out).all()
    assert np.corrcoef(left_out, age)[0, 1] > 0.5


def test_features_that_follow_the_target_exactly_are_no_division_by_zero():
    age = np.linspace(20, 80, 60)
    model, left_out = fitted({"a": (age[:, None] - 50) / 17}, age)
    inner = slice(2, -2)  # what is beyond the training people's ages is drawn to them
    np.testing.assert_allclose(left_out[inner], NormalScores.fit(age).transform(age)[inner], atol=0.05)
    assert np.isfinite(model.predict({"a": np.array([[100.0]])})).all()


def test_more_features_than_people_give_what_the_formula_says():
    """There the products are of people with people."""
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, 60)
    blocks = {m: (age[:, None] - 50) / 30 + rng.normal(size=(60, 50)) for m in ("a", "b")}
    new = {m: rng.normal(size=(10, 50)) for m in ("a", "b")}
    model, _ = fitted(blocks, age)
    expected = by_bayes_rule(blocks, age, NormalScores.fit(age), model.shrinkage, new)
    np.testing.assert_allclose(model.predict(new), expected, atol=1e-8)


def test_curves_of_the_score_are_those_of_a_target_that_is_its_own_score():
    blocks, age = people()
    target_map = NormalScores.fit(age)
    scores = target_map.transform(age)
    fold = np.arange(120) % 5
    of_scores, left_out = NormativeModel.fit(blocks, age, target_map, fold, of_scores=True)
    assert of_scores.basis.shape[1] == SCORE_DEGREE + 1
    np.testing.assert_allclose(of_scores.basis[:, 1], of_scores.scores, atol=1e-12)
    assert np.corrcoef(left_out, scores)[0, 1] > 0.6


@pytest.mark.parametrize("p", [10, 200])
def test_products_of_modalities_are_those_of_their_features_side_by_side(p):
    rng = np.random.default_rng(0)
    blocks, fold = {m: rng.normal(size=(50, p)) for m in ("a", "b", "c")}, np.arange(50) % 5
    products = Products(blocks, fold)
    for chosen in (("a", "b", "c"), ("b",), ("a", "c"), ("c", "a")):
        features = np.column_stack([blocks[m] for m in chosen])
        own, people_in = products.of(chosen), fold != 2
        whole = features[people_in]
        assert own.dual == (features.shape[1] > 50)
        np.testing.assert_allclose(own.of(people_in), whole @ whole.T if own.dual else whole.T @ whole, atol=1e-9)


@pytest.mark.parametrize("n", [60, 30])
def test_at_new_sites_the_covariance_of_site_means_is_added_to_the_scatter(n):
    """Weights with everything written out, by products of features and, where these are more than people, of people."""
    rng, p = np.random.default_rng(0), 40
    age, site = rng.uniform(20, 80, n), np.arange(n) % 6
    x = rng.normal(size=(n, p)) + 2 * rng.normal(size=(6, p))[site] + np.outer(age / 20, np.ones(p))
    target_map, fold = NormalScores.fit(age), site % 3
    model, left_out = NormativeModel.fit({"a": x}, age, target_map, fold)
    new, at_new = model.at_new_sites({"a": x}, age, target_map, fold, site)

    def weights(rows):
        t = (age[rows] - age[rows].mean()) / age[rows].std()
        design = np.vander(t, min(len(t) // 10, 4), increasing=True)
        if design.shape[1] < 2:
            design = np.vander(t, 2, increasing=True)
        curves = np.linalg.lstsq(design, x[rows], rcond=None)[0]
        residuals, own = x[rows] - design @ curves, site[rows]
        scatter = residuals.T @ residuals / (len(t) - design.shape[1])
        between = np.zeros((p, p))
        for s in np.unique(own):
            mean, m = residuals[own == s].mean(axis=0), (own == s).sum()
            between += 10 * m / (m + 10) * np.outer(mean, mean) / len(np.unique(own))
        s = model.shrinkage
        sigma = (1 - s) * (scatter + between) + s * np.trace(scatter) / p * np.eye(p)
        return curves @ np.linalg.inv(sigma)

    np.testing.assert_allclose(new.weights, weights(np.ones(n, dtype=bool)), atol=1e-7)
    rows = fold != 0
    part, _ = model.at_new_sites({"a": x[rows]}, age[rows], target_map, fold[rows], site[rows])
    np.testing.assert_allclose(part.predict({"a": x[~rows]}), at_new[~rows], atol=1e-7)
    assert np.abs(at_new - left_out).max() > 0.01


def test_a_direction_in_which_sites_differ_counts_less_at_new_sites():
    rng, n = np.random.default_rng(1), 300
    age, site = rng.uniform(20, 80, n), np.arange(n) % 10
    signal = (age - 50)[:, None] / 17
    shift = rng.normal(size=10)[site]
    x = signal + rng.normal(size=(n, 2)) * 0.7
    x[:, 0] += shift
    target_map = NormalScores.fit(age)
    model, _ = NormativeModel.fit({"a": x}, age, target_map, site % 5)
    new, _ = model.at_new_sites({"a": x}, age, target_map, site % 5, site)
    one, other = model.weights[1], new.weights[1]
    assert one[0] / one[1] > 0.25
    assert other[0] / other[1] < 0.12
