"""Features of a fold without the effects of sites: by training people alone, saved, and by the rule for other sites."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.config.harmonise import Harmonise
from brainpid.core.errors import InputError
from brainpid.core.seeds import derive
from brainpid.crossfit.folds import stratified_folds
from brainpid.model.fitting import fit_model
from brainpid.model.harmonised import Harmoniser, harmonise

N = 90
SEX = pd.Series(["F", "M", None] * (N // 3), dtype=object)


def study(seed: int = 0, shift: float = 3.0, n: int = N) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Two modalities with shifts of three sites of the same ages, and the people."""
    rng = np.random.default_rng(seed)
    age, code = rng.uniform(20, 80, n), rng.integers(0, 3, n)
    tables = {}
    for m, p in (("t1", 5), ("dwi", 4)):
        values = np.outer((age - 50) / 17, np.ones(p)) + shift * rng.normal(size=(3, p))[code] + rng.normal(size=(n, p))
        tables[m] = pd.DataFrame(values, columns=[f"{m}_{k}" for k in range(p)])
    site = np.array(["a", "b", "c"], dtype=object)[code]
    return tables, pd.DataFrame({"site": site, "sex": SEX.reindex(range(n)).to_numpy(), "age": age})


def test_none_leaves_the_tables_as_they_are():
    tables, people = study()
    found, harmoniser = harmonise(Harmonise(), tables, people, np.ones(N, dtype=bool))
    assert harmoniser is None
    assert all(found[m] is tables[m] for m in tables)


@pytest.mark.parametrize("method", ["location", "location_scale"])
def test_neither_ages_nor_features_of_tested_people_are_looked_at(method):
    tables, people = study()
    training = np.arange(N) < 60
    first, _ = harmonise(Harmonise(method=method), tables, people, training)
    changed = people.assign(age=np.where(training, people["age"], -1e6))
    larger = {m: table * np.where(training, 1, 100)[:, None] for m, table in tables.items()}
    again, _ = harmonise(Harmonise(method=method), larger, changed, training)
    for m in tables:
        pd.testing.assert_frame_equal(first[m][training], again[m][training])
    kept, _ = harmonise(Harmonise(method=method), tables, changed, training)
    pd.testing.assert_frame_equal(first["t1"], kept["t1"])


def test_shifts_of_sites_go_and_predictions_are_better():
    """With shifts three times the noise, ridge errs by a half less; without any it errs as before."""
    errors = {}
    for shift in (3.0, 0.0):
        tables, people = study(1, shift, n=300)
        training = np.arange(300) < 200
        age = people["age"].to_numpy()
        for method in ("none", "location"):
            found, _ = harmonise(Harmonise(method=method), tables, people, training)
            own = {m: table.to_numpy()[:, :2] for m, table in found.items()}
            model = fit_model("ridge", {}, {m: x[training] for m, x in own.items()}, age[training], None, 0).model
            predicted = model.predict({m: x[~training] for m, x in own.items()})
            errors[shift, method] = np.abs(predicted - age[~training]).mean()
    assert errors[3.0, "location"] < 0.75 * errors[3.0, "none"]
    assert errors[0.0, "location"] == pytest.approx(errors[0.0, "none"], rel=0.05)


def test_what_is_saved_beside_the_model_does_the_same(tmp_path):
    tables, people = study()
    tables["dwi"].iloc[:7] = np.nan
    harmoniser = Harmoniser.fit(Harmonise(method="location_scale", unseen="own"), tables, people)
    harmoniser.save(tmp_path)
    again = Harmoniser.load(tmp_path)
    new = people["site"].tolist()[:-9] + ["new"] * 8 + [None]
    for m, table in harmoniser.apply(tables, new, people["sex"]).items():
        pd.testing.assert_frame_equal(again.apply({m: tables[m]}, new, people["sex"])[m], table)
    assert again.unseen == "own"
    assert Harmoniser.load(tmp_path / "nowhere") is None
    (tmp_path / "harmonisation.npz").write_bytes((tmp_path / "harmonisation.npz").read_bytes()[:200])
    with pytest.raises(InputError, match=r"harmonisation\.npz: expected what was written with the model"):
        Harmoniser.load(tmp_path)


def test_people_of_other_sites_are_left_or_refused(caplog):
    tables, people = study()
    caplog.set_level("INFO")
    sites = ["new"] * 3 + [None] + people["site"].tolist()[4:]
    left = Harmoniser.fit(Harmonise(method="location"), tables, people).apply(tables, sites, people["sex"])
    pd.testing.assert_frame_equal(left["t1"].iloc[:4], tables["t1"].iloc[:4])
    assert "4 people are of site new, 1 without a site" in caplog.text
    Harmoniser.fit(Harmonise(method="location"), tables, people).apply(
        tables, [None, *sites[4:], "a", "a", "a"], people["sex"]
    )
    assert "1 person is without a site, which" in caplog.text
    refusing = Harmoniser.fit(Harmonise(method="location", unseen="error"), tables, people)
    with pytest.raises(InputError, match=r"of site new, 1 without a site.*expected those of a, b, c"):
        refusing.apply(tables, sites, people["sex"])


def test_sex_is_no_effect_of_the_site():
    """At one site women alone: what is theirs stays, where sex is a covariate."""
    rng = np.random.default_rng(3)
    n = 2000
    code = np.arange(n) % 2
    sex = np.where((code == 0) | (rng.random(n) < 0.3), "F", "M")
    values = 2.0 * (sex == "F")[:, None] + rng.normal(size=(n, 6))
    people = pd.DataFrame(
        {"site": np.where(code == 0, "a", "b").astype(object), "sex": sex, "age": rng.normal(50, 9, n)}
    )
    tables = {"t1": pd.DataFrame(values)}
    apart = {}
    for covariates in (("sex",), ()):
        settings = Harmonise(method="location", covariates=covariates)
        found = Harmoniser.fit(settings, tables, people).apply(tables, people["site"], people["sex"])["t1"]
        own = (sex == "F") & (code == 1)
        apart[covariates] = float(found[own].mean(axis=None) - found[(sex == "F") & (code == 0)].mean(axis=None))
    assert abs(apart["sex",]) < 0.1
    assert apart[()] > 1


def test_no_information_comes_from_harmonising_before_the_inner_folds():
    """Features that tell the site, ages that do not differ by it: within .01 bits of what is told without."""
    bits, options = [], {"target_transform": "none"}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        n, code = 300, rng.integers(0, 6, 300)
        age = rng.uniform(20, 70, n)
        tables = {m: pd.DataFrame(rng.normal(size=(n, 20)) + rng.normal(size=(6, 20))[code]) for m in ("t1", "dwi")}
        site = np.array(list("abcdef"), dtype=object)[code]
        people = pd.DataFrame({"site": site, "sex": None, "age": age})
        fold, scores = stratified_folds(age, 3, np.random.default_rng(derive(seed)), np.arange(n)), np.empty((2, n))
        for k in range(3):
            training = fold != k
            for way, method in enumerate(("none", "location_scale")):
                found, _ = harmonise(Harmonise(method=method), tables, people, training)
                own = {m: table.to_numpy() for m, table in found.items()}
                fitted = fit_model("ridge", options, {m: x[training] for m, x in own.items()}, age[training], None, 0)
                told = fitted.model.log_scores({m: x[~training] for m, x in own.items()}, age[~training], age[training])
                scores[way, ~training] = told["t1", "dwi"]
        bits.append(scores.mean(axis=1))
    without, harmonised = np.mean(bits, axis=0)
    assert abs(harmonised - without) < 0.01
    assert harmonised < 0.01
