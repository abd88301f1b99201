"""Whatever is factorised, a failure says what it was and its numbers, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from sklearn import linear_model

from brainpid.core import linalg
from brainpid.core.errors import NumericalError
from brainpid.core.linalg import (
    RowSpace,
    condition_number,
    eigenvectors,
    factorising,
    least_squares,
    rank,
    singular_values,
    thin_svd,
)
from brainpid.crossfit.normality import check_normality
from brainpid.crossfit.partial_least_squares import PLSEncoder
from brainpid.crossfit.ridge import ridge
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.baselines.linear import Ridge
from brainpid.model.pidreg import gaussian_process, stacking
from brainpid.model.pidreg.gaussian_process import GaussianProcess
from brainpid.model.pidreg.network.penalties import gaussian_conditional_information, henze_zirkler
from brainpid.model.pidreg.normative import NormativeModel
from brainpid.pid import decompose

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
    with pytest.raises(NumericalError, match="Ridge: n = 40, d = 3, condition number"):
        Ridge().fit({"a": FEATURES, "b": FEATURES}, Y)


def test_weights_that_do_not_converge(monkeypatch):
    def endless(*_):
        raise RuntimeError("Maximum number of iterations reached.")

    monkeypatch.setattr(linalg, "nnls", endless)
    with pytest.raises(NumericalError, match=r"n = 40, d = 3, condition number .*Maximum number"):
        stacking.equal_drawn_weights(FEATURES, Y)


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), factorising("anything", FEATURES, 40, 3):
        _ = 1 / 0


def residuals(n, p):
    """What curves leave of features: the kind of matrix that quick routines now and then do not decompose."""
    curves = np.vander(np.linspace(-1.7, 1.7, n), 4, increasing=True)
    x = np.random.default_rng(5).normal(size=(n, p))
    return x - curves @ np.linalg.lstsq(curves, x, rcond=None)[0]


def give_up(monkeypatch, *routines):
    """Let routines not converge, as OpenBLAS's do."""
    for module, name in routines:
        monkeypatch.setattr(module, name, refuse)


QUICK = [(np.linalg, "svd"), (np.linalg, "lstsq"), (np.linalg, "eigh")]
SLOW = [(scipy.linalg, "svd")]


@pytest.mark.parametrize("shape", [(30, 80), (80, 30), (30, 30)])
@pytest.mark.parametrize("routines", [[], QUICK, [*QUICK, *SLOW]], ids=["as they are", "no gesdd", "Gram matrix"])
def test_a_decomposition_falls_back(monkeypatch, routines, shape):
    x, y = residuals(*shape), np.random.default_rng(6).normal(size=(shape[0], 2))
    known = np.linalg.svd(x, compute_uv=False)
    kept = known > 1e-7 * known[0]
    slopes = np.linalg.lstsq(x, y, rcond=1e-7)[0]
    give_up(monkeypatch, *routines)
    u, s, vt = thin_svd("residuals", x, *shape)
    assert (u.shape, s.shape, vt.shape) == ((shape[0], min(shape)), (min(shape),), (min(shape), shape[1]))
    np.testing.assert_allclose(s, known, rtol=1e-9, atol=1e-7 * known[0])
    np.testing.assert_allclose((u * s) @ vt, x, atol=1e-9)
    np.testing.assert_allclose((u.T @ u)[np.ix_(kept, kept)], np.eye(kept.sum()), atol=1e-9)
    np.testing.assert_allclose((vt @ vt.T)[np.ix_(kept, kept)], np.eye(kept.sum()), atol=1e-9)
    np.testing.assert_allclose(singular_values("residuals", x, *shape), s, atol=1e-7 * known[0])
    np.testing.assert_allclose(least_squares("residuals", x, y, *shape, tolerance=1e-7), slopes, atol=1e-9)
    assert rank(x) == kept.sum()
    assert condition_number(x[:, :20]) == pytest.approx(np.divide(*ends_of(x[:, :20])), rel=1e-4)


def ends_of(x):
    return scipy.linalg.eigvalsh(x.T @ x)[[-1, 0]] ** 0.5


def test_stacks_and_eigenvectors_fall_back(monkeypatch):
    stack = np.stack([residuals(20, 12), 3 * residuals(20, 12)])[None]
    gram = np.swapaxes(stack, -1, -2) @ stack
    values, known = np.linalg.eigvalsh(gram), np.linalg.svd(stack, compute_uv=False)
    give_up(monkeypatch, *QUICK)
    u, s, vt = thin_svd("stack", stack, 20, 12)
    np.testing.assert_allclose((u * s[..., None, :]) @ vt, stack, atol=1e-12)
    np.testing.assert_allclose(singular_values("stack", stack, 20, 12), known)
    found, vectors = eigenvectors("stack", gram, 20, 12)
    np.testing.assert_allclose(found, values)
    np.testing.assert_allclose(gram @ vectors, vectors * found[..., None, :], atol=1e-9)


def test_what_no_routine_decomposes_says_its_condition_number(monkeypatch):
    give_up(monkeypatch, *QUICK, *SLOW, (scipy.linalg, "eigh"))
    with pytest.raises(NumericalError, match="anything: n = 40, d = 3, condition number inf: the leading minor"):
        thin_svd("anything", FEATURES, 40, 3)


def test_fits_go_on_where_quick_routines_give_up(monkeypatch):
    blocks, wide = {"a": residuals(40, 60)}, np.random.default_rng(8).normal(size=(5, 60))

    def fits():
        model, left_out = NormativeModel.fit(blocks, Y, NormalScores.fit(Y), FOLD)
        ridge_baseline = Ridge().fit({"a": FEATURES, "b": FEATURES[:, ::-1] ** 2}, Y)
        atoms = (
            decompose({"a": FEATURES, "b": FEATURES[:, :1] + Y[:, None] + FEATURES[:, 1:2] ** 2}, Y)
            .to_frame()["bits"]
            .to_numpy()
        )
        latents = {"a": FEATURES.T[:1], "b": FEATURES.T[1:2]}
        return (
            left_out, model.predict(blocks), ridge(blocks["a"], Y[None], wide)[0],
            ridge_baseline.out_of_fold_prediction_, atoms, [check_normality(latents, Y).bits],
        )  # fmt: skip

    expected = fits()
    give_up(monkeypatch, *QUICK)
    for found, known in zip(fits(), expected, strict=True):
        np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-8)


def test_coordinates_in_the_space_of_the_rows_hold_all_of_a_wide_matrix():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(6, 3)) @ rng.normal(size=(3, 40))
    space = RowSpace.of("rows", wide)
    assert space.coordinates.shape == (6, 3)  # its rank
    np.testing.assert_allclose(space.coordinates @ space.axes, wide, atol=1e-9)
    np.testing.assert_allclose(space.axes @ space.axes.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(RowSpace.of("rows", wide, wide @ wide.T).coordinates, space.coordinates)


def test_a_wide_matrix_of_zeros_spans_nothing():
    space = RowSpace.of("rows", np.zeros((4, 9)))
    assert space.coordinates.shape == (4, 0)
    assert space.axes.shape == (0, 9)
