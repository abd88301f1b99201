"""Predictions of new people with what is known of their sites: who is corrected, and what is expected."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.evaluation.calibrated import calibrated, growth_in_words, with_expected_error
from brainpid.model.calibration import Calibration, Expected, Learned, LocalSite, digest_of
from brainpid.model.local_people import Factor, Raw, SiteSpread, correct, sums_of

ONE = Factor(1.0, 1.0)
SPREAD = SiteSpread(
    offset=4.0, slope=1e-6, correlation=0.0, scatter=5.0, scatter_spread=1e-9, centre=50.0, spread=10.0, apart=1.0,
    half_width=8.0, coverage=0.9, width=ONE, error=ONE, sites=20, people=400,
)  # fmt: skip


def row(people: int, mae: float) -> Expected:
    return Expected(
        people=people, sites=20, mae=mae, mae_site_low=1, mae_site_high=9, coverage=0.9, coverage_site_low=0.7,
        coverage_site_high=1,
    )  # fmt: skip


LEARNED = Learned(units="years", spread=SPREAD, error_seen=4.5, expected=(row(0, 6.0), row(5, 5.2), row(10, 5.0)))
NORTH = LocalSite(  # 25 people at the centre, all off by 6
    people=25, zz=((25.0, 0.0), (0.0, 0.0)), zr=(150.0, 0.0), rr=900.0, known={}, offset=5.6,
    slope=0, at=50, expected_error=4, uncorrected_error=5, width=17, expected=row(10, 5.0),
)  # fmt: skip


def people() -> tuple[pd.DataFrame, list[str | None]]:
    """One of a training site, two of north, one of another new site, one of none, one who cannot be predicted."""
    table = pd.DataFrame({
        "participant_id": [f"sub-{k}" for k in range(6)],
        "site_seen": ["yes", "no", "no", "no", None, "no"], "predicted_age": [50.0, 50, 40, 50, 50, np.nan],
        "pi_low": [42.0, 42, 32, 42, 42, np.nan], "pi_high": [58.0, 58, 48, 58, 58, np.nan],
        "gain_dwi": [1.0, 1, np.nan, 1, 1, np.nan], "reason": None,
    })  # fmt: skip
    return table, ["s0", "north", "north", "south", None, "north"]


def test_people_of_a_calibrated_site_are_corrected_and_others_are_not():
    table, sites = people()
    found = calibrated(
        table, np.full(6, 8.0), sites, Calibration(model="ridge", learned=LEARNED, sites={"north": NORTH}), 0.9
    )
    shift = 6 * 16 / (16 + 25 / 25)
    np.testing.assert_allclose(found["predicted_age"][:5], [50, 50 + shift, 40 + shift, 50, 50], rtol=1e-5)
    pd.testing.assert_frame_equal(found.loc[[0, 4], list(table)], table.loc[[0, 4]])
    width = found["pi_high"] - found["pi_low"]
    # 1.645 x 2 of the posterior predictive variance: 25 + 16 / 17 of north, 25 + 16 at a site of which nobody is known.
    np.testing.assert_allclose(width[1:4], 3.28971 * np.sqrt([25 + 16 / 17, 25 + 16 / 17, 41]), rtol=1e-4)
    np.testing.assert_allclose(found["gain_dwi"][[0, 1, 3]], [1, width[1] / 16, width[3] / 16])
    assert found["local_people"].fillna(-1).tolist() == [-1, 25, 25, 0, -1, -1]
    assert np.isnan(found["predicted_age"][5])
    assert found.columns[-1] == "reason"


def calibrated_by(y: np.ndarray, raw: Raw) -> Calibration:
    """A site that was calibrated by people sub-0, sub-1 and so on."""
    sums = sums_of(raw, y, SPREAD)
    known = {digest_of("north", f"sub-{k}"): float(off) for k, off in enumerate(y - raw.predicted)}
    north = NORTH.model_copy(
        update={"people": len(y), "zz": sums.zz.tolist(), "zr": sums.zr.tolist(), "rr": sums.rr, "known": known}
    )
    return Calibration(model="ridge", learned=LEARNED, sites={"north": north})


def test_who_calibrated_the_site_is_corrected_by_the_others():
    rng = np.random.default_rng(0)
    predicted = rng.uniform(40, 60, 8)
    half = rng.uniform(6, 10, 8)
    raw = Raw(predicted, predicted - half, predicted + half, half)
    y = predicted + 5 + rng.normal(0, 4, 8)
    told = {"predicted_age": predicted, "pi_low": raw.low, "pi_high": raw.high}
    table = pd.DataFrame({"participant_id": [f"sub-{k}" for k in range(8)], "site_seen": "no"} | told)
    found = calibrated(table, half, ["north"] * 8, calibrated_by(y, raw), 0.9)
    for k in range(8):
        others = np.delete(np.arange(8), k)
        alone = correct(SPREAD, sums_of(raw.of(others), y[others], SPREAD), raw.of(np.array([k])), 0.9)
        assert found["predicted_age"][k] == pytest.approx(alone.predicted[0])
        assert found["pi_high"][k] == pytest.approx(alone.high[0])
        assert found["expected_error"][k] == pytest.approx(alone.expected_error[0])
    assert (found["local_people"] == 7).all()
    older = y + 30 * (np.arange(8) == 3)
    again = calibrated(table, half, ["north"] * 8, calibrated_by(older, raw), 0.9)
    moved = again["predicted_age"] - found["predicted_age"]
    assert moved[3] == pytest.approx(0, abs=1e-9)
    assert (moved.drop(3) > 1).all()


def test_the_expected_error_and_its_growth_are_told_without_a_calibration_too():
    table, sites = people()
    found = with_expected_error(table, np.full(6, 8.0), sites, LEARNED)
    pd.testing.assert_frame_equal(found[list(table)], table)
    new = np.sqrt(2 / np.pi * 41)
    np.testing.assert_allclose(found["expected_error"], [4.5, new, new, new, np.nan, np.nan], rtol=1e-5)
    np.testing.assert_allclose(found["error_growth"], found["expected_error"] - 4.5)
    unknown = with_expected_error(table, np.full(6, 8.0), sites, LEARNED.model_copy(update={"error_seen": None}))
    assert unknown["error_growth"].isna().all()
    np.testing.assert_allclose(unknown["expected_error"][1:4], new, rtol=1e-5)


def test_a_model_that_does_not_know_its_sites_corrects_those_that_are_calibrated_alone():
    table, sites = people()
    own = Calibration(model="ridge", learned=LEARNED, sites={"north": NORTH})
    found = calibrated(table.drop(columns="site_seen"), np.full(6, 8.0), sites, own, 0.9)
    assert found["local_people"].fillna(-1).tolist() == [-1, 25, 25, -1, -1, -1]
    assert found["predicted_age"][3] == 50


def test_growth_in_words():
    assert growth_in_words(LEARNED) == (
        "6.0 on average instead of 4.5, and 5.0 once 10 of its people are known (brainpid calibrate)"
    )
    alone = Learned(units="years", spread=SPREAD, error_seen=None, expected=(row(0, 6.0),))
    assert growth_in_words(alone) == "6.0 on average"
    assert LEARNED.at(7).mae == pytest.approx(5.2)
