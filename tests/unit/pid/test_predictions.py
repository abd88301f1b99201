"""Decomposition of log scores: the means, the clusters, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from pid_cases import MEASURES, log_scores

from brainpid.core.errors import InputError
from brainpid.pid import decompose_predictions


def test_informations_are_mean_scores_whatever_the_spelling_of_a_subset():
    scores, truth = log_scores(400, {"t1": 0.8, "dwi": 0.5})
    found = decompose_predictions(scores)
    assert found.modalities == ("t1", "dwi")
    for subset, bits in found.information.items():
        own = scores["+".join(name for name in ("t1", "dwi") if name in subset)]
        assert bits == pytest.approx(own.mean(), abs=1e-12)
        assert bits == pytest.approx(truth[subset], abs=4 * own.std() / 20)
    turned = {("dwi", "t1"): scores["t1+dwi"], ("t1",): scores["t1"], "dwi": scores["dwi"]}
    assert decompose_predictions(turned).to_frame().equals(found.to_frame())
    alone = found.atom("one_vs_rest", "t1", "alone")
    assert alone.se == pytest.approx(scores["t1"].std(ddof=1) / 20, rel=0.01)
    assert (alone.ci_low, alone.ci_high) == pytest.approx(
        (alone.bits - 1.95996 * alone.se, alone.bits + 1.95996 * alone.se)
    )
    added = found.atom("one_vs_rest", "dwi", "added")
    assert added.bits == pytest.approx((scores["t1+dwi"] - scores["t1"]).mean())
    assert found.influence[:, 0] == pytest.approx(scores["t1+dwi"] - scores["t1+dwi"].mean())


@pytest.mark.parametrize("measure", MEASURES)
def test_worse_than_the_age_distribution_is_negative(measure):
    scores, _ = log_scores(300, {"t1": 0.8, "dwi": 0.5, "fmri": 0.3})
    scores["fmri"] = scores["fmri"] - 0.4
    found = decompose_predictions(scores, measure=measure)
    alone = found.atom("one_vs_rest", "fmri", "alone")
    assert alone.bits == found.information[frozenset(["fmri"])] < -0.2
    assert alone.ci_high < 0
    parts = ("unique", "rest_unique", "redundant", "synergy")
    assert sum(found.atom("one_vs_rest", "fmri", part).bits for part in parts) == pytest.approx(found.rows[0].bits)


@pytest.mark.parametrize("measure", MEASURES)
def test_scores_of_nothing_say_zero_and_have_a_width(measure):
    """Readers that say nothing have the score 0 for everybody, and scores beside 0 promise little error."""
    zero = decompose_predictions(dict.fromkeys(("t1", "dwi", "t1+dwi"), np.zeros(300)), measure=measure)
    for row in zero.rows:
        assert row.ci_low < 0.002
        assert 0 <= row.ci_high < 0.02
        assert row.ci_high - row.ci_low > 0.003
    rng = np.random.default_rng(0)
    tiny = {name: 0.001 + 0.002 * rng.standard_normal(300) for name in ("t1", "dwi", "t1+dwi")}
    assert decompose_predictions(tiny, measure=measure).rows[0].ci_low < 0


def test_standard_errors_are_clustered_and_widened():
    scores, _ = log_scores(200, {"t1": 0.8, "dwi": 0.5})
    once = decompose_predictions(scores)
    thrice = {name: np.repeat(values, 3) for name, values in scores.items()}
    clustered = decompose_predictions(thrice, np.repeat(np.arange(200), 3))
    for one, other in zip(once.rows, clustered.rows, strict=True):
        assert other.bits == pytest.approx(one.bits, abs=1e-4)
        assert (other.se, other.ci_low) == pytest.approx((one.se, one.ci_low), abs=1e-4, nan_ok=True)
    wide = decompose_predictions(scores, se_factor=1.2)
    assert wide.rows[0].se == pytest.approx(1.2 * once.rows[0].se)
    with pytest.raises(InputError, match=r"groups have shape \(3,\)"):
        decompose_predictions(scores, [1, 2, 3])


def test_bad_scores_are_named():
    scores, _ = log_scores(50, {"t1": 0.8, "dwi": 0.5, "fmri": 0.2})
    lacking = {name: values for name, values in scores.items() if name not in ("t1+fmri", "t1+dwi+fmri")}
    with pytest.raises(
        InputError, match=r"no scores of t1\+fmri and t1\+dwi\+fmri|no scores of t1\+fmri, t1\+dwi\+fmri"
    ):
        decompose_predictions(lacking)
    with pytest.raises(InputError, match=r"'dwi\+t1'.* given twice"):
        decompose_predictions(scores | {"dwi+t1": scores["t1"]})
    with pytest.raises(InputError, match=r"pet\+t1 have modalities without scores of their own"):
        decompose_predictions(scores | {"t1+pet": scores["t1"]})
    broken = scores["t1+dwi"].copy()
    broken[[3, 7]] = np.nan, np.inf
    with pytest.raises(InputError, match=r"'t1\+dwi' are missing or infinite for 2 of 50 people; leave these"):
        decompose_predictions(scores | {"t1+dwi": broken})
    with pytest.raises(InputError, match=r"'fmri' have shape \(49,\); expected \(50,\)"):
        decompose_predictions(scores | {"fmri": scores["fmri"][1:]})
    rows = {name: pd.Series(values) for name, values in scores.items()}
    with pytest.raises(InputError, match="labels of"):
        decompose_predictions(rows | {"fmri": rows["fmri"][::-1]})
    with pytest.raises(InputError, match="did you mean 'idep'"):
        decompose_predictions(scores, measure="idpe")
    with pytest.raises(InputError, match="1 modalities given"):
        decompose_predictions({"t1": scores["t1"]})


def test_a_weight_of_two_is_a_person_twice_but_for_the_interval():
    scores, _ = log_scores(200, {"t1": 0.8, "dwi": 0.5})
    weights = 1 + np.arange(200) % 2
    twice = {subset: np.concatenate([own, own[1::2]]) for subset, own in scores.items()}
    found = decompose_predictions(scores, weights=weights)
    for subset, bits in decompose_predictions(twice).information.items():
        assert found.information[subset] == pytest.approx(bits, abs=1e-12)
    alike = decompose_predictions(scores, weights=np.full(200, 7.0))
    pd.testing.assert_frame_equal(alike.to_frame(), decompose_predictions(scores).to_frame())
    with pytest.raises(InputError, match=r"weights of shape \(3,\)"):
        decompose_predictions(scores, weights=[1, 1, 1])
