"""What comes with labels is paired by them or refused, missing is missing however written, options are checked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from brainpid.core.errors import InputError
from brainpid.model import PIDReg
from brainpid.model.baselines.linear import Ridge
from brainpid.model.inputs import Layout, checked_coverage, checked_groups, checked_target, checked_training

N = 40
RNG = np.random.default_rng(0)
IDS = [f"sub-{k:02d}" for k in range(N)]
T1 = pd.DataFrame(RNG.normal(size=(N, 3)), index=IDS, columns=["a", "b", "c"])
DWI = pd.DataFrame(RNG.normal(size=(N, 2)), index=IDS, columns=["d", "e"])
AGE = pd.Series(RNG.uniform(20, 80, N), index=IDS)
FAMILY = pd.Series([f"f{k // 2:02d}" for k in range(N)], index=IDS)
TURNED = IDS[::-1]


@pytest.mark.parametrize(
    ("X", "y", "groups", "message"),
    [
        ({"t1": T1, "dwi": DWI.loc[TURNED]}, AGE, None, r"labels of X\['dwi'\] are in another order than those of X"),
        ({"t1": T1, "dwi": DWI}, AGE.loc[TURNED], None, r"labels of y are in another order .*row 0 is 'sub-00' in X"),
        ({"t1": T1, "dwi": DWI}, AGE, FAMILY.loc[TURNED], r"labels of groups are in another order"),
        ({"t1": T1, "dwi": DWI.to_numpy()}, AGE.loc[TURNED], None, r"labels of y are in another order"),
        ({"t1": T1.to_numpy(), "dwi": DWI.to_numpy()}, AGE, FAMILY.loc[TURNED], r"those of y: row 0"),
        ({"t1": T1, "dwi": DWI.reset_index(drop=True)}, AGE, None, r"labels of X\['dwi'\] differ .*to_numpy"),
        (
            {"t1": T1, "dwi": DWI},
            AGE.rename({"sub-03": "sub-3"}),
            None,
            r"y differ .*row 3 is 'sub-03' .* 'sub-3' in y",
        ),
    ],
)
@pytest.mark.parametrize("model", [PIDReg(members=2, epochs=1), Ridge()])
def test_people_in_another_order_are_refused(model, X, y, groups, message):
    with pytest.raises(InputError, match=message):
        model.fit(X, y, groups)


def test_arrays_and_equal_labels_are_paired_by_position():
    _, blocks, target, groups = checked_training({"t1": T1, "dwi": DWI.to_numpy()}, AGE.tolist(), FAMILY)
    np.testing.assert_array_equal(blocks["t1"], T1)
    np.testing.assert_array_equal(target, AGE)
    np.testing.assert_array_equal(groups, np.arange(N) // 2)


def test_a_fitted_model_compares_labels_too():
    model = Ridge().fit({"t1": T1, "dwi": DWI}, AGE)
    assert model.score({"t1": T1, "dwi": DWI}, AGE) == pytest.approx(
        model.score({"t1": T1, "dwi": DWI}, AGE.to_numpy())
    )
    with pytest.raises(InputError, match="labels of y are in another order"):
        model.score({"t1": T1, "dwi": DWI}, AGE.loc[TURNED])
    with pytest.raises(InputError, match=r"labels of X\['dwi'\] are in another order"):
        model.predict({"t1": T1, "dwi": DWI.loc[TURNED]})


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"d": pd.array([1, None, 3], dtype="Int64"), "e": [0.5, 1.5, 2.5]}),
        pd.DataFrame({"d": [1, pd.NA, 3], "e": [0.5, 1.5, 2.5]}, dtype=object),
        pd.DataFrame({"d": [1, None, 3], "e": [0.5, 1.5, 2.5]}, dtype=object),
        np.array([[1, None, 3], [0.5, 1.5, 2.5]], dtype=object).T,
        np.ma.masked_equal([[1, 0.5], [-9999, 1.5], [3, 2.5]], -9999),
        [[1, 0.5], [None, 1.5], [3, 2.5]],
    ],
)
def test_a_missing_cell_is_missing_however_it_is_written(table):
    _, blocks = Layout.fit({"t1": [[1], [2], [3]], "dwi": table})
    np.testing.assert_array_equal(blocks["dwi"], [[1, 0.5], [np.nan, 1.5], [3, 2.5]])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"d": [1, 2, "three"]}), r"expected numbers, found 1 text\(s\) such as 'three'"),
        (np.array([["1"], ["2"], ["3"]]), "expected numbers, found text, such as 1"),
        (np.array([[1j], [2], [3]]), "expected numbers, found complex numbers"),
        (np.array(["2020", "2021", "2022"], dtype="datetime64[Y]")[:, None], "expected numbers, found dates"),
        (pd.DataFrame([[1, 2], [3, 4], [5, 6]], columns=["d", "d"]), "a feature name is given twice: d"),
        ([[1], [2, 3], [4]], "expected numbers"),
    ],
)
def test_what_is_no_table_of_numbers(table, message):
    with pytest.raises(InputError, match=f"modality 'dwi': {message}"):
        Layout.fit({"t1": [[1], [2], [3]], "dwi": table})


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["old", "young", "old"], "target: expected numbers, found text, such as old"),
        (pd.array([1, None, 3], dtype="Int64"), r"found 1 missing or infinite value\(s\), the first in row 1"),
        ([1, 2], r"expected a target of shape \(3,\)"),
    ],
)
def test_targets_that_are_none(y, message):
    with pytest.raises(InputError, match=message):
        checked_target(y, 3)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["a", None, "b"], "1 of 3 labels are missing, the first in row 1"),
        (["a", float("nan"), "b"], "1 of 3 labels are missing"),
        (pd.array(["a", "b", None], dtype="string"), "1 of 3 labels are missing, the first in row 2"),
        (["a", " ", "b"], "1 of 3 labels are missing"),
        ([1, "a", 2], "expected labels of one kind, found int, str"),
        (["a", "b"], r"expected groups of shape \(3,\)"),
    ],
)
def test_groups_that_are_none(groups, message):
    with pytest.raises(InputError, match=message):
        checked_groups(groups, 3)


@pytest.mark.parametrize("coverage", [95, 0, 1, -0.1, float("nan"), "0.9", None])
def test_coverages_that_are_none(coverage):
    with pytest.raises(InputError, match="coverage: expected a number between 0 and 1"):
        checked_coverage(coverage)


def test_options_are_checked_before_anything_is_read():
    model = Ridge().fit({"t1": T1, "dwi": DWI}, AGE)
    for method in (model.predict_interval, model.expected_gain):
        with pytest.raises(InputError, match="coverage"):
            method({"not": "read"}, coverage=95)
    network = PIDReg()
    for ask in (
        lambda: network.predict_interval({}, coverage=95),
        lambda: network.decompose({}, [], measure="mmii"),
        lambda: network.decompose({}, [], measure=3),
        lambda: network.decompose({}, [], confidence=95),
        lambda: network.decompose({}, [], confidence="0.9"),
    ):
        with pytest.raises(InputError, match=r"coverage: expected|unknown measure|confidence is"):
            ask()


@pytest.mark.parametrize("model", [PIDReg(), Ridge()])
def test_a_model_that_was_not_fitted_says_so(model, tmp_path):
    for ask in (model.predict, model.read, model.subset_predictions, model.scalar_latents, model.predict_interval):
        with pytest.raises(InputError, match=f"this {type(model).__name__} is not fitted yet"):
            ask({"t1": T1})
    with pytest.raises(NotFittedError):  # for those who catch scikit-learn's
        model.predict({"t1": T1})


def test_the_decomposition_compares_labels_and_takes_missing_cells_for_such():
    from brainpid.pid import decompose

    with pytest.raises(
        InputError, match=r"labels of sources\['dwi'\] are in another order than those of sources\['t1'\]"
    ):
        decompose({"t1": T1["a"], "dwi": DWI.loc[TURNED, "d"]}, AGE)
    with pytest.raises(InputError, match="labels of target are in another order"):
        decompose({"t1": T1["a"], "dwi": DWI["d"]}, AGE.loc[TURNED])
    with pytest.raises(InputError, match="missing or infinite"):
        decompose({"t1": T1["a"], "dwi": DWI["d"].round().astype("Int64").mask(DWI["d"] > 1)}, AGE)
    with pytest.raises(InputError, match="modality 'dwi': expected numbers"):
        decompose({"t1": T1["a"], "dwi": DWI["d"].map(str)}, AGE)


def test_scores_and_names_and_seeds_that_are_none():
    model = Ridge().fit({"t1": T1, "dwi": DWI}, AGE)
    nobody = {m: table.drop(index="sub-03").reindex(IDS) for m, table in (("t1", T1), ("dwi", DWI))}
    for ask, message in (
        (lambda: model.score({"t1": T1, "dwi": DWI}, AGE[:3]), "expected a target of shape"),
        (lambda: model.score({"t1": T1, "dwi": DWI}, AGE.mask(AGE < 30)), "expected a finite target"),
        (lambda: model.score(nobody, AGE), "1 of 40 people have no modality"),
        (lambda: model.fit({1: T1, "dwi": DWI}, AGE), "expected a text as the name of each modality, found 1"),
        (lambda: PIDReg(random_state=True).fit({"t1": T1, "dwi": DWI}, AGE), "random_state: expected a whole number"),
    ):
        with pytest.raises(InputError, match=message):
            ask()
