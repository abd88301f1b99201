"""The table of predictions: what it says of each person, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fake_model import MeanOfReadings
from prediction_tables import out_of_fold

from brainpid.core.errors import InputError, NumericalError
from brainpid.evaluation.predictions import by_repeat, predict_table
from brainpid.model.age_bias import AgeBias, AgeBiases
from brainpid.model.baselines.linear import Ridge


def test_a_person_predicted_twice_is_refused():
    rows = out_of_fold(50, 1)[lambda t: t["cohort"] == "a"]
    with pytest.raises(InputError, match="each person once in every repeat, found otherwise for 'sub-0'"):
        by_repeat(pd.concat([rows, rows.iloc[:1]]), ["predicted_age"])


PEOPLE = pd.DataFrame(
    {"participant_id": ["sub-0", "sub-1", "sub-2"], "cohort": "a", "site": "s", "age": [30.0, 40, 50]}
)
X = {"t1": np.array([[31.0], [39], [np.nan]]), "dwi": np.array([[33.0], [np.nan], [52]])}


LINES = AgeBiases({"t1": AgeBias(0.0, 0.5), "dwi": AgeBias(0.0, 1.0), "t1+dwi": AgeBias(2.0, 1.0)})


def table(X=X, n_training: int = 30) -> pd.DataFrame:
    model = MeanOfReadings().fit(X, PEOPLE["age"])
    return predict_table(model, X, PEOPLE, LINES, 0.8, pd.DataFrame({"cohort": ["a"] * n_training, "age": 44.0}))


def test_everybody_is_described_by_their_own_modalities():
    found = table()
    assert found["modalities"].tolist() == ["t1+dwi", "t1", "dwi"]
    np.testing.assert_allclose(found["predicted_age"], [32, 39, 52])
    np.testing.assert_allclose(found["brain_pad"], [2, -1, 2])
    np.testing.assert_allclose(found["subset_t1"], [31, 39, np.nan])
    np.testing.assert_allclose(found["subset_dwi"], [33, np.nan, 52])
    np.testing.assert_allclose(found["subset_t1+dwi"], [32, np.nan, np.nan])
    np.testing.assert_array_equal(found["latent_dwi"].isna(), [False, True, False])
    np.testing.assert_allclose(found["log_score_t1"], [0.9, 0.9, np.nan])
    np.testing.assert_allclose(found["predicted_age_corrected"], [30, 78, 52])  # each by the line of what is at hand


@pytest.mark.parametrize(("n_training", "expected"), [(30, [44.0] * 30), (5, [44.0] * 5 + [30.0, 40.0, 50.0])])
def test_log_scores_are_relative_to_the_cohort_in_training_and_where_few_of_it_are_there_to_all_of_it(
    monkeypatch, n_training, expected
):
    seen = []
    known = MeanOfReadings.log_scores
    monkeypatch.setattr(
        MeanOfReadings, "log_scores", lambda self, X, y, reference: seen.append(reference) or known(self, X, y)
    )
    table(n_training=n_training)
    np.testing.assert_array_equal(seen, [expected])


def test_intervals_are_the_model_s_own():
    np.testing.assert_allclose(table()["pi_high"] - table()["pi_low"], [16, 32, 32])


def test_a_person_without_prediction_is_a_numerical_error():
    nothing = {modality: np.where(np.arange(3)[:, None] == 1, np.nan, block) for modality, block in X.items()}
    with (
        pytest.raises(NumericalError, match="1 of 3 people got no prediction"),
        pytest.warns(RuntimeWarning, match="empty slice"),
    ):
        table(nothing)


def test_people_of_sites_that_training_has_not_seen_are_marked_where_the_model_knows_its_sites(caplog):
    people = PEOPLE.assign(site=["s", "new", np.nan])
    training = pd.DataFrame({"cohort": ["a"] * 30, "age": 44.0})
    model = MeanOfReadings().fit(X, PEOPLE["age"], sites=["s", "t", "t"])
    found = predict_table(model, X, people, LINES, 0.8, training)
    assert found["site_seen"].fillna("").tolist() == ["yes", "no", ""]
    assert "1 of 3 are of sites that training has not seen, and their intervals too narrow" in caplog.text
    without = predict_table(MeanOfReadings().fit(X, PEOPLE["age"]), X, people, LINES, 0.8, training)
    pd.testing.assert_frame_equal(found.drop(columns=["site_seen", "pi_width_known_site"]), without)


def test_people_of_new_sites_have_intervals_of_such_and_the_width_that_others_have():
    rng = np.random.default_rng(0)
    site, g = np.repeat([f"s{k}" for k in range(8)], 15).astype(object), rng.normal(size=120)
    shift = np.repeat(rng.normal(size=8), 15)
    blocks = {m: (g + shift)[:, None] + 0.3 * rng.normal(size=(120, 2)) for m in ("t1", "dwi")}
    model = Ridge().fit(blocks, 50 + 15 * g, sites=site)
    people = pd.DataFrame({"participant_id": "p", "cohort": "a", "site": [None, "s1", "new"], "age": [40.0, 50, 60]})
    training = pd.DataFrame({"cohort": "a", "age": 50 + 15 * g})
    lines = replace(LINES, new_sites={"t1+dwi": AgeBias(0.0, 0.5)})
    found, known = (
        predict_table(
            model, {m: block[:3] for m, block in blocks.items()}, people.assign(site=own), lines, 0.9, training
        )
        for own in (people["site"], "s1")
    )
    width = found["pi_high"] - found["pi_low"]
    assert found["site_seen"].fillna("").tolist() == ["", "yes", "no"]
    assert found["pi_width_known_site"].isna().tolist() == [True, True, False]
    assert found["pi_width_known_site"][2] == pytest.approx(known["pi_high"][2] - known["pi_low"][2])
    assert width[2] > 1.3 * found["pi_width_known_site"][2]
    np.testing.assert_allclose(found["predicted_age"], known["predicted_age"])
    np.testing.assert_allclose(found["predicted_age_corrected"][:2], found["predicted_age"][:2] - 2)
    assert found["predicted_age_corrected"][2] == pytest.approx(2 * found["predicted_age"][2])
    assert found["brain_pad_corrected"][2] == pytest.approx(found["predicted_age_corrected"][2] - 60)
    np.testing.assert_allclose(width[:2], (known["pi_high"] - known["pi_low"])[:2])
    assert found["log_score_t1"][2] != known["log_score_t1"][2]
