"""Accuracy by cohort and by what people have."""

from __future__ import annotations

import pytest
from prediction_tables import MODALITIES, incomplete, out_of_fold

from brainpid.evaluation.accuracy import accuracy_table


def test_pooled_accuracy_lies_between_the_cohorts():
    table = accuracy_table(out_of_fold(), MODALITIES, "kfold", 0.95).set_index("cohort")
    assert table.loc[["a", "b"], "mae"].min() <= table.loc["pooled", "mae"] <= table.loc[["a", "b"], "mae"].max()
    assert table.loc["pooled", "n"] == 800


def test_accuracy_is_told_apart_by_what_people_have():
    rows = incomplete()
    table = accuracy_table(rows, MODALITIES, "kfold", 0.95)
    found = table[["cohort", "modalities", "n"]].itertuples(index=False, name=None)
    # dwi alone has too few people for a row, and the complete pattern is in one cohort only: there is nothing to pool.
    assert list(found) == [("a", "t1+dwi", 35), ("a", "t1", 20), ("b", "t1", 60), ("pooled", "t1", 80)]
    own = rows[(rows["cohort"] == "a") & (rows["modalities"] == "t1")]
    assert table["mae"][1] == pytest.approx((own["predicted_age"] - own["age"]).abs().mean())
