"""Whatever is factorised, a failure says what it was and its numbers, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import linear_model

from brainpid.core.errors import NumericalError
from brainpid.core.linalg import factorising
from brainpid.crossfit.normality import check_normality
from brainpid.crossfit.partial_least_squares import PLSEncoder
from brainpid.crossfit.ridge import ridge
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.baselines.linear import Ridge
from brainpid.model.pidreg import gaussian_process, stacking
from brainpid.model.pidreg.gaussian_process import GaussianProcess
from brainpid.model.pidreg.network.penalties import gaussian_conditional_information, henze_zirkler
from brainpid.model.pidreg.normative import NormativeModel

RNG = np.random.default_rng(0)
FEATURES, Y = RNG.normal(size=(40, 3)), RNG.normal(size=40)
SPOILT = np.where(np.arange(40)[:, None] == 3, np.nan, FEATURES)
FOLD = np.arange(40) % 4


def refuse(*_args, **_options):
    raise np.linalg.LinAlgError("the leading minor is not positive definite")


def fit_process():
    return GaussianProcess.fit({"a": FEATURES, "b": FEATURES}, Y, FOLD, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("fails", "what"),
    [("cho_factor", "likelihood of a Gaussian process"), ("solve", "Gaussian process, noise variance")],
)
def test_a_process_that_cannot_be_factorised(monkeypatch, fails, what):
    monkeypatch.setattr(*((gaussian_process, fails) if fails == "cho_factor" else (np.linalg, fails)), refuse)
    with pytest.raises(NumericalError, match=rf"{what}.*: n = 40, d = 3, condition number .*leading minor"):
        fit_process()


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda: ridge(SPOILT, Y[None], FEATURES), "ridge encoder: n = 40, d = 3, 9 of 9 values are not finite"),
        (lambda: ridge(np.tile(SPOILT, 20), Y[None], np.tile(FEATURES, 20)), "ridge encoder: n = 40, d = 60"),
        (lambda: NormativeModel.fit({"a": SPOILT}, Y, NormalScores.fit(Y), FOLD), r"normative model: n = 30, d = 3"),
        (
            lambda: check_normality({"a": SPOILT.T[:1], "b": FEATURES.T[:1]}, Y),
            "best linear .*n = 40, d = 2",
        ),
        (lambda: henze_zirkler(torch.from_numpy(SPOILT), 1.0, 0.1), "not finite: n = 40, d = 3"),
        (
            lambda: gaussian_conditional_information(*map(torch.from_numpy, (SPOILT, FEATURES, Y)), 0.1),
            "not finite: n = 40, d = 3",
        ),
    ],
)
def test_features_that_are_not_finite(fit, message):
    with pytest.raises(NumericalError, match=message):
        fit()


def test_libraries_that_give_up(monkeypatch):
    monkeypatch.setattr("brainpid.crossfit.partial_least_squares.PLSRegression.fit", refuse)
    with pytest.raises(NumericalError, match="partial least squares: n = 40, d = 3, condition number"):
        PLSEncoder()({"a": FEATURES}, Y[None], {"a": FEATURES})
    monkeypatch.setattr(linear_model.Ridge, "fit", refuse)
    with pytest.raises(NumericalError, match="Ridge: n = 40, d = 6, condition number"):
        Ridge().fit({"a": FEATURES, "b": FEATURES}, Y)


def test_weights_that_do_not_converge(monkeypatch):
    def endless(*_):
        raise RuntimeError("Maximum number of iterations reached.")

    monkeypatch.setattr(stacking, "nnls", endless)
    with pytest.raises(NumericalError, match=r"n = 40, d = 3, condition number .*Maximum number"):
        stacking.equal_drawn_weights(FEATURES, Y)


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), factorising("anything", FEATURES, 40, 3):
        _ = 1 / 0
