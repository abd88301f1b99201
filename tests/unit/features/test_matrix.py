"""From features to a matrix: what a person lacks is NaN, labels decide the order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.participants import FAIL, SUCCESS
from brainpid.core.errors import InputError
from brainpid.features.block import FeatureBlock
from brainpid.features.matrix import read_descriptions, read_matrix
from brainpid.features.store import write_features


def features(cohort: str, modality: str, values: np.ndarray, status: tuple[str, ...]) -> FeatureBlock:
    labels = tuple(f"sub-{k}" for k in range(len(values)))
    reason = tuple("" if state == SUCCESS else "no head size" for state in status)
    return FeatureBlock(modality, labels, ("x", "icv"), ("1", "mm^3"), values, status, reason)


BOTH = {"t1": ["x", "icv"], "dwi": ["x", "icv"]}


def test_a_missing_modality_is_a_row_of_nan(tmp_path):
    """Also where something else stands in the row, and where the cohort has no source for the modality at all."""
    values = np.array([[1.0, 10], [2, 20]])
    ok, failed = (SUCCESS, SUCCESS), (SUCCESS, FAIL)
    write_features(tmp_path / "a.h5", "a", [features("a", "t1", values, failed), features("a", "dwi", values, ok)], {})
    write_features(tmp_path / "b.h5", "b", [features("b", "t1", values + 2, ok)], {})
    people = pd.DataFrame({"cohort": ["b", "a", "a"], "participant_id": ["sub-0", "sub-1", "sub-0"]})
    found = read_matrix([tmp_path / "a.h5", tmp_path / "b.h5"], people, BOTH)
    np.testing.assert_array_equal(found["t1"], [[3, 12], [np.nan, np.nan], [1, 10]])
    np.testing.assert_array_equal(found["dwi"], [[np.nan, np.nan], [2, 20], [1, 10]])
    with pytest.raises(InputError, match="has features of fmri"):
        read_matrix([tmp_path / "a.h5", tmp_path / "b.h5"], people, {"t1": ["x"], "fmri": ["x"]})
    with pytest.raises(InputError, match="t1 has no rows of sub-7"):
        read_matrix([tmp_path / "a.h5"], pd.DataFrame({"cohort": ["a"], "participant_id": ["sub-7"]}), {"t1": ["x"]})
    with pytest.raises(InputError, match="t1 has no feature y"):
        read_matrix([tmp_path / "a.h5"], people[people["cohort"] == "a"], {"t1": ["y", "x"]})
    nobody = FeatureBlock("dwi", ("sub-0", "sub-1"), (), (), np.empty((2, 0)), (FAIL,) * 2, ("no image",) * 2)
    write_features(tmp_path / "b.h5", "b", [features("b", "t1", values + 2, ok), nobody], {})
    again = read_matrix([tmp_path / "b.h5", tmp_path / "a.h5"], people, BOTH)
    np.testing.assert_array_equal(again["dwi"], found["dwi"])
    other = FeatureBlock("dwi", ("sub-0", "sub-1"), ("y",), ("1",), np.full((2, 1), np.nan), (FAIL,) * 2, ("n/a",) * 2)
    write_features(tmp_path / "b.h5", "b", [features("b", "t1", values + 2, ok), other], {})
    again = read_matrix([tmp_path / "b.h5", tmp_path / "a.h5"], people, BOTH)
    np.testing.assert_array_equal(again["dwi"], found["dwi"])
    assert read_descriptions([tmp_path / "b.h5", tmp_path / "a.h5"], BOTH)["dwi"].units == ["1", "mm^3"]
    one = read_matrix([tmp_path / "b.h5"], people.iloc[:1], {"t1": ["icv"]})
    np.testing.assert_array_equal(one["t1"], [[12]])
    assert one["t1"].dtype == float


def test_people_of_a_cohort_without_a_modality_have_rows_of_nan_whoever_is_read_beside_them(tmp_path):
    """Those who are tested, or never trained on, may all be of the cohort that lacks it."""
    values, ok = np.array([[1.0, 10], [2, 20]]), (SUCCESS, SUCCESS)
    write_features(tmp_path / "a.h5", "a", [features("a", m, values, ok) for m in ("t1", "dwi")], {})
    write_features(tmp_path / "b.h5", "b", [features("b", "t1", values, ok)], {})
    people = pd.DataFrame({"cohort": ["b"], "participant_id": ["sub-1"]})
    found = read_matrix([tmp_path / "a.h5", tmp_path / "b.h5"], people, BOTH)
    np.testing.assert_array_equal(found["dwi"], [[np.nan, np.nan]])
    with pytest.raises(InputError, match="no cohort of b has features of dwi"):
        read_matrix([tmp_path / "b.h5"], people, BOTH)
