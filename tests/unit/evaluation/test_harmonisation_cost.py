"""What harmonisation changes, by the cheap model both ways in the same folds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.config.harmonise import Harmonise
from brainpid.evaluation.harmonisation_cost import COLUMNS, CostStudy, cost_of_scheme
from brainpid.evaluation.transfer import PEOPLE, SITES


def study(shift: float, sites: int = 6, n: int = 240, **settings) -> CostStudy:
    """Ages alike at all sites, features shifted by the site."""
    rng = np.random.default_rng(0)
    age, code = rng.uniform(20, 80, n), np.arange(n) % sites
    people = pd.DataFrame(
        {"participant_id": [f"sub-{k}" for k in range(n)], "cohort": "a", "sex": None, "age": age,
         "site": [f"s{k}" for k in code]}
    )  # fmt: skip
    tables = {
        m: pd.DataFrame(np.outer((age - 50) / 17, np.ones(3)) + shift * rng.normal(size=(sites, 3))[code]
                        + rng.normal(size=(n, 3)), columns=list("xyz"))
        for m in ("t1", "dwi")
    }  # fmt: skip
    used = Harmonise.model_validate({"method": "location"} | settings)
    return CostStudy(people, tables, None, used, {"alphas": 5}, 0)


def folds(n: int = 240, k: int = 3):
    return [(0, fold, np.where(np.arange(n) // 6 % k == fold, "test", "train"), False) for fold in range(k)]


def test_shifts_of_sites_cost_without_harmonisation_and_nothing_with():
    found = cost_of_scheme(study(3.0), "kfold", folds(), 0.95).set_index("quantity")
    assert found.reset_index().columns.sort_values().tolist() == sorted(COLUMNS)
    assert found.loc["mae", "ci_high"] < 0
    assert found.loc["bits", "ci_low"] > 0
    assert found.loc["r2_within_site", "difference"] > 0.1
    np.testing.assert_allclose(found["harmonised"] - found["as_they_are"], found["difference"])
    assert (found["n"] == 240).all()
    assert (found["interval_over"] == SITES).all()
    assert found.loc["r2_within_site", "harmonised"] == pytest.approx(1 - 1 / 7, abs=0.1)  # six readings with noise


def test_without_shifts_nothing_changes_much_and_few_sites_have_intervals_over_people():
    found = cost_of_scheme(study(0.0, sites=2), "kfold", folds(), 0.95).set_index("quantity")
    assert abs(found.loc["mae", "difference"]) < 0.3
    assert (found["interval_over"] == PEOPLE).all()
    alone = cost_of_scheme(study(0.0, sites=1), "kfold", folds(), 0.95).set_index("quantity")
    assert alone.index.tolist() == ["mae", "bits"]
    assert alone.loc["mae", ["difference", "ci_low", "ci_high"]].tolist() == pytest.approx([0, 0, 0], abs=1e-6)


def test_sites_left_out_are_predicted_by_the_rule():
    role = [(0, k, np.where(np.arange(240) % 6 == k, "test", "train"), True) for k in range(6)]
    left, own = (
        cost_of_scheme(study(3.0, unseen=unseen), "leave_one_site_out", role, 0.95).set_index("quantity")
        for unseen in ("none", "own")
    )
    np.testing.assert_allclose(left["as_they_are"], own["as_they_are"])
    assert own.loc["mae", "harmonised"] < left.loc["mae", "harmonised"]  # ages are alike, so that own moments help
