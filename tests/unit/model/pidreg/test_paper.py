"""The published recipe: one network, with fusion weights from its own latents."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainpid.core.errors import InputError
from brainpid.crossfit.folds import stratified_folds
from brainpid.model import PIDReg

torch.set_num_threads(1)
PAPER = {"recipe": "paper", "members": 4, "hidden": (16,), "latent_dim": 6, "head": (8,), "epochs": 20} | {
    "batch_size": 40,
    "learning_rate": 0.02,
}
QUICK = PAPER | {"alpha_ci": 0.0}


def cohort(n: int = 200, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """T1 and DWI know the age; noise does not, and is wide enough to fit it."""
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    X = {m: g[:, None] + rng.normal(size=(n, 5)) for m in ("t1", "dwi")} | {"noise": rng.normal(size=(n, 60))}
    return X, 50 + 15 * g


@pytest.fixture(scope="module")
def fitted():
    return PIDReg(**PAPER).fit(*cohort())


def test_it_is_one_network_and_nothing_else(fitted):
    X, y = cohort(seed=1)
    learners = fitted._fitted.base_learners
    assert list(learners) == ["network"]
    assert learners["network"].network.members == 1
    assert fitted.expert_weights_ == {"network": 1, "head": 0}
    blocks = fitted.read(X).blocks
    alone = fitted._fitted.stack.target_map.inverse_transform(learners["network"].read(blocks).together)
    np.testing.assert_allclose(fitted.predict(X), alone)
    assert np.abs(fitted.predict(X) - y).mean() < 0.7 * np.abs(y - y.mean()).mean()


def test_it_is_the_network_that_is_trained_on_everybody():
    # With equal weights nothing but a person's features joins the folds: swapped within one, they move every network
    # but that fold's, and the one that is kept is never that.
    X, y = cohort(60)
    options = QUICK | {"epochs": 1, "fusion": "equal"}
    before = PIDReg(**options).fit(X, y).predict(X)
    fold = inner_folds(y)
    for k in range(4):
        inside = np.flatnonzero(fold == k)
        swapped = {m: block.copy() for m, block in X.items()}
        for block in swapped.values():
            block[inside] = block[inside[::-1]]
        assert (PIDReg(**options).fit(swapped, y).predict(X) != before).all()


def test_its_weights_come_from_its_latents(fitted):
    weights = fitted.fusion_weights_
    assert sum(weights.values()) + fitted.synergy_weight_ == pytest.approx(1)
    assert weights["noise"] < 0.05
    assert min(weights["t1"], weights["dwi"]) > 0.2
    X, y = cohort()
    ridge = PIDReg(**QUICK | {"fusion": "pid", "epochs": 1}).fit(X, y).fusion_weights_
    assert all(abs(ridge[m] - weights[m]) > 1e-4 for m in ("t1", "dwi"))


def test_weights_are_read_five_times_and_stay_from_half_of_the_epochs_on(fitted):
    course = [record["weight_t1"] for record in fitted.history()]
    assert course[0] == pytest.approx(1 / 3)
    changes = [epoch + 1 for epoch in range(1, 20) if course[epoch] != course[epoch - 1]]
    assert changes == [2, 4, 6, 8, 10]


def test_it_repeats_itself_and_comes_back_from_disk(fitted, tmp_path):
    X, _ = cohort(seed=1)
    short = [PIDReg(**PAPER | {"epochs": 2}).fit(*cohort()).predict(X) for _ in range(2)]
    np.testing.assert_array_equal(*short)
    fitted.save(tmp_path)
    loaded = PIDReg.load(tmp_path)
    assert loaded.get_params() == fitted.get_params()
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(loaded.predict_interval(X), fitted.predict_interval(X))
    assert loaded.fusion_weights_ == fitted.fusion_weights_


def inner_folds(y: np.ndarray) -> np.ndarray:
    return stratified_folds(y, 4, np.random.default_rng(np.random.SeedSequence(0).spawn(1)[0]), np.arange(len(y)))


def test_the_targets_of_a_fold_have_no_part_in_what_is_predicted_of_it():
    # Targets are exchanged within the fold, so that folds and ranks stay.
    X, y = cohort(60)
    options = QUICK | {"epochs": 5}
    model, inside = PIDReg(**options).fit(X, y), np.flatnonzero(inner_folds(y) == 1)
    swapped = y.copy()
    swapped[inside] = y[inside[::-1]]
    again = PIDReg(**options).fit(X, swapped)
    same = again.out_of_fold_prediction_ == model.out_of_fold_prediction_
    np.testing.assert_array_equal(same, np.isin(np.arange(60), inside))


def test_what_its_features_do_is_read_from_the_one_network(fitted):
    X, _ = cohort(30, seed=2)
    columns = np.array([0, 3])
    moved = {m: block.copy() for m, block in X.items()}
    moved["t1"][:, columns] += 1.5
    found = fitted.vary(X, "t1")(columns, X["t1"][None, :, columns] + 1.5)[0]
    np.testing.assert_allclose(found, fitted.predict(moved), atol=1e-4)
    straight = PIDReg(**QUICK | {"target_transform": "none", "epochs": 5}).fit(*cohort())  # a map without kinks
    each = np.subtract(
        *straight.vary(X, "t1").each(columns, np.stack([X["t1"][:, columns] + k for k in (0.01, -0.01)]))
    )
    up, down = ({m: block.copy() for m, block in X.items()} for _ in range(2))
    up["t1"][:, 3] += 0.01
    down["t1"][:, 3] -= 0.01
    expected = straight.predict(up) - straight.predict(down)
    assert np.abs(each[:, 1] - expected).max() < 0.02 * np.abs(expected).max()


def test_people_who_lack_a_modality_are_predicted_by_the_heads():
    X, y = cohort()
    X["dwi"][:60] = np.nan
    model = PIDReg(**QUICK).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.out_of_fold_prediction_).all()
    new, target = cohort(1000, seed=3)
    assert np.abs(model.predict({"t1": new["t1"]}) - target).mean() < 0.7 * np.abs(target - 50).mean()


def test_too_few_to_read_the_weights_from_are_refused():
    X, y = cohort(24)
    with pytest.raises(InputError, match=r"6 people .* to read the weights of 3 modalities .* expected at least 8"):
        PIDReg(**PAPER).fit(X, y)
    with pytest.raises(InputError, match=r"expected at least 3 inner folds.*found 2"):
        PIDReg(**PAPER).fit(*cohort(60), groups=np.arange(60) % 2)
