"""A regressor of the user's own is weighed as the others are, and fitted to nobody whom it predicts out of fold."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression, PoissonRegressor, Ridge
from sklearn.svm import SVR

from brainpid.core.errors import InputError, NumericalError
from brainpid.model import PIDReg
from brainpid.model.pidreg.own_regressor import OwnRegressor

QUICK = {"recipe": "compact", "latent_dim": 4, "hidden": (8,), "members": 3, "epochs": 2}


def people(n: int = 90, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    X = {"dwi": rng.normal(size=(n, 2)), "t1": rng.normal(size=(n, 3))}
    return X, 50 + 6 * X["t1"][:, 0] - 4 * X["dwi"][:, 1] + 0.1 * rng.normal(size=n)


class Refusing(RegressorMixin, BaseEstimator):
    """Predicts what cannot be used."""

    def __init__(self, answer: str = "nan") -> None:
        self.answer = answer

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.full(len(X), np.nan) if self.answer == "nan" else np.zeros(len(X) + 1)


def test_one_that_knows_the_answer_gets_the_weight_and_beats_the_network():
    (X, y), (new, target) = people(), people(seed=1)
    without = PIDReg(**QUICK, experts=()).fit(X, y)
    model = PIDReg(**QUICK, experts=(LinearRegression(),), feature_transform="none", target_transform="none").fit(X, y)
    assert list(model.expert_weights_) == ["network", "LinearRegression", "head"]
    assert max(model.expert_weights_, key=model.expert_weights_.get) == "LinearRegression"
    assert np.abs(model.predict(new) - target).mean() < 0.2 * np.abs(without.predict(new) - target).mean()


def test_a_person_is_not_predicted_by_what_has_seen_that_person():
    X, _ = people()
    scores, fold = np.random.default_rng(5).normal(size=90), np.arange(90) % 3
    regressor = ExtraTreesRegressor(20)  # which repeats what it has seen
    fitted, left_out = OwnRegressor.fit(regressor, X, scores, fold, seed=3)
    np.testing.assert_allclose(fitted.predict(X), scores)
    assert abs(np.corrcoef(left_out, scores)[0, 1]) < 0.35
    np.testing.assert_array_equal(left_out, OwnRegressor.fit(regressor, X, scores, fold, seed=3)[1])
    assert regressor.random_state is None
    assert not hasattr(regressor, "estimators_")


@pytest.mark.parametrize("regressor", [Ridge(1e-6), SVR(kernel="linear", C=100)])
def test_slopes_of_a_linear_model_are_its_coefficients(regressor):
    X, y = people()
    fitted, _ = OwnRegressor.fit(regressor, X, (y - 50) / 7, np.arange(90) % 3, seed=0)
    slopes = fitted.additive(X, "t1")
    assert slopes.exact
    np.testing.assert_allclose(slopes.slopes[4], [6 / 7, 0, 0], atol=0.03)


def test_slopes_of_another_are_chords_and_a_link_is_no_line():
    X, y = people()
    for regressor in (PoissonRegressor(alpha=0), SVR(C=10)):
        fitted, _ = OwnRegressor.fit(regressor, X, y / 50, np.arange(90) % 3, seed=0)
        slopes = fitted.additive(X, "dwi")
        assert not slopes.exact
        assert slopes.slopes.shape == (90, 2)
        assert slopes.slopes[0, 1] < -0.03 < abs(slopes.slopes[0, 0])


def test_it_is_read_as_it_varies_pickled_and_cloned():
    X, y = people()
    model = PIDReg(**QUICK, experts=("normative", SVR(), SVR(C=5.0))).fit(X, y)
    assert list(model.expert_weights_)[1:4] == ["normative", "SVR", "SVR_2"]
    changed = X["t1"].copy()
    changed[:, 1] = 0.5
    varied = model.vary(X, "t1")(np.array([1]), np.full((1, 90, 1), 0.5))
    np.testing.assert_allclose(varied[0], model.predict(X | {"t1": changed}), rtol=1e-4)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    np.testing.assert_array_equal(clone(model).fit(X, y).predict(X), model.predict(X))


def test_people_who_lack_a_modality_are_predicted_by_the_others():
    X, y = people()
    X["dwi"][:20] = np.nan
    predicted = PIDReg(**QUICK, experts=(Ridge(),)).fit(X, y).predict(X)
    assert np.corrcoef(predicted[:20], y[:20])[0, 1] > 0.7


RIDGE = {"import": "sklearn.linear_model.Ridge", "alpha": 2.0}


@pytest.mark.parametrize("own", [RIDGE, Ridge(2.0)])
def test_it_lies_beside_the_model_and_comes_back_with_it(own, tmp_path):
    X, y = people()
    model = PIDReg(**QUICK, experts=("normative", own)).fit(X, y)
    same = PIDReg(**QUICK, experts=("normative", Ridge(2.0))).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), same.predict(X))
    model.save(tmp_path)
    again = PIDReg.load(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.pt", "own_Ridge.joblib"]
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.predict_interval(X), model.predict_interval(X))
    assert again.expert_weights_ == model.expert_weights_
    assert type(again.experts[1]) is type(own)
    np.testing.assert_array_equal(clone(again).fit(X, y).predict(X), model.predict(X))


def test_no_other_file_than_that_of_the_model_is_read(tmp_path):
    X, y = people()
    PIDReg(**QUICK, experts=(Ridge(2.0),)).fit(X, y).save(tmp_path / "one")
    PIDReg(**QUICK, experts=()).fit(X, y).save(tmp_path / "none")
    (tmp_path / "none/own_Ridge.joblib").write_bytes(b"no pickle, and never read")
    PIDReg.load(tmp_path / "none")
    file = tmp_path / "one/own_Ridge.joblib"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"own_Ridge.joblib: expected .*Ridge that was saved .*; the file is damaged"):
        PIDReg.load(tmp_path / "one")
    file.unlink()
    with pytest.raises(InputError, match="the file does not exist"):
        PIDReg.load(tmp_path / "one")


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"import": "nothing.here.Class"}, "the module 'nothing.here' of 'nothing.here.Class' cannot be imported"),
        ({"import": "sklearn.linear_model.Rigde"}, "has no 'Rigde'; did you mean 'Ridge'"),
        ({"import": "sklearn.linear_model.ridge_regression"}, "expected a class, found that .* is a function"),
        ({"import": "sklearn.linear_model.Ridge", "alpa": 1}, "unknown keyword 'alpa'; did you mean 'alpha'"),
        ({"import": "sklearn.linear_model.Ridge", "alpha": -1}, "Ridge cannot be fitted to .* people x 2: The 'alpha'"),
        ({"import": "sklearn.linear_model.LogisticRegression"}, "expected regressors, found .* is a classifier"),
        ({"import": "sklearn.preprocessing.StandardScaler"}, "expected names, or regressors with fit, predict"),
        ({"alpha": 1}, "expected the key 'import'"),
    ],
)
def test_a_description_that_makes_no_regressor_is_refused(own, words):
    X, y = people()
    with pytest.raises(InputError, match=words):
        PIDReg(**QUICK, experts=(own,)).fit(X, y)


def test_what_cannot_be_used_is_refused():
    X, y = people()
    for wrong in (Ridge, 3, None):
        with pytest.raises(InputError, match="experts: expected names, or regressors with fit, predict"):
            PIDReg(**QUICK, experts=("auto", wrong)).fit(X, y)
    with pytest.raises(NumericalError, match="experts: Refusing predicts 30 of 30 scores that are not finite"):
        PIDReg(**QUICK, experts=(Refusing(),)).fit(X, y)
    with pytest.raises(InputError, match="Refusing predicts 31 numbers for 30 people"):
        PIDReg(**QUICK, experts=(Refusing("many"),)).fit(X, y)
    with pytest.raises(InputError, match="may keep training people, which a model to be shared must not"):
        PIDReg(**QUICK, experts=(Ridge(),), share=True).fit(X, y)
    with pytest.raises(InputError, match="may keep training people"):
        PIDReg(**QUICK, experts=(RIDGE,), share=True).fit(X, y)
