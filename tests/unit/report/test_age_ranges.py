"""What is said of cohorts whose targets spread differently."""

from __future__ import annotations

import pandas as pd
from report_tables import pid_rows

from brainpid.report.age_ranges import age_range_words


def test_cohorts_whose_ages_spread_differently_are_told_of():
    rows = pd.concat([pid_rows(200, "a"), pid_rows(300, "b").assign(age_sd=18.0), pid_rows(500, "pooled")])
    assert age_range_words(rows.assign(age_sd=12.5)) == []
    assert age_range_words(rows) == []  # 1.44 times
    (words,) = age_range_words(rows.replace({"age_sd": {18.0: 20.0}}))
    assert words.startswith("Bits follow the spread of the target, whose standard deviation is 12.5 in a and 20.0 in b")
