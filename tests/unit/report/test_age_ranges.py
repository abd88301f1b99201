"""What is said of cohorts whose targets spread differently."""

from __future__ import annotations

import pandas as pd
from report_tables import pid_rows

from brainpid.report.age_ranges import age_range_words, reference_rows


def test_cohorts_whose_ages_spread_differently_are_told_of():
    rows = pd.concat([pid_rows(200, "a"), pid_rows(300, "b").assign(age_sd=18.0), pid_rows(500, "pooled")])
    assert age_range_words(rows.assign(age_sd=12.5)) == []
    assert age_range_words(rows) == []  # 1.44 times
    (words,) = age_range_words(rows.replace({"age_sd": {18.0: 20.0}}))
    assert words.startswith("Bits follow the spread of the target, whose standard deviation is 12.5 in a and 20.0 in b")


def test_reference_ages_are_named_where_they_are():
    rows = pd.concat([pid_rows(200, "a"), pid_rows(300, "b").assign(age_sd=30.0)])
    told = pid_rows(80, "b", "log_score_reference_ages")
    assert "compare cohorts by reference_ages of the configuration, or" in age_range_words(rows)[0]
    assert "compare cohorts by the rows log_score_reference_ages, or" in age_range_words(pd.concat([rows, told]))[0]


def test_a_cohort_without_reference_ages_stands_beside_those_that_have_them():
    rows = pd.concat([pid_rows(200, "a"), pid_rows(300, "b"), pid_rows(80, "b", "log_score_reference_ages")])
    rows = rows[rows["modalities"] == "t1"].assign(scope="all")
    first, second = reference_rows(rows, "pidreg")
    assert (first["cohort"], first["n"], first["told"]) == ("a", 200, None)
    assert (second["cohort"], second["n"], second["told"]["n"]) == ("b", 300, 80)
    assert reference_rows(rows[rows["estimator"] == "log_score"], "pidreg") == []
