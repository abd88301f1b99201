"""The truth of a synthetic cohort is found beside its data, and nothing else is taken for it."""

from __future__ import annotations

import json

import pytest

from brainpid.cohort.truth import COLUMNS, read_truths
from brainpid.core.errors import InputError
from brainpid.phantom.people import truth as planted

MODALITIES = ("t1", "dwi")


def written(path, added=0.25, modalities="t1+dwi"):
    rows = [
        {"scope": "all", "modalities": modalities, "atom": "total", "bits": 1.5},
        {"scope": "one_vs_rest", "modalities": "t1", "atom": "added", "bits": added},
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"decomposition": {"mmi": rows}}))


def bits(truth):
    return truth[truth["atom"] == "added"].set_index("cohort")["bits"].to_dict()


def test_cohorts_of_one_truth_have_it_pooled(tmp_path):
    written(tmp_path / "truth.json")
    truth = read_truths({"a": f"{tmp_path}/a", "b": f"{tmp_path}/b"}, MODALITIES, "pooled")
    assert list(truth) == COLUMNS
    assert bits(truth) == {"a": 0.25, "b": 0.25, "pooled": 0.25}


@pytest.mark.parametrize("modalities", [("t1", "dwi", "fmri"), ("fmri", "t1", "dwi")])
def test_the_truth_of_the_phantom_is_read_in_any_order_of_its_modalities(tmp_path, modalities):
    (tmp_path / "truth.json").write_text(json.dumps(planted()))
    truth = read_truths({"a": f"{tmp_path}/site-01"}, modalities, "pooled")
    own = truth[(truth["measure"] == "idep") & (truth["scope"] == "one_vs_rest") & (truth["modalities"] == "t1")]
    told = planted()["information"]
    assert own.set_index("atom").loc["alone", "bits"] == pytest.approx(told["t1"])
    assert own.set_index("atom").loc["total", "bits"] == pytest.approx(told["t1+dwi+fmri"])


def test_one_cohort_has_no_pooled_truth(tmp_path):
    written(tmp_path / "truth.json")
    assert bits(read_truths({"a": f"{tmp_path}/a"}, MODALITIES, "pooled")) == {"a": 0.25}


def test_cohorts_of_different_truths_have_none_pooled(tmp_path):
    written(tmp_path / "truth.json")
    written(tmp_path / "b/truth.json", added=0.5)  # in the folder itself, before what is beside it
    truth = read_truths({"a": f"{tmp_path}/a", "b": f"{tmp_path}/b"}, MODALITIES, "pooled")
    assert bits(truth) == {"a": 0.25, "b": 0.5}


def test_real_people_beside_synthetic_ones_have_no_truth(tmp_path):
    written(tmp_path / "made/truth.json")
    folders = {"made": f"{tmp_path}/made/site-01", "real": f"{tmp_path}/real/bids"}
    assert bits(read_truths(folders, MODALITIES, "pooled")) == {"made": 0.25}


def test_the_truth_of_other_modalities_is_left_out(tmp_path):
    written(tmp_path / "truth.json", modalities="t1+dwi+fmri")
    assert read_truths({"a": f"{tmp_path}/a"}, MODALITIES, "pooled").empty


@pytest.mark.parametrize("content", ['{"decomposition": 1}', "{}", '{"decomposition": {"mmi": [{"bits": "x"}]}}'])
def test_a_file_of_another_meaning_is_refused_by_name(tmp_path, content):
    (tmp_path / "truth.json").write_text(content)
    with pytest.raises(InputError, match=r"truth\.json: expected the truth of a synthetic cohort"):
        read_truths({"a": f"{tmp_path}/a"}, MODALITIES, "pooled")
