"""Tables become feature blocks: joined by label, with units, status and reason."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from cohorts import make_tables, write_cohort

from brainpid.cohort.participants import FAIL, SUCCESS, UNAVAILABLE, read_participants
from brainpid.config.cohorts import Columns, Target
from brainpid.config.slices import ParticipantsSettings
from brainpid.config.sources import TableSource
from brainpid.core.errors import InputError
from brainpid.features.matrix import read_notes
from brainpid.features.store import write_features
from brainpid.features.tables import extract_table


def of_path(path):
    """Slice of a participants table with the standard columns."""
    return ParticipantsSettings(path=str(path), columns=Columns(), target=Target(), visits=None)


@pytest.fixture
def tables():
    return make_tables(30)


def extract(tmp_path, tables, modality="t1", sheet_units=None, **options):
    write_cohort(tmp_path, tables)
    sheet = read_participants("a", of_path(tmp_path / "participants.tsv"))
    source = TableSource(kind="table", path=str(tmp_path / f"{modality}.tsv"), **options)
    return extract_table(source, sheet, modality, sheet_units)


def test_rows_are_joined_by_label_not_by_position(tmp_path, tables):
    expected = extract(tmp_path / "sorted", dict(tables))
    shuffled = dict(tables) | {"t1": tables["t1"].sample(frac=1, random_state=0)}
    np.testing.assert_array_equal(extract(tmp_path / "shuffled", shuffled).values, expected.values)


def test_labels_match_with_and_without_prefix(tmp_path, tables):
    expected = extract(tmp_path / "with", dict(tables))
    bare = tables["t1"].assign(participant_id=tables["t1"]["participant_id"].str.removeprefix("sub-"))
    found = extract(tmp_path / "without", dict(tables) | {"t1": bare})
    assert found.participant_id == expected.participant_id
    np.testing.assert_array_equal(found.values, expected.values)


def test_absent_and_blank_rows_are_unavailable_with_a_reason(tmp_path, tables):
    tables["t1"].iloc[4, 1:] = np.nan
    tables["t1"] = tables["t1"].drop(index=7)
    block = extract(tmp_path, tables)
    assert block.status[4] == block.status[7] == UNAVAILABLE
    assert "every cell is n/a" in block.reason[4]
    assert "no row in" in block.reason[7]
    assert np.isnan(block.values[[4, 7]]).all()
    assert block.present.sum() == 28


def test_a_missing_cell_is_kept_as_missing(tmp_path, tables):
    tables["t1"].loc[3, "t1_1"] = np.nan
    block = extract(tmp_path, tables)
    assert block.status[3] == SUCCESS
    assert np.isnan(block.values[3]).tolist() == [False, True, False, False, False]


def test_divide_by_divides_only_its_own_unit_and_is_kept(tmp_path, tables):
    tables["participants"].loc[2, "icv_mm3"] = np.nan
    tmp_path.mkdir(exist_ok=True)
    units = {f"t1_{k}": {"Units": "mm^3" if k < 3 else "mm"} for k in range(5)}
    (tmp_path / "t1.json").write_text(json.dumps(units))
    block = extract(tmp_path, tables, sheet_units={"icv_mm3": "mm^3"}, divide_by="icv_mm3")
    icv = tables["participants"]["icv_mm3"].to_numpy()
    raw = tables["t1"].iloc[:, 1:].to_numpy()
    assert block.names[-1] == "icv_mm3"
    assert block.units == ("1", "1", "1", "mm", "mm", "mm^3")
    np.testing.assert_allclose(block.values[5, :3], raw[5, :3] / icv[5])
    np.testing.assert_allclose(block.values[5, 3:], [*raw[5, 3:], icv[5]])
    assert block.status[2] == FAIL
    assert "no positive icv_mm3" in block.reason[2]
    assert np.isnan(block.values[2]).all()


def test_without_units_everything_is_divided(tmp_path, tables):
    block = extract(tmp_path, tables, divide_by="icv_mm3")
    icv = tables["participants"]["icv_mm3"].to_numpy()
    np.testing.assert_allclose(block.values[:, :-1] * icv[:, None], tables["t1"].iloc[:, 1:].to_numpy())


def test_regions_come_from_the_dictionary_and_not_from_names(tmp_path, tables):
    tables["t1"] = tables["t1"].rename(columns={"t1_0": "gm_insula", "t1_1": "z_L_default__R_visual"})
    block = extract(tmp_path / "without", dict(tables))
    assert block.regions == ((),) * 5
    folder = tmp_path / "with"
    folder.mkdir()
    described = {"gm_insula": {"Region": "insula"}, "z_L_default__R_visual": {"Region": ["L_default", "R_visual"]}}
    (folder / "t1.json").write_text(json.dumps(described | {"t1_2": {"Units": "mm"}, "nobody": {"Region": "x"}}))
    block = extract(folder, dict(tables), divide_by="icv_mm3")
    assert block.regions == (("insula",), ("L_default", "R_visual"), (), (), (), ())
    for wrong in (7, [1], [""], None):
        (folder / "t1.json").write_text(json.dumps({"gm_insula": {"Region": wrong}}))
        with pytest.raises(InputError, match=r"t1.json: Region of 'gm_insula': expected the name of a region"):
            extract(folder, dict(tables))
    (folder / "t1.json").write_text(json.dumps({"gm_insula": {"Units": 3}}))
    with pytest.raises(InputError, match=r"t1.json: Units of 'gm_insula': expected a text, found 3"):
        extract(folder, dict(tables))


def test_leading_zeros_survive_in_csv(tmp_path, tables):
    write_cohort(tmp_path, tables)
    for name in ("participants", "t1"):
        frame = tables[name].assign(participant_id=[f"{k:04d}" for k in range(30)])
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    sheet = read_participants("a", of_path(tmp_path / "participants.csv"))
    assert sheet["participant_id"][7] == "sub-0007"
    assert extract_table(TableSource(kind="table", path=str(tmp_path / "t1.csv")), sheet, "t1").present.all()


def test_a_feature_is_dropped_by_its_name_before_it_is_a_pattern(tmp_path, tables):
    tables["t1"] = tables["t1"].rename(columns={"t1_0": "Vol [mm3]", "t1_1": "Vol m"})
    assert extract(tmp_path, tables, drop=("Vol [mm3]",)).names == ("Vol m", "t1_2", "t1_3", "t1_4")
    assert extract(tmp_path, tables, drop=("Vol*",)).names == ("t1_2", "t1_3", "t1_4")
    with pytest.raises(InputError, match=r"drop: 'Vo1 m' matches no column; did you mean 'Vol m'\?"):
        extract(tmp_path, tables, drop=("Vo1 m",))


def test_notes_of_values_reach_the_list_of_features(tmp_path, tables):
    tables["t1"].loc[[3, 7], "t1_2"] = -9999
    block = extract(tmp_path, tables, divide_by="icv_mm3")
    assert block.notes == {"t1_2": "-9999 in 2 people, first sub-003"}
    write_features(tmp_path / "a.h5", "a", [block], {"settings": {"parts": {"t1": {"notes": dict(block.notes)}}}})
    features = pd.DataFrame({"modality": ["t1", "t1", "dwi"], "feature": ["t1_1", "t1_2", "t1_2"]})
    assert read_notes([tmp_path / "a.h5"], features) == ["", "a: -9999 in 2 people, first sub-003", ""]


def test_a_unit_that_is_not_known_may_be_left_empty(tmp_path, tables):
    write_cohort(tmp_path, tables)
    content = {"t1_0": {"Units": None}, "t1_1": {"Units": ""}, "t1_2": {"Units": "mm"}}
    (tmp_path / "t1.json").write_text(json.dumps(content), encoding="utf-8-sig")
    assert extract(tmp_path, tables).units == ("n/a", "n/a", "mm", "n/a", "n/a")


@pytest.mark.parametrize("start", [0, 1])
def test_a_column_that_counts_the_rows_is_no_feature(tmp_path, tables, start):
    """It tells of whatever the table is sorted by."""
    tables["t1"].insert(1, "X", np.arange(start, 30 + start))
    with pytest.raises(InputError, match=rf"column 'X' counts the rows, from {start} to {29 + start}.*drop: \['X'\]"):
        extract(tmp_path, tables)
    assert "X" not in extract(tmp_path, tables, drop=("X",)).names
    tables["t1"] = tables["t1"].rename(columns={"X": "Unnamed: 0"})
    with pytest.raises(InputError, match="have no name"):
        extract(tmp_path, tables)
