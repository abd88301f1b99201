"""Motion is told of where it goes with the target or with the error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from report_tables import motion, predictions
from scipy.stats import spearmanr

from brainpid.report.motion import link, motion_table, people_of_motion


def test_the_correlation_is_spearmans_in_one_cohort():
    own = predictions()
    people = people_of_motion(motion(own, np.random.default_rng(1).exponential(0.2, len(own))), own)
    expected = spearmanr(people["fd_mean_mm"], people["age"])
    assert link(people, "age").rho == pytest.approx(expected.statistic)
    assert link(people, "age").p_value == pytest.approx(expected.pvalue, rel=0.05)


def test_cohorts_that_differ_in_both_are_no_link():
    random = np.random.default_rng(0)
    parts = [
        pd.DataFrame({"cohort": name, "fd_mean_mm": shift + random.random(200), "age": shift + random.random(200)})
        for name, shift in (("a", 0.0), ("b", 5.0))
    ]
    people = pd.concat(parts, ignore_index=True)
    assert spearmanr(people["fd_mean_mm"], people["age"]).statistic > 0.7
    assert abs(link(people, "age").rho) < 0.1


def test_no_correlation_of_few_people_or_of_people_who_all_move_alike():
    own = predictions()
    few = people_of_motion(motion(own.iloc[:19], 0.1 + np.arange(19)), own)
    assert np.isnan(link(few, "age").rho)
    alike = people_of_motion(motion(own, np.full(len(own), 0.1)), own)
    assert np.isnan(link(alike, "age").rho)


def test_the_table_counts_who_moves_much_among_those_who_are_predicted():
    own = predictions()
    moved = motion(own, np.r_[np.full(4, 0.51), np.full(len(own) - 5, 0.25), np.nan])
    others = moved.assign(participant_id=moved["participant_id"] + "x", fd_mean_mm=2.0)
    (row,) = motion_table(people_of_motion(pd.concat([moved, others]), pd.concat([own, own])))
    assert (row["modality"], row["cohort"], row["n"], row["much"], row["median"]) == ("fmri", "a", 199, 4, 0.25)
    assert motion_table(people_of_motion(moved.iloc[:0], own)) == []
    without = own["participant_id"].isin(
        ["sub-0", "sub-1"]
    )  # left out of fmri because they move: predicted from the rest
    own = own.assign(modalities=np.where(without, "t1+dwi", "t1+dwi+fmri"))
    (row,) = motion_table(people_of_motion(moved, own))
    assert (row["n"], row["much"]) == (197, 2)
