"""New people are matched with what the model uses: what it leaves out is ignored, and what it divides by is read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort

from brainpid.config.schema import parse_config
from brainpid.core.errors import InputError
from brainpid.features.block import FeatureBlock
from brainpid.features.new_people import of_config, of_tables
from brainpid.features.store import write_features


@pytest.fixture
def table(tmp_path):
    """Path of a table of two people."""
    frame = pd.DataFrame(
        {"participant_id": ["1", "2"], "constant": [7, 7], "a": [2.0, 6], "b": [1.0, 2], "icv": [2.0, 3]}
    )
    frame.to_csv(tmp_path / "t1.tsv", sep="\t", index=False)
    return tmp_path / "t1.tsv"


def test_features_that_were_left_out_are_ignored(table):
    new = of_tables({"t1": table}, {"t1": ["b", "a"]}, {})
    assert new.tables["t1"].columns.tolist() == ["b", "a"]
    np.testing.assert_array_equal(new.tables["t1"], [[1, 2], [2, 6]])


def test_a_divisor_that_was_left_out_still_divides(table):
    """Head size that is the same in everybody is no feature, and the others were divided by it all the same."""
    way = {"t1": {"by": "icv", "except": ["b"]}}
    new = of_tables({"t1": table}, {"t1": ["a", "b"]}, way)
    assert new.tables["t1"].columns.tolist() == ["a", "b"]
    np.testing.assert_array_equal(new.tables["t1"], [[1, 1], [2, 2]])
    kept = of_tables({"t1": table}, {"t1": ["a", "b", "icv"]}, way)
    np.testing.assert_array_equal(kept.tables["t1"], [[1, 1, 2], [2, 2, 3]])
    with pytest.raises(InputError, match="divided its features in different ways"):
        of_tables({"t1": table}, {"t1": ["a", "b"]}, {"t1": {}})


def test_a_cohort_of_which_nobody_has_an_image_is_predicted_without_it(tmp_path):
    """What a run of the workflow collected of it has statuses, and no feature."""
    write_cohort(tmp_path / "a", make_tables(4))
    config = make_config(tmp_path, ["a"], tmp_path / "out")
    (tmp_path / "fs").mkdir()
    config["cohorts"]["a"]["sources"]["dwi"] = {"kind": "freesurfer", "path": str(tmp_path / "fs")}
    labels = tuple(f"sub-{k:03d}" for k in range(4))
    nobody = FeatureBlock("dwi", labels, (), (), np.empty((4, 0)), ("FAIL",) * 4, ("no readable image",) * 4)
    write_features(tmp_path / "out/features/a.h5", "a", [nobody], {})
    names = {"t1": ["t1_1", "t1_0"], "dwi": ["x", "y"]}
    new = of_config(parse_config(config, "c.yaml"), ["a"], names, {}, "c.yaml")
    assert new.present["t1"].tolist() == [True] * 4
    assert new.present["dwi"].tolist() == [False] * 4
    assert new.tables["dwi"].columns.tolist() == ["x", "y"]
    assert new.reasons["dwi"] == ["no readable image"] * 4
