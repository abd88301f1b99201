"""People of sites that training has not seen: intervals that hold, and nothing that changes for others."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.model import PIDReg
from brainpid.model.baselines.linear import Ridge
from brainpid.model.baselines.mean import Mean
from brainpid.model.baselines.stacking import Stacking
from brainpid.model.varying import WholeReads

QUICK = {"members": 2, "epochs": 2, "hidden": (4,), "recipe": "compact"}
MODELS = [
    Ridge(alphas=5),
    Stacking(experts=("ridge",)),
    Mean(),
    PIDReg(**QUICK, experts=("normative", "kernel")),
    PIDReg(**QUICK, experts=()),
]


def cohort(n_sites: int, seed: int, size: int = 25, shift: float = 0.6) -> tuple[dict, np.ndarray, np.ndarray]:
    """Sites that differ in one direction of the features, which tells the age too."""
    rng = np.random.default_rng(seed)
    site = np.repeat([f"{seed}-{k}" for k in range(n_sites)], size).astype(object)
    g = rng.normal(size=len(site))
    moved = np.repeat(shift * rng.normal(size=n_sites), size)
    X = {m: (g + moved)[:, None] + 0.5 * rng.normal(size=(len(site), 3)) for m in ("t1", "dwi")}
    X["dwi"][::7] = np.nan
    return X, 50 + 15 * g, site


def everything(model, read, y) -> dict[str, np.ndarray]:
    found = {"predicted": model.predict(read), "interval": model.predict_interval(read)}
    for what in ("scalar_latents", "subset_predictions", "expected_gain"):
        found |= {f"{what} {key}": values for key, values in getattr(model, what)(read).items()}
    return found | {f"bits {key}": values for key, values in model.log_scores(read, y).items()}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_people_of_known_sites_are_read_as_ever_and_others_by_their_own_densities(model, tmp_path):
    X, y, site = cohort(6, seed=0, size=15)
    new, age, _ = cohort(2, seed=1, size=10)
    without = everything(model.fit(X, y), model.read(new), age)
    model.fit(X, y, sites=site)
    own = np.array(["0-1"] * 8 + [None, float("nan")] + ["elsewhere"] * 10, dtype=object)
    for what, values in everything(model, model.read(new, own), age).items():
        np.testing.assert_allclose(values[:10], without[what][:10], rtol=1e-12, atol=1e-12, err_msg=what)
    for what, values in everything(model, model.read(new), age).items():
        np.testing.assert_array_equal(values, without[what], err_msg=what)
    elsewhere = everything(model, model.read(new, own), age)
    assert (elsewhere["interval"] != without["interval"])[10:].any()
    subsets = model.subset_predictions(model.read(new, own))
    for subset, bits in model.rescored(subsets, age, y, own).items():
        expected = model.log_scores(model.read(new, own), age, y)[subset]
        np.testing.assert_array_equal(bits, expected)
    model.save(tmp_path)
    again = type(model).load(tmp_path)
    for what, values in everything(again, again.read(new, own), age).items():
        np.testing.assert_array_equal(values, elsewhere[what], err_msg=what)


@pytest.mark.parametrize("model", [Ridge(alphas=5), PIDReg(**QUICK, experts=("normative", "kernel"))])
def test_intervals_hold_at_new_sites(model):
    """Of 16 training sites whose features are shifted as those of 40 new ones are."""
    found = []
    new, age, elsewhere = cohort(40, seed=99, size=15, shift=1.0)
    for seed in range(4):
        X, y, site = cohort(16, seed=seed, size=15, shift=1.0)
        model.fit(X, y, sites=site)
        for given in (None, elsewhere):
            read = model.read(new, given)
            low, high = model.predict_interval(read).T
            covered = np.mean((low <= age) & (age <= high))
            error = np.abs(model.predict(read) - age).mean()
            found.append((covered, np.nanmean(model.log_scores(read, age)["t1", "dwi"]), error))
    known, at_new = np.mean(found[::2], axis=0), np.mean(found[1::2], axis=0)
    assert known[0] < 0.89
    assert 0.89 < at_new[0] < 0.94
    assert at_new[1] > known[1] - 0.05
    assert at_new[2] <= known[2]


def test_from_two_sites_nothing_is_learned(caplog):
    caplog.set_level("INFO")
    X, y, site = cohort(2, seed=0)
    new, _, elsewhere = cohort(1, seed=1)
    model = Ridge(alphas=5).fit(X, y, sites=site)
    assert "training has 2 sites" in caplog.text
    np.testing.assert_array_equal(
        model.predict_interval(model.read(new, elsewhere)), model.predict_interval(model.read(new))
    )
    assert model.unseen_densities_ is None


STRAIGHT = {"target_transform": "none", "feature_transform": "none"}


@pytest.mark.parametrize(
    "model",
    [Ridge(alphas=5), *(PIDReg(**QUICK, **STRAIGHT, experts=own) for own in (("normative", "kernel"), ()))],
)
def test_people_vary_as_they_are_read(model):
    """Those of a new site by the model that predicts there, those of a known site by the other."""
    X, y, site = cohort(6, seed=0, size=15)
    model.fit(X, y, sites=site)
    people = {m: np.nan_to_num(block[:20]) for m, block in cohort(2, seed=1, size=12)[0].items()}
    people["t1"][[3, 13]] = np.nan
    own = np.array(["0-1"] * 9 + [None] + ["elsewhere"] * 10, dtype=object)
    columns = np.array([0, 2])
    changed = np.stack([people["dwi"] + 0.5, people["dwi"][::-1]])[..., columns]
    little = np.stack([people["dwi"] + 0.01, people["dwi"] - 0.01])[..., columns]
    for given in (own, np.full(20, "elsewhere", dtype=object), np.full(20, "0-1", dtype=object), None):

        def predict(people, given=given):
            rows = len(people["t1"]) // 20
            return model.predict(model.read(people, None if given is None else np.tile(given, rows)))

        varying, whole = model.vary(people, "dwi", given), WholeReads(predict, people, "dwi")
        np.testing.assert_allclose(varying(columns, changed), whole(columns, changed), rtol=2e-6)
        found, expected = (np.subtract(*way.each(columns, little)) for way in (varying, whole))
        np.testing.assert_allclose(found, expected, atol=0.05 * np.abs(expected).max())


@pytest.mark.parametrize("model", [Ridge(alphas=5), PIDReg(**QUICK, experts=("normative",))])
def test_sites_that_share_a_family_are_left_out_together(model, caplog):
    caplog.set_level("INFO")
    X, y, site = cohort(4, seed=0, size=15)
    X["t1"][3] = X["dwi"][3] = np.nan  # takes no part
    group = np.arange(60)
    group[[2, 20]] = 99
    model.fit(X, y, groups=group, sites=site)
    assert "sites that share groups are left out together: 4 are 3" in caplog.text
