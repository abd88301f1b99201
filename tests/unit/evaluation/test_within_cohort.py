"""The summary of the nulls of cohorts, and of all together."""

from __future__ import annotations

import numpy as np

from brainpid.crossfit.null import Null
from brainpid.evaluation.within_cohort import WithinCohorts, null_summary, rows_of_tests


def small(values: list[float], added: list[float], n: int) -> Null:
    return Null(np.array(values), {"t1": np.array(added), "dwi": np.zeros(len(values))}, n)


def test_statistics_are_summarised_by_cohort_and_pooled():
    nulls = {"a": small([1.0, 0, 2], [0.5, 0, 1], 100), "b": small([4.0, 2, 2], [2.0, 1, 1], 300)}
    found = null_summary(nulls, ["t1", "dwi"]).set_index(["cohort", "atom", "modalities"])
    assert found.index.unique("cohort").tolist() == ["a", "b", "pooled"]
    assert found.loc[("a", "total", "t1+dwi"), ["bits", "null_mean", "n"]].tolist() == [1, 1, 100]
    assert found.loc[("pooled", "added", "t1"), "bits"] == 1.625
    assert found.loc[("b", "added", "dwi"), "p_value"] == 1


def test_what_has_no_draws_is_not_tested():
    rows = rows_of_tests(
        WithinCohorts({"a": small([1.0, 0], [0.5, np.nan], 9)}, "ridge", 5, {}), ["t1", "dwi"], ["mmi"]
    )
    assert rows["model"].unique().tolist() == ["ridge_within_cohort"]
    assert rows["p_value"].isna().tolist() == [False, True, False]
    assert rows_of_tests(WithinCohorts({}, "ridge", 5, {}), ["t1", "dwi"], ["mmi"]).empty
