"""One matrix in the place of a mapping: PIDReg is one of scikit-learn's regressors, and says the same either way."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.base import clone, is_regressor
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from brainpid.core.errors import InputError
from brainpid.model import PIDReg

torch.set_num_threads(1)
QUICK = {"recipe": "compact", "latent_dim": 4, "hidden": (8,), "members": 2, "epochs": 2, "experts": ()}
T1, DWI = ["area", "volume", "depth"], ["fa", "md"]
BY_NAME = {"t1": T1, "dwi": DWI}


def table(n: int = 40, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """People of whom some lack a modality or a cell, among columns of which one is no feature."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 80, n)
    X = pd.DataFrame(age[:, None] / 20 + rng.normal(size=(n, 5)), columns=[*T1, *DWI])
    X.loc[3, DWI], X.loc[5, "md"] = np.nan, np.nan
    X.insert(3, "site", ["a", "b"] * (n // 2))
    named = [f"sub-{k:02d}" for k in range(n)]
    return X.set_index(pd.Index(named)), pd.Series(age, index=named)


def blocks(X: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {"t1": X[T1], "dwi": X[DWI]}


@parametrize_with_checks(
    [PIDReg(**QUICK | {"epochs": 30, "learning_rate": 0.05}, modalities={"a": slice(0, 1), "b": slice(1, None)})]
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def by_matrix():
    return PIDReg(modalities=BY_NAME, **QUICK).fit(*table())


def test_a_matrix_and_a_mapping_give_the_same_bits(by_matrix):
    (X, y), (new, age) = table(), table(seed=1)
    by_mapping = PIDReg(**QUICK).fit(blocks(X), y)
    numbers = X.drop(columns="site").to_numpy()
    of_array = PIDReg(modalities={"t1": slice(0, 3), "dwi": [-2, -1]}, **QUICK).fit(numbers, y.to_numpy())
    np.testing.assert_array_equal(by_matrix.predict(new), by_mapping.predict(blocks(new)))
    np.testing.assert_array_equal(of_array.predict(new.drop(columns="site").to_numpy()), by_matrix.predict(new))
    np.testing.assert_array_equal(by_matrix.out_of_fold_prediction_, by_mapping.out_of_fold_prediction_)
    np.testing.assert_array_equal(by_matrix.predict_interval(new), by_mapping.predict_interval(blocks(new)))
    for method in ("scalar_latents", "subset_predictions", "expected_gain"):
        one, other = getattr(by_matrix, method)(new), getattr(by_mapping, method)(blocks(new))
        assert list(one) == list(other)
        for key, values in one.items():
            np.testing.assert_array_equal(values, other[key])
    assert by_matrix.score(new, age) == by_mapping.score(blocks(new), age)
    found, expected = by_matrix.decompose(new, age), by_mapping.decompose(blocks(new), age)
    assert found.atom("all", "t1+dwi", "total").bits == expected.atom("all", "t1+dwi", "total").bits
    changes = np.ones((1, len(new) - 1, 1))
    full, columns = new.dropna(subset=DWI, how="all"), np.array([1])
    np.testing.assert_array_equal(
        by_matrix.vary(full, "dwi")(columns, changes), by_mapping.vary(blocks(full), "dwi")(columns, changes)
    )
    np.testing.assert_array_equal(by_matrix.predict(by_matrix.read(new)), by_matrix.predict(new))


def test_what_it_was_fitted_to_is_known(by_matrix):
    assert by_matrix.columns_ == {"t1": (0, 1, 2), "dwi": (4, 5)}
    assert by_matrix.n_features_in_ == 6
    assert by_matrix.feature_names_in_.tolist() == [*T1, "site", *DWI]
    assert by_matrix.layout_.names == {"t1": tuple(T1), "dwi": tuple(DWI)}
    again = clone(by_matrix).set_params(modalities=None).fit(blocks(table()[0]), table()[1])
    refitted = pickle.loads(pickle.dumps(by_matrix)).set_params(modalities=None).fit(blocks(table()[0]), table()[1])
    assert not any(hasattr(model, name) for model in (again, refitted) for name in ("columns_", "n_features_in_"))


def test_it_is_copied_pickled_and_saved(by_matrix, tmp_path):
    new = table(seed=1)[0]
    expected = by_matrix.predict(new)
    by_matrix.save(tmp_path)
    for other in (
        pickle.loads(pickle.dumps(by_matrix)),
        PIDReg.load(tmp_path),
        clone(PIDReg.load(tmp_path)).fit(*table()),
        clone(by_matrix).fit(*table()),
    ):
        np.testing.assert_array_equal(other.predict(new), expected)
        assert other.feature_names_in_.tolist() == by_matrix.feature_names_in_.tolist()
        with pytest.raises(InputError, match="feature names should match those that were passed during fit"):
            other.predict(new[[*DWI, "site", *T1]])


def test_a_slice_survives_the_file(tmp_path):
    X, y = table()
    numbers = X.drop(columns="site").to_numpy()
    model = PIDReg(modalities={"t1": slice(0, 3), "dwi": slice(3, None)}, **QUICK).fit(numbers, y)
    model.save(tmp_path)
    np.testing.assert_array_equal(PIDReg.load(tmp_path).predict(numbers), model.predict(numbers))


def test_pipelines_searches_and_cross_validation_take_it():
    X, y = table()
    X = X.drop(columns="site")
    steps = make_pipeline(StandardScaler().set_output(transform="pandas"), PIDReg(modalities=BY_NAME, **QUICK))
    folds = KFold(2)
    predicted = cross_val_predict(steps, X, y, cv=folds)
    for train, test in folds.split(X):
        own = clone(steps).fit(X.iloc[train], y.iloc[train])
        np.testing.assert_array_equal(predicted[test], own.predict(X.iloc[test]))
    search = GridSearchCV(PIDReg(modalities=BY_NAME, **QUICK), {"members": [2, 3]}, cv=folds).fit(X, y)
    assert search.best_estimator_.members == search.best_params_["members"]
    assert search.score(X, y) == r2_score(y, search.predict(X))


def test_its_tags_say_what_it_takes():
    matrix, mapping = get_tags(PIDReg(modalities=BY_NAME)), get_tags(PIDReg())
    assert is_regressor(PIDReg())
    assert matrix.target_tags.required
    assert matrix.input_tags.allow_nan
    assert (matrix.input_tags.two_d_array, matrix.input_tags.dict) == (True, False)
    assert (mapping.input_tags.two_d_array, mapping.input_tags.dict) == (False, True)


def test_one_person_is_read_as_among_many(by_matrix):
    new = table(seed=1)[0]
    one_by_one = np.concatenate([by_matrix.predict(new.iloc[k : k + 1]) for k in range(len(new))])
    np.testing.assert_allclose(one_by_one, by_matrix.predict(new), rtol=1e-11)


def test_a_frame_and_its_array_give_the_same_bits():
    X, y = table()
    named = PIDReg(**QUICK).fit(blocks(X), y).predict(blocks(X))
    arrays = {m: np.ascontiguousarray(block.to_numpy()) for m, block in blocks(X).items()}
    for given in (arrays, {m: np.asfortranarray(block) for m, block in arrays.items()}):
        np.testing.assert_array_equal(PIDReg(**QUICK).fit(given, y.to_numpy()).predict(given), named)


def test_what_does_not_fit_is_refused(by_matrix):
    X, y = table()
    numbers = X[[*T1, *DWI]].to_numpy()
    model = PIDReg(modalities={"t1": slice(0, 3), "dwi": slice(3, None)}, **QUICK)
    with pytest.raises(InputError, match=r"expected one matrix or DataFrame.* found a mapping"):
        model.fit(blocks(X), y)
    with pytest.raises(InputError, match=r"expected a dense matrix, found a sparse one; use \.toarray"):
        model.fit(csr_array(np.nan_to_num(numbers)), y)
    with pytest.raises(InputError, match="requires y to be passed, but the target y is None"):
        model.fit(numbers, None)
    with pytest.raises(InputError, match="only supported if all input features have string names"):
        model.fit(X[[*T1, *DWI]].rename(columns={"md": 4}), y)
    with pytest.raises(InputError, match="real number, not 'dict'"):
        model.fit(np.where(numbers == numbers[0, 0], {}, numbers.astype(object)), y)
    with pytest.raises(InputError, match="modality 't1': expected numbers"):
        PIDReg(modalities={"t1": ["area", "site"], "dwi": DWI}, **QUICK).fit(X, y)
    with pytest.raises(InputError, match="modality 'dwi': 1 infinite values"):
        model.fit(np.vstack([numbers[:-1], [0, 0, 0, 0, np.inf]]), y.to_numpy())
    with pytest.raises(InputError, match="labels of y are in another order than those of X"):
        model.fit(X[[*T1, *DWI]], y[::-1])
    with pytest.raises(InputError, match="2 or more modalities, found 1"):
        PIDReg(modalities={"t1": [0, 1]}, **QUICK).fit(numbers, y)
    with pytest.raises(InputError, match="labels of y are in another order than those of"):
        by_matrix.score(X, y[::-1])
    with pytest.raises(InputError, match="labels of y are in another order than those of X"):
        by_matrix.decompose(X, y[::-1])
