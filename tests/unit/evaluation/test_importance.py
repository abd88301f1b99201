"""Permutation importance and effects against models whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.evaluation import importance
from brainpid.evaluation.importance import COLUMNS, Columns, importances
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
    return lambda blocks, modality, sites: WholeReads(predict, blocks, modality)


def columns():
    return {
        m: Columns(names, ["mm^3"] * len(names), REGIONS[m], [None] * len(names), SCALE[m])
        for m, names in NAMES.items()
    }


def table(X=None, target=None, permutations=20, seed=(0, 0, 0)):
    X = {"t1": T1, "dwi": DWI} if X is None else X
    target = linear(X) if target is None else target
    return importances(whole(linear), X, target, columns(), permutations, 30, list(seed))


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
    assert (features.loc[["gm_insula", "icv", "md_fornix"], ["change", "importance"]] == 0).all(axis=None)
    whole = found[found["scope"] == "modality"].set_index("modality")["importance"]
    region = found[found["scope"] == "region"].set_index("modality")
    assert region["region"].tolist() == ["hippocampus", "fornix"]
    assert whole["t1"] == pytest.approx(region.loc["t1", "importance"])  # the region has all that the model uses
    assert (found["exact"] == 1).all()
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


def test_a_region_is_every_feature_that_touches_it_and_names_do_not_matter():
    """An edge is in the groups of both regions that it joins: four edges of a square, and a measure of one corner."""
    ends = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("a",)]
    names = ["z_L_x__R_visual", "z_y__R_visual", "fa_R_visual", "gm_R_visual", "x__R_visual"]
    X = {"fmri": RNG.normal(size=(150, 5))}
    weights = np.array([1.0, 2, 4, 8, 16])
    own = {"fmri": Columns(names, ["1"] * 5, ends, [None] * 5, np.ones(5))}
    model = lambda block: block["fmri"] @ weights  # noqa: E731
    found = importances(whole(model), X, model(X), own, 50, 30, [0, 0, 0])
    regions = found[found["scope"] == "region"].set_index("region")["change"]
    members = {"a": [0, 3, 4], "b": [0, 1], "c": [1, 2], "d": [2, 3]}
    assert regions.index.tolist() == list(members)
    sizes = [np.sqrt((weights[own] ** 2).sum()) * 2 / np.sqrt(np.pi) for own in members.values()]
    np.testing.assert_allclose(regions, sizes, rtol=0.15)
    features = found[found["scope"] == "feature"]
    assert features["region"].tolist() == ["a+b", "b+c", "c+d", "a+d", "a"]
    none = {"fmri": Columns(names, ["1"] * 5, [()] * 5, ["a", "a", None, "b", "b"], np.ones(5))}
    without = importances(whole(model), X, model(X), none, 2, 30, [0, 0, 0])
    assert without["scope"].tolist() == ["modality", "group", "group", *["feature"] * 5]
    assert without["region"].isna().all()
    assert without["group"].fillna("").tolist() == ["", "a", "b", "a", "a", "", "b", "b"]


class Counted:
    """``10 sum_j w_j x_j + 3 x_0 x_1`` of one modality, by its slopes and by reading it, which is counted."""

    exact = False

    def __init__(self, blocks, weights, reads):
        self.block, self.weights, self.reads = blocks["m"], weights, reads

    def predict(self, block):
        return 10 * block @ self.weights + 3 * block[..., 0] * block[..., 1]

    def __call__(self, columns, values):
        self.reads.append((len(self.block), len(values), tuple(columns)))
        changed = np.repeat(self.block[None], len(values), axis=0)
        changed[..., columns] = values
        return self.predict(changed)

    def each(self, columns, values):
        slopes = np.tile(10 * self.weights, (len(self.block), 1))
        slopes[:, 0] += 3 * self.block[:, 1]
        slopes[:, 1] += 3 * self.block[:, 0]
        return (values - self.block[:, columns]) * slopes[:, columns]


def counted(p, n, groups=None, most=30, permutations=5):
    rng, reads = np.random.default_rng(1), []
    X = {"m": rng.normal(size=(n, p))}
    weights = 0.95 ** np.arange(p) * (np.arange(p) > 1)  # the first two count by their product alone
    own = Columns([f"f{j:04d}" for j in range(p)], ["1"] * p, [()] * p, groups or [None] * p, np.ones(p))
    vary = lambda blocks, modality, sites: Counted(blocks, weights, reads)  # noqa: E731
    target = Counted(X, weights, []).predict(X["m"]) + rng.normal(size=n)
    return importances(vary, X, target, {"m": own}, permutations, most, [0, 0]), reads, weights


@pytest.mark.parametrize(("p", "permutations"), [(60, 5), (3000, 5), (300, 40), (300, 100)])
def test_reads_are_bounded_at_any_width_and_every_feature_has_its_numbers(p, permutations):
    groups = [f"g{j // 3}" for j in range(p)]
    found, reads, weights = counted(p, 500, groups, most=1000, permutations=permutations)
    asked = [times for _, times, columns in reads if columns != (0,) or times > 1]
    assert sum(asked) <= importance.READS
    assert {people for people, *_ in reads} <= {importance.MOST_READ, importance.MOST_PEOPLE}
    features = found[found["scope"] == "feature"]
    assert len(features) == p
    assert found[["change", "importance", "effect"]].notna().sum().tolist() == [len(found), len(found), p]
    assert found.loc[found["scope"] == "modality", "exact"].tolist() == [1]
    read = features.loc[features["exact"] == 1, "feature"]
    # The largest, among them all but those that so few reads leave out.
    np.testing.assert_allclose(features["change"][2:], 10 * weights[2:] * 2 / np.sqrt(np.pi), rtol=0.25, atol=1e-9)
    assert len(read) == min(p, {5: (295 - 80) // 7, 40: (260 - 80) // 42, 100: 200 // 102}[permutations])
    assert set(features.sort_values("change", ascending=False)["feature"][: len(read) // 2]) <= set(read)


def test_what_is_read_is_what_all_reads_would_give(monkeypatch):
    """Of 50 of 200 people: close to what reading all of them gives."""
    found = counted(40, 200, most=20)[0].query("scope == 'feature'").set_index("feature")
    monkeypatch.setattr(importance, "MOST_READ", 200)
    monkeypatch.setattr(importance, "READS", 1000)
    everybody = counted(40, 200, most=40)[0].query("scope == 'feature'").set_index("feature")
    assert found["exact"].sum() == 20
    assert everybody["exact"].all()
    read = found["exact"] == 1
    for number in ("change", "effect"):
        np.testing.assert_allclose(found.loc[read, number], everybody.loc[read, number], rtol=0.05, atol=0.05)
        # Features other than the first two are straight lines, so that nothing is lost by not reading them.
        np.testing.assert_allclose(found[number][2:], everybody[number][2:], rtol=1e-9)


def test_a_group_that_matters_more_than_its_features_alone_opens_it():
    """Two features that count by their product: their group lifts them above those that are as large alone."""

    class Hidden(Counted):
        def each(self, columns, values):
            return 1e-3 * super().each(columns, values) if 0 in columns else super().each(columns, values)

    rng, reads = np.random.default_rng(1), []
    X = {"m": rng.normal(size=(80, 12))}
    weights = np.where(np.arange(12) > 1, 0.01, 0.0)
    groups = ["a", "a", *["b"] * 5, *["c"] * 5]
    own = {"m": Columns([f"f{j}" for j in range(12)], ["1"] * 12, [()] * 12, groups, np.ones(12))}
    found = importances(lambda b, *_: Hidden(b, weights, reads), X, X["m"][:, 0], own, 5, 2, [0])
    features = found[found["scope"] == "feature"].set_index("feature")
    assert features.index[features["exact"] == 1].tolist() == ["f0", "f1"]
    assert features.loc["f0", "change"] > 1


def test_a_closed_form_that_is_exact_is_not_read_feature_by_feature():
    class Straight(Counted):
        exact = True

        def predict(self, block):
            return block @ self.weights

        def each(self, columns, values):
            return (values - self.block[:, columns]) * self.weights[columns]

    rng, reads = np.random.default_rng(1), []
    X, weights = {"m": rng.normal(size=(80, 12))}, np.arange(12.0)
    own = {"m": Columns([f"f{j}" for j in range(12)], ["1"] * 12, [()] * 12, [None] * 12, np.ones(12))}
    found = importances(lambda b, *_: Straight(b, weights, reads), X, X["m"][:, 0], own, 5, 30, [0])
    assert (found["exact"] == 1).all()
    assert [columns for _, times, columns in reads if times > 1] == [tuple(range(12))]
    expected = importances(whole(lambda b: b["m"] @ weights), X, X["m"][:, 0], own, 5, 30, [0])
    pd.testing.assert_frame_equal(found, expected)


def test_sites_go_with_the_people_who_are_asked():
    """With those who lack a modality left out, and the first ones alone where the model is read."""
    given = []

    def vary(blocks, modality, sites):
        given.append((modality, [f"s{int(10 * value)}" for value in blocks["dwi"][:, 0]] == sites.tolist(), len(sites)))
        return WholeReads(linear, blocks, modality)

    X = {"t1": T1.copy(), "dwi": DWI}
    X["t1"][:60] = np.nan
    sites = np.array([f"s{int(10 * value)}" for value in DWI[:, 0]], dtype=object)
    importances(vary, X, DWI[:, 0], columns(), 2, 30, [0], sites)
    assert given == [("t1", True, 90), ("t1", True, 50), ("dwi", True, 150), ("dwi", True, 50)]
