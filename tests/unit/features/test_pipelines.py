"""The programs that made the data travel with the features, from shards to the audit and the model."""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import make_tables

from brainpid.cli import main
from brainpid.features.block import FeatureBlock
from brainpid.features.pipelines import read_pipelines
from brainpid.features.store import write_features


@pytest.mark.parametrize(
    ("versions", "expected"), [(({"P 1": 2}, {"P 1": 1, "P 2": 1}), {"P 1": 3, "P 2": 1}), (({}, {}), None)]
)
def test_versions_of_shards_are_joined_and_read_by_modality_and_cohort(tmp_path, versions, expected):
    sheet = tmp_path / "a.tsv"
    people = make_tables(4)["participants"].assign(cohort="a")
    people.to_csv(sheet, sep="\t", index=False)
    labels = people["participant_id"].tolist()
    parts = [tmp_path / f"t1_{shard}.h5" for shard in range(2)]
    for shard, part in enumerate(parts):
        own = tuple(labels[2 * shard : 2 * shard + 2])
        block = FeatureBlock("t1", own, ("x",), ("mm",), np.ones((2, 1)), ("SUCCESS",) * 2, ("",) * 2)
        settings = {"source": {"kind": "freesurfer"}}
        write_features(part, "a", [block], {"settings": settings, "pipelines": versions[shard]})
    whole = tmp_path / "whole.h5"
    assert (
        main(
            ["collect", "--cohort", "a", "--participants", str(sheet), "--parts", *map(str, parts), "--out", str(whole)]
        )
        == 0
    )
    assert read_pipelines([whole], ["t1", "dwi"]) == {"t1": {"a": expected} if expected else {}, "dwi": {}}
