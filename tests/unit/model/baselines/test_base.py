"""Baselines learn what is there, see nothing of other people, and come back from disk as they were."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from sklearn.base import clone

from brainpid.core.errors import InputError
from brainpid.crossfit.folds import stratified_folds
from brainpid.model.baselines.base import INNER_FOLDS
from brainpid.model.baselines.linear import Ridge
from brainpid.model.registry import MODELS

SMALL = {
    "gradient_boosting": {"max_iter": 40},
    "random_forest": {"trees": 40},
    "stacking": {"experts": ("ridge", "svr")},
    "mlp": {"members": 2, "epochs": 20, "alphas": (1.0, 10.0)},
}

BASELINES = [name for name in MODELS if name != "pidreg"]

LEARNERS = [name for name in BASELINES if name != "mean"]

SUBSETS = {("t1",), ("dwi",), ("t1", "dwi")}


def make(name: str, **options):
    return MODELS[name].load_class()(**SMALL.get(name, {}) | options)


def cohort(n: int = 150, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    features = {"t1": g[:, None] + rng.normal(size=(n, 6)), "dwi": 0.5 * g[:, None] + rng.normal(size=(n, 4))}
    features["t1"][::17, 2] = np.nan
    return features, 50 + 15 * g


def gappy(n: int = 150, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A cohort in which every fifth person lacks t1 and every seventh other one dwi."""
    X, y = cohort(n, seed)
    X["t1"][::5] = np.nan
    X["dwi"][[row for row in range(1, n, 7) if row % 5]] = np.nan
    return X, y


def folds_of(target: np.ndarray) -> np.ndarray:
    """Inner folds of a baseline with random state 0."""
    return stratified_folds(target, INNER_FOLDS, np.random.default_rng(0))


@pytest.fixture(scope="module")
def models():
    """Every baseline, fitted to a cohort with missing modalities."""
    return {name: make(name).fit(*gappy()) for name in BASELINES}


@pytest.fixture(params=BASELINES)
def fitted(request, models):
    return models[request.param]


@pytest.fixture(params=LEARNERS)
def learner(request, models):
    return models[request.param]


def test_it_learns(learner):
    X, y = cohort(seed=1)
    assert np.corrcoef(learner.predict(X), y)[0, 1] > 0.8
    assert np.corrcoef(learner.scalar_latents(X)["dwi"], y)[0, 1] > 0.4  # the truth allows 0.71
    assert np.abs(learner.predict(X) - y).mean() < 0.8 * np.abs(learner.subset_predictions(X)[("dwi",)] - y).mean()


def test_the_mean_is_the_mean(models):
    X, y = gappy()
    np.testing.assert_allclose(models["mean"].predict(X), y.mean())
    assert (models["mean"].scalar_latents(cohort()[0])["t1"] == 0).all()


def test_out_of_fold_errors_are_larger_than_those_of_the_fit(learner):
    X, y = gappy()
    out_of_fold = np.abs(learner.out_of_fold_prediction_ - y).mean()
    assert np.abs(learner.predict(X) - y).mean() < out_of_fold < 0.7 * np.abs(y - y.mean()).mean()


def test_people_are_predicted_from_what_they_have(fitted):
    X, _ = gappy(seed=1)
    lacks = {modality: np.isnan(block).all(axis=1) for modality, block in X.items()}
    predicted, subsets, latents = fitted.predict(X), fitted.subset_predictions(X), fitted.scalar_latents(X)
    assert set(subsets) == SUBSETS
    both = ~lacks["t1"] & ~lacks["dwi"]
    for rows, subset in ((both, ("t1", "dwi")), (lacks["t1"], ("dwi",)), (lacks["dwi"], ("t1",))):
        np.testing.assert_allclose(predicted[rows], subsets[subset][rows], rtol=1e-12)
    for modality in X:
        np.testing.assert_array_equal(np.isnan(subsets[(modality,)]), lacks[modality])
        np.testing.assert_array_equal(np.isnan(latents[modality]), lacks[modality])
    nobody = {modality: np.full((1, block.shape[1]), np.nan) for modality, block in X.items()}
    assert np.isnan(fitted.predict(nobody)).all()
    assert np.isnan(fitted.predict_interval(nobody)).all()


def test_intervals_cover_people_of_every_pattern(fitted):
    X, y = gappy(600, seed=2)
    low, high = fitted.predict_interval(X, 0.8).T
    inside = (low <= y) & (y <= high)
    lacks = np.isnan(X["t1"]).all(axis=1)
    assert inside[~lacks].mean() == pytest.approx(0.8, abs=0.1)
    assert inside[lacks].mean() == pytest.approx(0.8, abs=0.1)
    wider = np.diff(fitted.predict_interval(X, 0.9), axis=1)
    assert (wider[:, 0] > high - low).all()


@pytest.mark.parametrize("name", BASELINES)
def test_order_of_modalities_does_not_matter(name, models):
    X, y = gappy()
    turned = make(name).fit({"dwi": X["dwi"], "t1": X["t1"]}, y)
    new, _ = gappy(seed=1)
    np.testing.assert_array_equal(turned.predict(new), models[name].predict(new))
    np.testing.assert_array_equal(turned.out_of_fold_prediction_, models[name].out_of_fold_prediction_)


def test_what_was_chosen_is_told_in_plain_values(fitted):
    told = fitted.chosen()
    assert json.loads(json.dumps(told)) == told
    assert told["target_transform"] in {"normal_scores", "none"}
    assert set(told["settings"]) == {"t1", "dwi", "t1+dwi"}


def test_what_was_chosen_is_what_is_used(models):
    ridge = models["ridge"]
    for subset, fit in ridge.fits_.items():
        assert ridge.chosen()["settings"]["+".join(subset)] == {"alpha": fit.regressor.alpha}
    stack = models["stacking"]
    told = stack.chosen()["settings"]["t1+dwi"]
    assert list(told["experts"]) == ["dwi", "t1", "dwi+t1"]
    kinds = [kind for experts in told["experts"].values() for kind in experts.values()]
    assert [kind["weight"] for kind in kinds] == stack.fits_["t1", "dwi"].stack.coef_.tolist()


def test_it_comes_back_from_disk(fitted, tmp_path):
    X, _ = gappy(seed=1)
    fitted.save(tmp_path)
    loaded = type(fitted).load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    np.testing.assert_array_equal(loaded.predict_interval(X), fitted.predict_interval(X))
    first = (tmp_path / "model.joblib").read_bytes()
    fitted.save(tmp_path)
    assert (tmp_path / "model.joblib").read_bytes() == first


def test_a_model_of_another_kind_is_refused(models, tmp_path):
    models["mean"].save(tmp_path)
    with pytest.raises(InputError, match="expected a Ridge, found a Mean"):
        Ridge.load(tmp_path)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_a_file_that_was_cut_off_is_refused_in_words(models, tmp_path, part):
    models["ridge"].save(tmp_path)
    path = tmp_path / "model.joblib"
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    with pytest.raises(InputError, match=r"model\.joblib: expected a saved Ridge; the file is cut off"):
        Ridge.load(tmp_path)
    with pytest.raises(InputError, match="the file does not exist"):
        Ridge.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["ridge", "svr", "gradient_boosting", "random_forest", "mlp", "mean"])
def test_a_held_out_prediction_does_not_see_the_persons_own_target(name):
    """With settings given, targets of one inner fold are exchanged among its people: their predictions stay."""
    X, y = cohort(100)
    given = {
        "ridge": {"log10_alpha_range": (1.0, 1.0 + 1e-9), "alphas": 2},
        "svr": {"widths": (0.3,), "costs": (1.0,)},
        "gradient_boosting": {"max_iter": 1, "max_leaf_nodes": (4,)},
        "mlp": {"alphas": (1.0,)},
    }
    options = given.get(name, {}) | ({} if name == "mean" else {"target_transform": "normal_scores"})
    own = folds_of(y) == 0
    changed = y.copy()
    changed[own] = y[own][::-1]
    before, after = (make(name, **options).fit(X, target) for target in (y, changed))
    np.testing.assert_array_equal(folds_of(changed) == 0, own)
    np.testing.assert_array_equal(before.out_of_fold_prediction_[own], after.out_of_fold_prediction_[own])
    if name != "mean":
        assert not np.array_equal(before.out_of_fold_prediction_[~own], after.out_of_fold_prediction_[~own])


@pytest.mark.parametrize("name", BASELINES)
def test_groups_share_inner_folds(name):
    """Copies of a person are held out together, so that nobody is predicted from the own copy."""
    X, y = cohort(60)
    rng = np.random.default_rng(0)
    X = {modality: np.repeat(rng.normal(size=block.shape), 3, axis=0) for modality, block in X.items()}  # noise alone
    y, person = np.repeat(y, 3), np.repeat(np.arange(60), 3)
    model = make(name).fit(X, y, groups=person)
    assert np.corrcoef(model.out_of_fold_prediction_, y)[0, 1] < 0.4  # with copies on both sides it is 0.9


def test_scalar_latents_are_normal_scores():
    X, y = gappy()
    for transform in ("normal_scores", "none"):
        scores = Ridge(target_transform=transform).fit(X, y).scalar_latents(X)
        assert set(scores) == set(X)
        assert 0.3 < np.nanstd(scores["t1"]) < 1.2


@pytest.mark.parametrize("better", ["none", "normal_scores"])
def test_the_better_map_of_the_target_is_taken(better):
    """A target of two clusters is linear in the features and far from it in ranks; an exponential is the reverse."""
    rng = np.random.default_rng(0)
    clusters = rng.choice([-2.0, 2.0], 300) + 0.3 * rng.normal(size=300)
    g = clusters if better == "none" else rng.normal(size=300)
    X = {name: g[:, None] + 0.3 * rng.normal(size=(300, 3)) for name in ("t1", "dwi")}
    y = 50 + 10 * g if better == "none" else np.exp(2 * g)
    errors = {
        name: np.abs(Ridge(target_transform=name).fit(X, y).out_of_fold_prediction_ - y).mean()
        for name in ("auto", "normal_scores", "none")
    }
    assert Ridge().fit(X, y).target_transform_ == better
    assert errors["auto"] == errors[better] < max(errors.values())


@pytest.mark.parametrize("name", BASELINES)
def test_bad_input_is_named(name):
    X, y = cohort(40)
    model = make(name)
    with pytest.raises(InputError, match="expected a target of shape"):
        model.fit(X, y[:-1])
    with pytest.raises(InputError, match="7 training people have every modality"):
        clone(model).fit({"t1": X["t1"], "dwi": np.where(np.arange(40)[:, None] < 7, X["dwi"], np.nan)}, y)


def test_an_unknown_modality_is_named(models):
    X, _ = cohort(40, seed=5)
    for model in models.values():
        with pytest.raises(InputError, match=r"expected some of the modalities t1, dwi, found .*pet"):
            model.predict({"t1": X["t1"], "pet": X["t1"]})


@pytest.mark.parametrize("name", BASELINES)
def test_every_option_can_be_set(name):
    """scikit-learn's clone and get_params need each option kept under its own name."""
    options = {key for key in inspect.signature(type(make(name)).__init__).parameters if key != "self"}
    assert set(make(name).get_params()) == options
