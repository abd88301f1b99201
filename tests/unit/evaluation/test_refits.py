"""Refits to parts of the training people: who is in a part, and what is told of the held-out people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainpid.core.seeds import derive
from brainpid.evaluation.refits import FRACTIONS, Study, part_of, refit, usable_fractions
from brainpid.model.baselines.linear import Ridge
from brainpid.model.registry import ModelEntry


def study_of(n=60, folds=2, groups=None, seed=0):
    """People whose two modalities tell of their age, in one repeat of folds."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 80, n)
    X = {m: (age[:, None] - 50) / 17 + rng.standard_normal((n, 3)) for m in ("t1", "dwi")}
    people = pd.DataFrame({"participant_id": [f"sub-{k:02}" for k in range(n)], "cohort": "a", "site": "a", "age": age})
    roles = [np.where(np.arange(n) % folds == k, "test", "train") for k in range(folds)]
    return Study(people, X, groups, [(0, k, role) for k, role in enumerate(roles)])


def test_a_part_takes_the_same_of_every_cohort_and_larger_parts_hold_smaller_ones():
    cohort = np.repeat(["a", "b"], [60, 20])
    parts = [part_of(cohort, None, f, np.random.default_rng(3)) for f in (0.35, 0.5, 1.0)]
    assert [int(part[:60].sum()) for part in parts] == [21, 30, 60]
    assert [int(part[60:].sum()) for part in parts] == [7, 10, 20]
    assert (parts[0] <= parts[1]).all()


def test_groups_are_taken_whole():
    groups = np.repeat(np.arange(20), 3)
    part = part_of(np.full(60, "a"), groups, 0.5, np.random.default_rng(0))
    assert part.sum() == 30
    assert set(np.bincount(groups, weights=part)) == {0.0, 3.0}


def test_everybody_is_held_out_once_for_each_part_by_a_reader_that_has_not_seen_them():
    study = study_of()
    table = refit(study, (0.7, 1.0), {}, seed=0)
    assert (table.groupby(["fraction", "participant_id"]).size() == 1).all()
    assert len(table) == 120
    assert {"subset_t1", "subset_dwi", "subset_t1+dwi", "log_score_t1+dwi"} <= set(table)
    # A target that no reader has seen does not change what is predicted of the person.
    other = study_of()
    other.people.loc[0, "age"] = 79.0
    again = refit(other, (1.0,), {}, seed=0)
    own = (again["participant_id"] == "sub-00").to_numpy()
    full = table[table["fraction"] == 1.0].reset_index(drop=True)
    np.testing.assert_allclose(again["subset_t1+dwi"][own], full["subset_t1+dwi"][own])
    assert not np.allclose(again["subset_t1+dwi"][~own], full["subset_t1+dwi"][~own])


def test_parts_that_leave_too_few_people_are_not_taken():
    assert usable_fractions(study_of(400)) == FRACTIONS
    assert usable_fractions(study_of(60)) == (0.7, 0.85, 1.0)  # 21 of 30 are twice the fewest of a baseline
    lacking = study_of(400)
    lacking.X["t1"][:350] = np.nan
    assert usable_fractions(lacking) == (0.85, 1.0)


def test_people_of_a_site_that_is_left_out_are_read_as_such(monkeypatch):
    """As `train` reads them; where the fold's people are of one site, nothing is said of sites."""
    study = study_of(150)
    study.people["site"] = np.repeat([f"s{k}" for k in range(5)], 30)
    role = np.where(study.people["site"] == "s0", "test", "train")
    given = []

    class Looked(Ridge):
        def read(self, X, sites=None):
            given.append(sites)
            return super().read(X, sites)

    monkeypatch.setattr(ModelEntry, "load_class", lambda entry: Looked)
    of_sites = Study(study.people, study.X, None, [(0, 0, role)])
    told = refit(of_sites, (1.0,), {"alphas": 5}, seed=0)
    assert given[0].tolist() == ["s0"] * 30
    train = role == "train"
    X, y = {m: x[train] for m, x in study.X.items()}, study.people["age"].to_numpy()[train]
    model = Ridge(alphas=5, random_state=derive(0, "plan", "fit", 0, 0)).fit(X, y, sites=study.people["site"][train])
    read = model.read({m: x[~train] for m, x in study.X.items()}, np.full(30, "s0", dtype=object))
    expected = model.log_scores(read, study.people["age"][~train], y)["t1", "dwi"]
    np.testing.assert_array_equal(told["log_score_t1+dwi"], expected)
    given.clear()
    role[study.people["site"] != "s0"] = ""
    role[:15] = "train"
    refit(Study(study.people, study.X, None, [(0, 0, role)]), (1.0,), {"alphas": 5}, seed=0)
    assert given[0] is None
