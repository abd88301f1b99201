"""PIDReg learns, repeats itself, sees nothing of held-out rows, and says what is wrong."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from brainpid.crossfit import stratified_folds
from brainpid.errors import InputError, NumericalError
from brainpid.fitted_ensemble import run_network
from brainpid.model import PIDReg
from brainpid.networks import Architecture, Ensemble, MemberRandom
from brainpid.training import Recipe, train

torch.set_num_threads(1)
SMALL = {"latent_dim": 4, "hidden": (8,), "members": 4, "epochs": 40, "batch_size": 64} | {
    "learning_rate": 0.02,  # few people, hence few steps
    "input_dropout": 0.1,
}


def cohort(n: int = 160, seed: int = 0, modalities: tuple[str, ...] = ("t1", "dwi")) -> tuple[dict, np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    X = {m: (1 - 0.3 * k) * g[:, None] + rng.normal(size=(n, 5 + k)) for k, m in enumerate(modalities)}
    return X, 50 + 15 * g


@pytest.fixture(scope="module")
def fitted():
    return PIDReg(**SMALL).fit(*cohort())


@pytest.mark.parametrize("modalities", [("t1", "dwi"), ("t1", "dwi", "fmri", "asl")])
def test_it_learns_from_any_number_of_modalities(modalities):
    model = PIDReg(**SMALL).fit(*cohort(modalities=modalities))
    X, y = cohort(seed=1, modalities=modalities)
    assert np.abs(model.predict(X) - y).mean() < 0.6 * np.abs(y - y.mean()).mean()
    assert sum(model.fusion_weights_.values()) + model.synergy_weight_ == pytest.approx(1)
    assert model.fusion_weights_["t1"] == max(model.fusion_weights_.values())


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(fitted):
    X, y = cohort()
    again, other = PIDReg(**SMALL).fit(X, y), PIDReg(**SMALL, random_state=1).fit(X, y)
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert not np.array_equal(other.predict(X), fitted.predict(X))


def test_fitting_leaves_the_global_generators_alone():
    state = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    PIDReg(**SMALL | {"epochs": 1}).fit(*cohort())
    assert torch.equal(torch.random.get_rng_state(), state[0])
    np.testing.assert_array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002


def test_prediction_is_deterministic_and_row_by_row(fitted):
    X, _ = cohort(seed=1)
    whole = fitted.predict(X)
    order = np.random.default_rng(0).permutation(len(whole))
    np.testing.assert_allclose(fitted.predict({m: x[order] for m, x in X.items()}), whole[order], rtol=1e-5)
    np.testing.assert_allclose(fitted.predict({m: x[:1] for m, x in X.items()}), whole[:1], rtol=1e-5)


def test_the_order_of_the_modalities_does_not_matter(fitted):
    X, y = cohort()
    turned = PIDReg(**SMALL).fit(dict(reversed(X.items())), y)
    np.testing.assert_array_equal(turned.predict(X), fitted.predict(X))


def test_every_parameter_of_every_member_learns():
    X, y = cohort()
    learns = SMALL | {"skip": True, "signal": 0.9}  # options that bring parameters of their own
    start = PIDReg(**learns | {"epochs": 1, "learning_rate": 1e-8}).fit(X, y)
    before = dict(start._fitted.network.named_parameters())
    for name, parameter in PIDReg(**learns).fit(X, y)._fitted.network.named_parameters():
        moved = (parameter - before[name]).flatten(1).abs().sum(1)
        assert (moved > 0).all(), name


def test_out_of_fold_predictions_are_worse_than_those_of_the_fit(fitted):
    X, y = cohort()
    out_of_fold = np.abs(fitted.out_of_fold_prediction_ - y).mean()
    assert np.abs(fitted.predict(X) - y).mean() < out_of_fold < 0.7 * np.abs(y - y.mean()).mean()


def test_noise_teaches_nothing_out_of_fold():
    X, _ = cohort()
    y = np.random.default_rng(5).normal(50, 15, 160)
    model = PIDReg(**SMALL).fit(X, y)
    assert abs(np.corrcoef(model.out_of_fold_prediction_, y)[0, 1]) < 0.25
    held, target = cohort(400, seed=2)[0], np.random.default_rng(6).normal(size=400)
    assert abs(model.decompose(held, target).atom("all", "t1+dwi", "total").bits) < 0.02


def test_it_comes_back_from_disk_bit_by_bit(fitted, tmp_path):
    X, _ = cohort(seed=1)
    fitted.save(tmp_path)
    loaded = PIDReg.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(loaded.predict_interval(X), fitted.predict_interval(X))
    for modality, latent in fitted.scalar_latents(X).items():
        np.testing.assert_array_equal(loaded.scalar_latents(X)[modality], latent)
    with pytest.raises(InputError, match="does not exist"):
        PIDReg.load(tmp_path / "nowhere")


def test_numpy_numbers_as_options_do_not_spoil_the_file(tmp_path):
    X, y = cohort()
    options = SMALL | {"dropout": np.float64(0.1), "members": np.int64(4), "hidden": [np.int64(8)], "epochs": 1}
    model = PIDReg(**options).fit(X, y)
    model.save(tmp_path)
    np.testing.assert_array_equal(PIDReg.load(tmp_path).predict(X), model.predict(X))


def member_predictions(model: PIDReg, X: dict) -> np.ndarray:
    return model._fitted.run(X).predictions


def test_a_member_never_sees_the_people_it_leaves_out():
    # Values are swapped within one inner fold, so that scalers, ranks and folds stay; equal fusion weights keep the
    # handful of shared numbers out of it.
    X, y = cohort()
    options = SMALL | {"fusion": "equal", "epochs": 2}
    model = PIDReg(**options).fit(X, y)
    ranks = np.argsort(np.argsort(y))
    scores = model._fitted.target_map.transform(y)
    seeds = np.random.SeedSequence(0).spawn(2)
    fold = stratified_folds(scores, 4, np.random.default_rng(seeds[1]))
    inside = np.flatnonzero(fold == 1)
    swapped = {name: block.copy() for name, block in X.items()}
    for block in swapped.values():
        block[inside] = block[inside[::-1]]
    again = PIDReg(**options).fit(swapped, y)
    assert len(set(ranks)) == len(y)
    same = (member_predictions(model, X) == member_predictions(again, X)).all(axis=1)
    assert same.tolist() == [False, True, False, False]


@pytest.fixture
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double_precision")
def test_members_trained_together_are_those_trained_one_by_one():
    rng = torch.Generator().manual_seed(0)
    blocks = [torch.randn(60, p, generator=rng) for p in (5, 7)]
    target = blocks[0][:, 0] + 0.5 * torch.randn(60, generator=rng)
    shape = Architecture((5, 7), (8,), 4, (), 0.2, 0.1, True, 0.9, True, 0.5, (0.6, 0.3), 0.1)
    recipe = Recipe(5, 20, 0.01, 0.1, 0.1, 0.1, 0.1, "gaussian")
    rows = [torch.arange(60)[torch.arange(60) % 3 != member] for member in range(3)]

    def course(members: list[int]) -> np.ndarray:
        network = Ensemble(shape, MemberRandom([10 + member for member in members]))
        train(network, blocks, target, [rows[m] for m in members], MemberRandom([20 + m for m in members]), recipe)
        return run_network(network, blocks)[0]

    together = course([0, 1, 2])
    for member in range(3):
        np.testing.assert_allclose(course([member])[0], together[member], atol=1e-9)


def test_a_loss_that_is_not_finite_says_where():
    X, y = cohort()
    with pytest.raises(NumericalError, match=r"loss term 'mse' is not finite at epoch \d+, batch \d+ \(terms: mse nan"):
        PIDReg(**SMALL | {"learning_rate": 1.0, "weight_decay": 1e30, "epochs": 3}).fit(X, y)


def test_scikit_learn_can_clone_it():
    model = PIDReg(latent_dim=3, alpha_ci=0.2)
    assert clone(model).get_params() == model.get_params()


def test_people_without_a_modality_are_left_out_and_counted(caplog):
    X, y = cohort()
    X["dwi"][[3, 8]] = np.nan
    with caplog.at_level(logging.WARNING):
        model = PIDReg(**SMALL).fit(X, y)
    assert "2" in caplog.text
    assert "dwi" in caplog.text
    assert np.isnan(model.predict(X)).nonzero()[0].tolist() == [3, 8]
    assert np.isnan(model.out_of_fold_prediction_).nonzero()[0].tolist() == [3, 8]


def test_a_single_missing_cell_is_imputed(fitted):
    X, _ = cohort(seed=1)
    X["t1"][4, 2] = np.nan
    assert np.isfinite(fitted.predict(X)).all()


def test_its_decomposition_finds_the_planted_order(fitted):
    X, y = cohort(2000, seed=3)
    found = fitted.decompose(X, y, "idep")
    assert found.atom("one_vs_rest", "t1", "alone").bits > found.atom("one_vs_rest", "dwi", "alone").bits > 0
    assert found.atom("one_vs_rest", "t1", "added").ci_low > 0


def test_intervals_cover(fitted):
    X, y = cohort(1000, seed=4)
    low, high = fitted.predict_interval(X, 0.9).T
    assert 0.83 < np.mean((low <= y) & (y <= high)) < 0.97


@pytest.mark.parametrize(
    "option", [{"alpha_joint": 0.1}, {"alpha_ci": 0.1}, {"alpha_ci": 0.1, "conditional": "kernel"}]
)
def test_every_loss_term_can_be_used(option):
    history = PIDReg(**SMALL | {"epochs": 2} | option).fit(*cohort()).history()
    assert len(history) == 2
    assert all(np.isfinite(list(record.values())).all() for record in history)


def test_the_loss_falls(fitted):
    losses = [record["loss"] for record in fitted.history()]
    assert np.mean(losses[-5:]) < 0.7 * losses[0]


def spoilt(case: str) -> tuple[dict, np.ndarray]:
    X, y = cohort()
    if case == "one modality":
        X.pop("dwi")
    elif case == "rows":
        X["dwi"] = X["dwi"][:-1]
    elif case == "target":
        y[0] = np.nan
    elif case == "constant":
        y[:] = 40
    else:
        X, y = {m: x[:6] for m, x in X.items()}, y[:6]
    return X, y


@pytest.mark.parametrize("case", ["one modality", "rows", "target", "constant", "few"])
def test_bad_training_input_is_refused(case):
    with pytest.raises(InputError):
        PIDReg(**SMALL).fit(*spoilt(case))


def test_other_features_than_those_of_the_fit_are_refused(fitted):
    X, y = cohort()
    with pytest.raises(InputError, match="dwi"):
        fitted.predict({"t1": X["t1"], "dwi": X["dwi"][:, :2]})
    with pytest.raises(InputError, match="dwi"):
        fitted.predict({"t1": X["t1"]})
    named = {m: pd.DataFrame(x).add_prefix(m) for m, x in X.items()}
    model = PIDReg(**SMALL | {"epochs": 1}).fit(named, y)
    with pytest.raises(InputError):
        model.predict(named | {"dwi": named["dwi"].iloc[:, ::-1]})


def test_too_few_people_for_the_latents_is_an_error_with_numbers(fitted):
    X, y = cohort(4, seed=1)
    with pytest.raises(NumericalError, match=r"n = 4.*d = 2"):
        fitted.decompose(X, y)
