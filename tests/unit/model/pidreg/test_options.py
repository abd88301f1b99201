"""An option has one range, that of the configuration, and what is not asked for is not computed."""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import make_config

from brainpid.config.schema import parse_config
from brainpid.core.errors import InputError
from brainpid.model import PIDReg
from brainpid.model.pidreg.network import training

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
