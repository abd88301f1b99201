"""Trees are fitted where a few hundred people show that they help, and the choice does not hang on the draw."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.transforms import NormalScores, RankedStandardizer
from brainpid.model import PIDReg
from brainpid.model.pidreg.base_learners import TrainingPeople
from brainpid.model.pidreg.normative import Products
from brainpid.model.pidreg.options import (
    EXPRESSIVE_FEWEST_PEOPLE,
    MOST_STEPS,
    checked_settings,
    chosen_recipe,
    options_of,
)
from brainpid.model.pidreg.pilot import Pilot, run_pilot


def asked(x: np.ndarray, y: np.ndarray, seed: int = 0, groups: np.ndarray | None = None) -> Pilot:
    blocks = {m: RankedStandardizer.fit(part).transform(part) for m, part in (("a", x[:, ::2]), ("b", x[:, 1::2]))}
    fold = stratified_folds(y, 10, np.random.default_rng(seed), np.arange(len(y)) if groups is None else groups)
    products = Products(blocks, fold)
    return run_pilot(TrainingPeople(blocks, y, NormalScores.fit(y), fold, np.random.SeedSequence(seed), products))


def linear(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.normal(50, 15, n)
    return (y[:, None] - 50) / 15 * rng.normal(size=20) / 3 + rng.normal(size=(n, 20)), y


def steps(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What a feature tells hangs on whether another one is positive."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 20))
    return x, 10 * np.where(x[:, 0] > 0, x[:, 1] > 0.5, x[:, 2] > -0.5) + rng.normal(0, 1.5, n)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("make", "expected"), [(linear, False), (steps, True)])
def test_trees_are_worth_it_where_features_act_in_steps(make, expected, seed):
    pilot = asked(*make(300, seed), seed)
    assert pilot.trees == expected
    assert pilot.target_transform == ("none" if expected else "normal_scores")


def test_a_fall_within_its_error_is_none():
    assert not Pilot(0.04, 0.03).trees
    assert Pilot(0.06, 0.03).trees
    assert not Pilot().trees


def test_people_who_lack_a_modality_are_left_out_and_few_are_no_fault():
    x, y = linear(60, 0)
    x[:45, 1::2] = np.nan
    blocks = {"a": x[:, ::2], "b": x[:, 1::2]}
    fold = np.arange(60) % 10
    seed, products = np.random.SeedSequence(0), Products(blocks, fold)
    assert not run_pilot(TrainingPeople(blocks, y, NormalScores.fit(y), fold, seed, products)).trees


def test_a_recipe_follows_and_its_steps_are_bounded():
    n = EXPRESSIVE_FEWEST_PEOPLE
    assert [chosen_recipe("auto", k, trees) for k, trees in ((n, True), (n - 1, True), (n, False))] == [
        "expressive", "compact", "compact"
    ]  # fmt: skip
    assert chosen_recipe("expressive", 10, False) == "expressive"
    settings = checked_settings({"random_state": 0, "share": False})
    for people in (300, 5000, 40_000, 400_000):
        options = options_of(settings, "compact", "none", people)
        batches = max(1, round(people / options["batch_size"]))
        assert options["epochs"] * batches <= max(MOST_STEPS, batches)
        assert options["target_transform"] == "none"
    given = checked_settings({"random_state": 0, "share": False, "epochs": 77})
    assert options_of(given, "compact", "none", 40_000)["epochs"] == 77


def test_features_stay_as_they_are_where_trees_are_fitted():
    x, y = steps(300, 0)
    model = PIDReg(members=4, epochs=2, hidden=(8,)).fit({"a": x[:, ::2], "b": x[:, 1::2]}, y)
    assert {"forest", "boosting"} < set(model.expert_weights_)
    assert model.feature_transform_ == "none"
    assert not isinstance(model.scalers_["a"], RankedStandardizer)
