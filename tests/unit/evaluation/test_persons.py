"""What is said of single people adds up to what is said of all, and its reliability is that of known components."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from prediction_tables import MODALITIES, incomplete, out_of_fold

from brainpid.evaluation.persons import person_table, reliability_table


def test_a_person_s_information_is_the_mean_of_the_repeats_and_its_mean_that_of_the_cohort():
    rows = out_of_fold(400)
    found = person_table(rows, MODALITIES)
    assert len(found) == 800
    assert set(found["repeats"]) == {2}
    own = found[found["cohort"] == "a"]
    assert own["information"].mean() == pytest.approx(0.5 * np.log2(3), abs=0.1)
    assert own["information"].mean() == pytest.approx(rows[rows["cohort"] == "a"]["log_score_t1+dwi"].mean())
    np.testing.assert_allclose(own["information_added_dwi"], own["information"] - own["information_alone_t1"])


def test_people_have_what_their_modalities_give():
    found = person_table(incomplete(), MODALITIES).set_index(["cohort", "participant_id"])
    lacks = found.loc[("a", "sub-3")]
    assert lacks["modalities"] == "t1"
    assert lacks["information"] == lacks["information_alone_t1"]
    assert np.isnan(lacks[["information_added_t1", "information_alone_dwi", "brain_pad_common"]].astype(float)).all()
    assert np.isfinite(lacks["brain_pad_t1"])


def test_modality_differences_are_level_in_age_and_split_into_common_and_specific():
    own = person_table(out_of_fold(400), MODALITIES)[lambda t: t["cohort"] == "a"]
    for m in MODALITIES:
        level = own["brain_pad_common"] + own[f"brain_pad_specific_{m}"]
        assert abs(np.corrcoef(level, own["age"])[0, 1]) < 1e-9
        np.testing.assert_allclose(np.polyfit(own["age"], own[f"brain_pad_{m}"] - level, 1)[0], -0.5, atol=0.1)
    np.testing.assert_allclose(own["brain_pad_specific_t1"], -own["brain_pad_specific_dwi"], atol=1e-12)


def test_reliability_is_that_of_known_components():
    rng = np.random.default_rng(1)
    once = out_of_fold(1000, 1)[lambda t: t["cohort"] == "a"]
    trait = rng.normal(size=1000)
    rows = pd.concat([once.assign(repeat=r, brain_pad=trait + rng.normal(size=1000)) for r in range(4)])
    found = reliability_table(rows, MODALITIES).set_index("quantity")
    assert found.loc["brain_pad", "reliability"] == pytest.approx(0.5, abs=0.04)
    assert found.loc["brain_pad", "reliability_of_mean"] == pytest.approx(0.8, abs=0.03)
    assert found.loc["brain_pad", "split_half"] == pytest.approx(0.8, abs=0.04)
    assert found.loc["information", "reliability"] == pytest.approx(1)
    assert reliability_table(once, MODALITIES)["reliability"].isna().all()
