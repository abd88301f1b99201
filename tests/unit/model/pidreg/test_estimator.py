"""PIDReg learns, repeats itself, sees nothing of held-out rows, and says what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from brainpid import pid
from brainpid.core.errors import InputError, NumericalError
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.transforms import normal_scores
from brainpid.model import PIDReg
from brainpid.model.pidreg.fitted import standardise
from brainpid.model.pidreg.network.ensemble import network_inputs, run_network
from brainpid.model.pidreg.network.layers import Architecture, Ensemble, MemberRandom
from brainpid.model.pidreg.network.training import TrainingOptions, train

torch.set_num_threads(1)
SMALL = {"latent_dim": 4, "hidden": (8,), "members": 4, "epochs": 40, "batch_size": 64} | {
    "learning_rate": 0.02,  # few people, hence few steps
}


def cohort(n: int = 160, seed: int = 0, modalities: tuple[str, ...] = ("t1", "dwi")) -> tuple[dict, np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    X = {m: (1 - 0.3 * k) * g[:, None] + rng.normal(size=(n, 5 + k)) for k, m in enumerate(modalities)}
    return X, 50 + 15 * g


def network_of(model: PIDReg) -> Ensemble:
    return model._fitted.base_learners["network"].network


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
    learns = SMALL | {"signal": 0.9}  # options that bring parameters of their own
    start = PIDReg(**learns | {"epochs": 1, "learning_rate": 1e-8}).fit(X, y)
    before = dict(network_of(start).named_parameters())
    for name, parameter in network_of(PIDReg(**learns).fit(X, y)).named_parameters():
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
    standardised = standardise(X, model._fitted.standardizers)
    return run_network(network_of(model), network_inputs(standardised, {}))[0]


@pytest.mark.parametrize(("members", "groups"), [(4, None), (7, 3)])
def test_a_member_never_sees_the_people_it_leaves_out(members, groups):
    # Values are swapped within one inner fold, so that scalers, ranks and folds stay; equal fusion weights keep the
    # handful of shared numbers out of it. With fewer groups than members each group is left out by several.
    X, y = cohort()
    labels = None if groups is None else np.arange(len(y)) % groups
    options = SMALL | {"fusion": "equal", "epochs": 2, "members": members}
    model = PIDReg(**options).fit(X, y, labels)
    ranks = np.argsort(np.argsort(y))
    fold = stratified_folds(y, members, np.random.default_rng(np.random.SeedSequence(0).spawn(1)[0]), labels)
    inside = np.flatnonzero(fold == 1)
    swapped = {name: block.copy() for name, block in X.items()}
    for block in swapped.values():
        block[inside] = block[inside[::-1]]
    again = PIDReg(**options).fit(swapped, y, labels)
    assert len(set(ranks)) == len(y)
    same = (member_predictions(model, X) == member_predictions(again, X)).all(axis=1)
    assert same.tolist() == [member % (groups or members) == 1 for member in range(members)]
    assert np.isfinite(model.out_of_fold_prediction_).all()


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
    shape = Architecture((5, 7), (8,), 4, (), 0.2, 0.9, 0.5, (0.6, 0.3), 0.1)
    recipe = TrainingOptions(5, 20, 0.01, 0.1, 0.1, 0.1, 0.1, "gaussian")
    rows = [torch.arange(60)[torch.arange(60) % 3 != member] for member in range(3)]
    present = torch.ones(60, 2)
    present[::7, 1] = 0.0

    def course(members: list[int]) -> np.ndarray:
        network = Ensemble(shape, MemberRandom([10 + member for member in members]))
        random = MemberRandom([20 + m for m in members])
        train(network, blocks, target, present, [rows[m] for m in members], random, recipe)
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


def with_missing(n: int = 300, part: float = 0.3, seed: int = 0) -> tuple[dict, np.ndarray]:
    """A cohort where everybody lacks each modality with some probability; a few people have none."""
    X, y = cohort(n, seed)
    rng = np.random.default_rng(seed + 100)
    for block in X.values():
        block[rng.random(n) < part] = np.nan
    return X, y


def test_everybody_with_a_modality_is_used_and_predicted():
    X, y = with_missing()
    nothing = np.isnan(X["t1"]).all(1) & np.isnan(X["dwi"]).all(1)
    assert nothing.any()
    model = PIDReg(**SMALL).fit(X, y)
    np.testing.assert_array_equal(np.isnan(model.out_of_fold_prediction_), nothing)
    np.testing.assert_array_equal(np.isnan(model.predict(X)), nothing)
    np.testing.assert_array_equal(np.isnan(model.predict_interval(X)).all(axis=1), nothing)
    for m, latent in model.scalar_latents(X).items():
        np.testing.assert_array_equal(np.isnan(latent), np.isnan(X[m]).all(1))


def test_a_modality_that_is_not_given_is_one_that_nobody_has(fitted):
    X, _ = cohort(seed=1)
    absent = X | {"dwi": np.full_like(X["dwi"], np.nan)}
    np.testing.assert_array_equal(fitted.predict({"t1": X["t1"]}), fitted.predict(absent))
    np.testing.assert_array_equal(fitted.predict({"t1": X["t1"]}), fitted.subset_predictions(X)[("t1",)])
    np.testing.assert_array_equal(fitted.predict(X), fitted.subset_predictions(X)[("t1", "dwi")])


def test_people_without_a_modality_make_the_others_no_worse():
    X, y = with_missing(400, 0.3)
    complete = ~np.isnan(X["t1"]).any(1) & ~np.isnan(X["dwi"]).any(1)
    everybody = PIDReg(**SMALL).fit(X, y)
    few = PIDReg(**SMALL).fit({m: block[complete] for m, block in X.items()}, y[complete])
    new, target = cohort(2000, seed=7)
    error = {name: np.abs(model.predict(new) - target).mean() for name, model in (("all", everybody), ("few", few))}
    assert error["all"] < 1.02 * error["few"]
    from_t1 = np.abs(everybody.predict({"t1": new["t1"]}) - target).mean()
    assert error["all"] < from_t1 < np.abs(target - y.mean()).mean()


def test_a_modality_that_tells_more_is_the_one_worth_acquiring():
    X, y = with_missing(400, 0.2)
    model = PIDReg(**SMALL).fit(X, y)
    new, _ = cohort(5, seed=8)
    gain = {m: model.expected_gain({other: new[other]})[m] for m, other in (("t1", "dwi"), ("dwi", "t1"))}
    assert gain["t1"].mean() > gain["dwi"].mean()
    assert np.isnan(model.expected_gain(new)["t1"]).all()


def test_scalar_latents_are_normal_scores_whatever_the_target_of_the_fit_is():
    X, g = cohort(300)
    y = np.exp((g - 50) / 15)  # a skewed target
    new, later = cohort(2000, seed=9)
    target = np.exp((later - 50) / 15)
    bits = [
        PIDReg(**SMALL, target_transform=scale)
        .fit(X, y)
        .decompose(new, target, estimator="gaussian_score")
        .atom("all", "t1+dwi", "total")
        .bits
        for scale in ("normal_scores", "none")
    ]
    raw = PIDReg(**SMALL, target_transform="none").fit(X, y)
    in_units = pid.decompose(
        {m: raw._fitted.stack.target_map.transform(raw._fitted.score_map.inverse_transform(z)) for m, z in
         raw.scalar_latents(new).items()}, normal_scores(target)
    ).atom("all", "t1+dwi", "total").bits  # fmt: skip
    assert bits[1] > 0.75 * bits[0]
    assert bits[1] > in_units


def test_people_of_one_group_are_left_out_together():
    X, y = cohort(40, seed=2)
    doubled, target = {m: np.repeat(block, 4, 0) for m, block in X.items()}, np.repeat(y, 4)
    target = target + np.random.default_rng(0).normal(0, 12, len(target)).repeat(1)
    groups = np.repeat(np.arange(40), 4)
    apart = PIDReg(**SMALL).fit(doubled, target, groups)
    together = PIDReg(**SMALL).fit(doubled, target)
    error = [np.abs(model.out_of_fold_prediction_ - target).mean() for model in (apart, together)]
    assert error[0] > error[1]  # copies of a person in training make left-out people look easy
    with pytest.raises(InputError, match="at least 2 groups, found 1"):
        PIDReg(**SMALL).fit(doubled, target, np.zeros(160))
    with pytest.raises(InputError, match=r"groups of shape \(160,\), .* found \(40,\)"):
        PIDReg(**SMALL).fit(doubled, target, np.arange(40))


def test_a_pilot_decides_only_where_something_is_left_to_it():
    model = PIDReg(members=4, epochs=2, hidden=(8,)).fit(*cohort())
    assert set(model.pilot_) == {"fall", "spread"}
    assert model.pilot_["spread"] > 0
    assert model.chosen()["pilot"] == model.pilot_
    assert model.feature_transform_ == "normal_scores"
    assert PIDReg(**SMALL | {"epochs": 1, "recipe": "compact", "experts": ()}).fit(*cohort()).pilot_["spread"] == 0


def test_a_single_missing_cell_is_imputed(fitted):
    X, _ = cohort(seed=1)
    X["t1"][4, 2] = np.nan
    assert np.isfinite(fitted.predict(X)).all()


def test_its_decomposition_finds_the_planted_order(fitted):
    X, y = cohort(2000, seed=3)
    found = fitted.decompose(X, y, "idep")
    assert found.atom("one_vs_rest", "t1", "alone").bits > found.atom("one_vs_rest", "dwi", "alone").bits > 0
    assert found.atom("one_vs_rest", "t1", "added").ci_low > 0


def test_intervals_cover():
    X, y = cohort(1000, seed=4)
    covered = []
    for seed in range(10, 16):  # the quantile of 160 errors alone moves the coverage of one cohort by 0.025
        low, high = PIDReg(**SMALL).fit(*cohort(seed=seed)).predict_interval(X, 0.9).T
        covered.append(np.mean((low <= y) & (y <= high)))
    assert 0.87 < np.mean(covered) < 0.93


@pytest.mark.parametrize(
    "option",
    [
        {"alpha_joint": 0.1},
        {"alpha_ci": 0.1},
        {"alpha_ci": 0.1, "conditional": "kernel"},
        {"alpha_cs": 0.1, "head": (8,)},
        {"bins": 4, "target_transform": "none"},
        {"experts": ()},
        {"experts": ("forest",)},
        {"experts": ("boosting", "kernel")},
    ],
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
    with pytest.raises(InputError, match="pet"):
        fitted.predict({"t1": X["t1"], "pet": X["t1"]})
    named = {m: pd.DataFrame(x).add_prefix(m) for m, x in X.items()}
    model = PIDReg(**SMALL | {"epochs": 1}).fit(named, y)
    with pytest.raises(InputError):
        model.predict(named | {"dwi": named["dwi"].iloc[:, ::-1]})


def test_too_few_people_for_the_latents_is_an_error_with_numbers(fitted):
    X, y = cohort(4, seed=1)
    with pytest.raises(NumericalError, match=r"n = 4.*d = 2"):
        fitted.decompose(X, y, estimator="gaussian_score")


def test_its_decomposition_is_of_the_prediction(fitted):
    X, y = cohort(500, seed=4)
    found = fitted.decompose(X, y, "idep")
    scores = fitted.log_scores(X, y, reference=y)
    for subset, values in scores.items():
        assert found.information[frozenset(subset)] == pytest.approx(values.mean(), abs=1e-12)
    linear = fitted.decompose(X, y, "idep", estimator="gaussian_score").atom("all", "t1+dwi", "total")
    assert found.atom("all", "t1+dwi", "total").bits == pytest.approx(linear.bits, abs=0.1)
    lacking = X | {"dwi": np.where(np.arange(500)[:, None] < 100, np.nan, X["dwi"])}
    assert fitted.decompose(lacking, y).n == 400
    with pytest.raises(InputError, match="nobody of 500 people has every modality"):
        fitted.decompose({"t1": X["t1"]}, y)
    with pytest.raises(InputError, match="estimator: expected log_score or gaussian_score, found 'bits'"):
        fitted.decompose(X, y, estimator="bits")


def test_a_callback_is_told_of_every_step_and_can_end_the_fit():
    X, y = cohort(60)
    options = SMALL | {"epochs": 3, "members": 2, "experts": ("normative", "kernel")}
    told: list[dict] = []
    model = PIDReg(**options).fit(X, y, callback=told.append)
    assert [(at["stage"], at["step"], at["of"]) for at in told] == [
        ("pilot", 1, 1), ("network", 1, 3), ("network", 2, 3), ("network", 3, 3),
        ("base learners", 1, 2), ("base learners", 2, 2), ("calibration", 1, 1),
    ]  # fmt: skip
    assert [at["record"] for at in told[1:4]] == model.history()
    assert [at["name"] for at in told[4:6]] == ["normative", "kernel"]
    assert {name: told[0][name] for name in model.pilot_} == model.pilot_
    np.testing.assert_array_equal(PIDReg(**options).fit(X, y).predict(X), model.predict(X))

    def enough(at):
        if at["stage"] == "network" and at["step"] == 2:
            raise KeyboardInterrupt

    stopped = PIDReg(**options)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(X, y, callback=enough)
    assert not hasattr(stopped, "_fitted")


def test_two_networks_of_four_people_are_refused_before_their_weights_cannot_be_read():
    rng = np.random.default_rng(0)
    X = {modality: rng.normal(size=(4, 2)) for modality in ("t1", "dwi")}
    with pytest.raises(
        InputError, match=r"4 people have every modality \(t1, dwi\); expected at least 5 for 2 members"
    ):
        PIDReg(members=2).fit(X, np.arange(4.0))
