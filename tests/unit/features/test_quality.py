"""Who stands out in the quality measures of images, and whose pictures are shown."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from brainpid.cli import main
from brainpid.core.files import read_own_tsv, write_tsv
from brainpid.features.quality import OUTLIER, flag_outliers, robust_z, to_look_at


def test_normal_values_have_their_usual_z():
    values = np.random.default_rng(0).normal(10, 3, 20_000)
    np.testing.assert_allclose(robust_z(values), (values - 10) / 3, atol=0.08)


def test_z_does_not_depend_on_unit_or_origin():
    values = np.random.default_rng(1).gamma(2, size=50)
    np.testing.assert_allclose(robust_z(1000 * values - 3), robust_z(values), rtol=1e-9)
    np.testing.assert_allclose(robust_z(-values), -robust_z(values), rtol=1e-9)


def test_an_outlier_does_not_hide_itself():
    values = np.r_[np.linspace(0, 1, 30), 50.0, 60.0]
    assert (robust_z(values)[-2:] > 50).all()


def test_a_value_off_the_constant_rest_stands_out():
    z = robust_z(np.r_[np.full(19, 4.0), 5.0, np.nan])
    assert z[19] == pytest.approx(20 / np.sqrt(np.pi / 2))
    assert (z[:19] == 0).all()
    assert np.isnan(z[20])


def test_a_measure_that_often_is_zero_flags_not_everybody_else():
    """Volumes left out at the start: 0 in 60%, 1 in 40%; the median absolute deviation is 0 and nobody is odd."""
    assert np.abs(robust_z(np.r_[np.zeros(12), np.ones(8)])).max() < OUTLIER


def test_nothing_varies_or_nothing_is_known():
    np.testing.assert_array_equal(robust_z(np.array([3.0, 3, np.nan])), [0, 0, np.nan])
    assert np.isnan(robust_z(np.full(3, np.nan))).all()
    assert robust_z(np.array([0.1 + 0.2]))[0] == 0


def measures() -> pd.DataFrame:
    """Two cohorts of ten with other levels; sub-3 of a moved, sub-4 of b has holes where nobody else has any."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{k}" for k in range(10)] * 2,
            "cohort": np.repeat(["a", "b"], 10),
            "modality": "t1",
            "status": "SUCCESS",
            "motion": np.r_[rng.normal(1, 0.1, 10), rng.normal(50, 0.1, 10)],
            "holes": 0.0,
            "note": None,
            "acquisition": None,
        }
    )
    table.loc[3, "motion"] = 9
    table.loc[14, "holes"] = 2
    return table


def test_people_stand_out_within_their_own_cohort():
    found = flag_outliers(measures()).set_index(["cohort", "participant_id"])["outlier_in"]
    assert found[found != ""].to_dict() == {("a", "sub-3"): "motion", ("b", "sub-4"): "holes"}


def test_a_table_without_measures_flags_nobody():
    found = flag_outliers(measures()[["participant_id", "cohort", "modality", "status"]])
    assert found["largest_z"].eq(0).all()
    assert found["outlier_in"].eq("").all()


def test_pictures_are_of_those_who_stand_out_and_of_some_others():
    flagged = flag_outliers(measures())
    shown = to_look_at(flagged, worst=2, others=3, seed=0)
    assert shown["why"].tolist() == ["stands out"] * 2 + ["at random"] * 3
    assert set(shown["outlier_in"][:2]) == {"motion", "holes"}
    assert not shown.duplicated(["cohort", "participant_id"]).any()
    pd.testing.assert_frame_equal(shown, to_look_at(flagged.sample(frac=1, random_state=1), 2, 3, 0), check_like=True)
    assert len(to_look_at(flagged, worst=30, others=3, seed=0)) == 20


def test_who_is_farthest_without_standing_out_is_not_said_to():
    """Also as the column is read from a table, where nothing is a missing cell."""
    flagged = flag_outliers(measures()).replace({"outlier_in": {"": np.nan}})
    why = to_look_at(flagged, worst=4, others=1, seed=0)["why"].tolist()
    assert why == ["stands out"] * 2 + ["farthest from the median, in the usual range"] * 2 + ["at random"]


def test_the_verb_joins_shards_and_an_empty_one(tmp_path):
    table = measures()
    write_tsv(tmp_path / "0.tsv", table.iloc[:13])
    write_tsv(tmp_path / "1.tsv", table.iloc[13:])
    write_tsv(tmp_path / "2.tsv", table.iloc[:0][["participant_id", "cohort", "modality", "status"]])
    parts = [str(tmp_path / f"{k}.tsv") for k in range(3)]
    assert main(["quality", "--parts", *parts, "--out", str(tmp_path / "q.tsv")]) == 0
    found = read_own_tsv(tmp_path / "q.tsv")
    expected = flag_outliers(table)
    assert found["participant_id"].tolist() == expected["participant_id"].tolist()
    np.testing.assert_allclose(found["largest_z"], expected["largest_z"], atol=1e-6)
    assert json.loads(found.iloc[:0].to_json()).keys() >= {
        "largest_z",
        "outlier_in",
        "note",
        "acquisition",
    }
