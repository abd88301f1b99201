"""Permutation importance and effects against models whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.evaluation.importance import (
    COLUMNS,
    WHOLE_CELLS,
    Columns,
    affordable,
    agreement,
    importances,
    most_related,
    summarise,
    within_limit,
)
from brainpid.model.varying import WholeReads

RNG = np.random.default_rng(0)
T1 = RNG.normal(size=(150, 4)) * [1, 2, 1, 1]
DWI = RNG.normal(size=(150, 2))
SCALE = {"t1": np.array([1.0, 2, 1, np.inf]), "dwi": np.ones(2)}
REGIONS = {"t1": [("hippocampus",), ("hippocampus",), ("insula",), ()], "dwi": [("fornix",), ("fornix",)]}
NAMES = {"t1": ["gm_hippocampus", "wm_hippocampus", "gm_insula", "icv"], "dwi": ["fa_fornix", "md_fornix"]}


def linear(X):
    """``3 t1_0 - t1_1 + 2 dwi_0``; the other features do nothing. A missing modality counts as 0."""
    return np.nan_to_num(3 * X["t1"][:, 0] - X["t1"][:, 1]) + np.nan_to_num(2 * X["dwi"][:, 0])


def whole(predict):
    """People as they vary by reading them anew."""
    return lambda blocks, modality: WholeReads(predict, blocks, modality)


def columns(**alone):
    return {
        m: Columns(names, ["mm^3"] * len(names), REGIONS[m], SCALE[m], alone.get(m, np.ones(len(names), dtype=bool)))
        for m, names in NAMES.items()
    }


def table(X=None, target=None, permutations=20, seed=(0, 0, 0), own=None):
    X = {"t1": T1, "dwi": DWI} if X is None else X
    target = linear(X) if target is None else target
    return importances(whole(linear), X, target, own or columns(), permutations, list(seed))


def test_a_linear_model_s_answers():
    found = table()
    assert list(found) == COLUMNS
    assert found["scope"].tolist() == ["modality", "region", *["feature"] * 4, "modality", "region", *["feature"] * 2]
    features = found[found["scope"] == "feature"].set_index("feature")
    # The prediction moves by coefficient times standard deviation, whatever the others are.
    np.testing.assert_allclose(features["effect"], [3, -2, 0, 0, 2, 0], atol=1e-12)
    # E|c (x - x')| = 2 |c| s / sqrt(pi) between two independent normal values, where the model has no error.
    np.testing.assert_allclose(features["importance"], np.array([3, 2, 0, 0, 2, 0]) * 2 / np.sqrt(np.pi), rtol=0.1)
    np.testing.assert_allclose(features["change"], features["importance"], rtol=1e-12)  # no error before
    assert (features.loc[["gm_insula", "icv", "md_fornix"], "importance"] == 0).all()
    whole = found[found["scope"] == "modality"].set_index("modality")["importance"]
    region = found[found["scope"] == "region"].set_index("modality")
    assert region["region"].tolist() == ["hippocampus", "fornix"]
    assert whole["t1"] == region.loc["t1", "importance"]  # the region has all that the model uses
    assert whole["t1"] == pytest.approx(np.sqrt(3**2 + 2**2) * 2 / np.sqrt(np.pi), rel=0.1)


def test_who_lacks_a_modality_has_no_part_in_its_importance():
    missing = np.arange(150) < 50
    X = {"t1": T1, "dwi": np.where(missing[:, None], np.nan, DWI)}
    target = linear(X)
    found = table(X, target)
    assert found.groupby("modality")["n"].first().to_dict() == {"t1": 150, "dwi": 100}
    dwi = found[found["modality"] == "dwi"].drop(columns="n")
    alone = table({m: block[~missing] for m, block in X.items()}, target[~missing])
    assert np.allclose(dwi["effect"].dropna(), alone.loc[alone["modality"] == "dwi", "effect"].dropna())
    one = {"t1": T1, "dwi": np.where(np.arange(150)[:, None] > 0, np.nan, DWI)}
    assert table(one).query("modality == 'dwi'")["importance"].isna().all()


def test_a_model_that_is_worse_with_a_feature_has_a_negative_importance():
    found = table(target=RNG.normal(size=150) - 6 * T1[:, 0])
    assert found.set_index("feature")["importance"]["gm_hippocampus"] < 0
    np.testing.assert_array_equal(found["change"], table()["change"])  # whatever the target is


def test_the_same_seed_gives_the_same_and_the_order_of_people_does_not_matter_to_effects():
    pd.testing.assert_frame_equal(table(), table())
    assert not table()["importance"].equals(table(seed=(0, 0, 1))["importance"])


def test_of_many_features_the_most_related_are_looked_at_one_by_one():
    target = linear({"t1": T1, "dwi": DWI})
    chosen = most_related(np.where(RNG.random(T1.shape) < 0.1, np.nan, T1), target, 2)
    np.testing.assert_array_equal(chosen, [True, True, False, False])
    found = table(own=columns(t1=chosen))
    assert found.query("modality == 't1'")["feature"].dropna().tolist() == ["gm_hippocampus", "wm_hippocampus"]
    assert most_related(T1, target, 4).all()


def test_a_region_is_every_feature_that_touches_it_and_names_do_not_matter():
    """An edge is in the groups of both regions that it joins: four edges of a square, and a measure of one corner."""
    ends = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("a",)]
    names = ["z_L_x__R_visual", "z_y__R_visual", "fa_R_visual", "gm_R_visual", "x__R_visual"]
    X = {"fmri": RNG.normal(size=(150, 5))}
    weights = np.array([1.0, 2, 4, 8, 16])
    own = {"fmri": Columns(names, ["1"] * 5, ends, np.ones(5), np.ones(5, dtype=bool))}
    model = lambda block: block["fmri"] @ weights  # noqa: E731
    found = importances(whole(model), X, model(X), own, 50, [0, 0, 0])
    regions = found[found["scope"] == "region"].set_index("region")["change"]
    members = {"a": [0, 3, 4], "b": [0, 1], "c": [1, 2], "d": [2, 3]}
    assert regions.index.tolist() == list(members)
    sizes = [np.sqrt((weights[own] ** 2).sum()) * 2 / np.sqrt(np.pi) for own in members.values()]
    np.testing.assert_allclose(regions, sizes, rtol=0.15)
    features = found[found["scope"] == "feature"]
    assert features["region"].tolist() == ["a+b", "b+c", "c+d", "a+d", "a"]
    none = {"fmri": Columns(names, ["1"] * 5, [()] * 5, np.ones(5), np.ones(5, dtype=bool))}
    without = importances(whole(model), X, model(X), none, 2, [0, 0, 0])
    assert "region" not in set(without["scope"])
    assert without["region"].isna().all()


def test_summary_over_folds():
    folds = [table(seed=(0, 0, fold)) for fold in range(3)]
    folds[2] = folds[2].assign(effect=-folds[2]["effect"])
    found = summarise(folds)
    assert found["scope"].tolist() == ["modality"] * 2 + ["region"] * 2 + ["feature"] * 6
    features = found[found["scope"] == "feature"].set_index("feature")
    assert features.index[0] == "gm_hippocampus"
    assert features.loc["gm_hippocampus", ["rank", "rank_sd", "n_folds"]].tolist() == [1, 0, 3]
    assert features["effect"]["gm_hippocampus"] == pytest.approx(1)
    assert features["sign_agreement"]["gm_hippocampus"] == pytest.approx(2 / 3)
    assert features["units"].eq("mm^3").all()
    mean = np.mean([fold.set_index("feature")["importance"]["fa_fornix"] for fold in folds])
    assert features["importance"]["fa_fornix"] == pytest.approx(mean)
    assert agreement(folds) > 0.9
    assert agreement(folds[:1]) is None
    assert summarise([]).empty
    assert agreement([]) is None


def test_what_a_model_reads_as_a_whole_is_bounded_at_any_width():
    assert affordable(False, 20, 5, 10**9) is None
    for people in (20, 200, 5000):
        for width in (100, 20_000, 10**6):
            limit = affordable(True, people, 5, width)
            assert limit * 7 * min(people, 200) * width <= WHOLE_CELLS
            assert (limit + 1) * 7 * min(people, 200) * width > WHOLE_CELLS
    assert affordable(True, 60, 5, 1500) > 1000  # nothing changes for tables of an ordinary width


def test_regions_come_before_single_features_and_all_or_none():
    edges = [("a", "b"), ("b", "c"), ("a", "c"), ()]
    assert within_limit(edges, 1000, None) == (edges, 1000, False)
    assert within_limit(edges, 1000, 10) == (edges, 7, False)
    assert within_limit(edges, 5, 10) == (edges, 5, False)
    assert within_limit(edges, 1000, 3) == (edges, 1, False)
    assert within_limit(edges, 1000, 2) == ([()] * 4, 2, True)
