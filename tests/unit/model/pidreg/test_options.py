"""An option has one range, that of the configuration, and what is not asked for is not computed."""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import make_config

from brainpid.config.schema import parse_config
from brainpid.core.errors import InputError
from brainpid.model import PIDReg
from brainpid.model.pidreg.network import training
from brainpid.model.pidreg.options import RECIPES, checked_settings, options_of

QUICK = {"members": 2, "epochs": 1, "hidden": (4,), "experts": ()}


def cohort(n: int = 60) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(0)
    return {m: rng.normal(size=(n, 3)) for m in ("t1", "dwi")}, rng.normal(50, 15, n)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("dropout", 0.995), ("learning_rate", 5.0), ("signal", 0.005), ("members", 1), ("weight_decay", float("nan")),
        ("alpha_cs", float("inf")), ("hidden", (8, 0)), ("batch_size", 1), ("fusion", "equals"), ("experts", ("tree",)),
        ("recipe", "small"),
    ],
)  # fmt: skip
def test_the_configuration_and_the_estimator_refuse_the_same_values(tmp_path, option, value):
    content = make_config(tmp_path, ["a"], tmp_path, hyperparameters={"pidreg": {option: value}})
    with pytest.raises(InputError, match=rf"hyperparameters\.pidreg\.{option}"):
        parse_config(content, "test")
    with pytest.raises(InputError, match=rf"PIDReg: {option}.*found"):
        PIDReg(**{option: value}).fit(*cohort())


@pytest.mark.parametrize(("option", "value"), [("dropout", 0.99), ("learning_rate", 1.0), ("signal", 0.01)])
def test_the_ends_of_a_range_belong_to_it(tmp_path, option, value):
    parse_config(make_config(tmp_path, ["a"], tmp_path, hyperparameters={"pidreg": {option: value}}), "test")
    PIDReg(**QUICK | {option: np.float64(value)}).fit(*cohort())


@pytest.mark.parametrize("seed", [-1, 0.5, "one"])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(InputError, match="PIDReg: random_state: expected a whole number"):
        PIDReg(random_state=seed).fit(*cohort())


def test_a_penalty_without_weight_is_not_computed(monkeypatch):
    def refuse(*_):
        raise AssertionError("a penalty was computed")

    for name in ("cauchy_schwarz_to_normal", "henze_zirkler", "gaussian_conditional_information"):
        monkeypatch.setattr(training, name, refuse)
    monkeypatch.setattr(training, "kernel_conditional_dependence", refuse)
    PIDReg(**QUICK).fit(*cohort())
    for option in ("alpha_cs", "alpha_joint", "alpha_ci"):
        with pytest.raises(AssertionError, match="a penalty was computed"):
            PIDReg(**QUICK | {option: 0.1}).fit(*cohort())


def test_every_recipe_settles_every_option_that_none_leaves_to_it():
    waiting = {name for name, value in PIDReg().get_params().items() if value is None} - {"modalities"}
    for recipe, options in RECIPES.items():
        assert set(options) | {"target_transform"} == waiting, recipe
    assert options_of(checked_settings(PIDReg().get_params()), "compact", "none", 60)["target_transform"] == "none"


def test_the_published_recipe_is_the_published_model():
    settings = checked_settings(PIDReg(recipe="paper").get_params())
    found = options_of(settings, "paper", "none", 1000)
    assert (found["hidden"], found["latent_dim"], found["head"]) == ((256, 128), 64, (256, 128))
    assert found["alpha_cs"] == found["alpha_joint"] == found["alpha_ci"] == 0.1
    assert found["signal"] < 1
    assert (found["conditional"], found["fusion"], found["target_transform"]) == ("kernel", "latents", "normal_scores")
    assert settings.experts == ()


def test_what_is_given_takes_the_place_of_the_published_recipe():
    given = {"alpha_ci": 0.0, "fusion": "equal", "experts": ("kernel",), "target_transform": "none", "hidden": (5,)}
    found = options_of(checked_settings(PIDReg(recipe="paper", **given).get_params()), "paper", "normal_scores", 1000)
    assert {name: found[name] for name in given} == given
    assert found["alpha_cs"] == 0.1


def test_own_weights_need_a_fold_to_be_read_from(tmp_path):
    content = make_config(tmp_path, ["a"], tmp_path, hyperparameters={"pidreg": {"recipe": "paper", "members": 2}})
    for refused in (lambda: parse_config(content, "test"), lambda: PIDReg(members=2, fusion="latents").fit(*cohort())):
        with pytest.raises(InputError, match="members must be 3 or more where networks read their fusion weights"):
            refused()
    PIDReg(**QUICK | {"recipe": "paper", "fusion": "equal"}).fit(*cohort())
