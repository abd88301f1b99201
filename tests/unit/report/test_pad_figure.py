"""Predicted less true target by cohort and sex."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from report_tables import predictions
from scipy.stats import ttest_1samp

from brainpid.report.figures import to_svg
from brainpid.report.pad_figure import UNKNOWN, brain_pad, pad_table, pads, people_of_pads


def participants(n: int = 200, cohort: str = "a") -> pd.DataFrame:
    sex = ["F", "M"] * (n // 2 - 1) + [None, "F"]
    return pd.DataFrame({"participant_id": [f"sub-{k}" for k in range(n)], "cohort": cohort, "sex": sex})


def test_a_group_that_looks_older_stands_in_its_mean():
    known = participants()
    own = predictions()
    men = known["sex"].eq("M").to_numpy()
    first = {row["sex"]: row for row in pad_table(pads(own, known), 0.95)}
    shifted = own.assign(predicted_age=own["predicted_age"] + 5.0 * men)
    second = {row["sex"]: row for row in pad_table(pads(shifted, known), 0.95)}
    assert [(row["sex"], row["n"]) for row in second.values()] == [("F", 100), ("M", 99), (UNKNOWN, 1)]
    before, after = (found["M"]["mean"] - found["F"]["mean"] for found in (first, second))
    assert after - before == pytest.approx(5.0, abs=0.01)


def test_groups_of_other_ages_do_not_differ_by_regression_to_the_mean():
    age = np.r_[np.linspace(20, 40, 30), np.linspace(60, 80, 30)]
    ids = [f"sub-{k}" for k in range(60)]
    own = pd.DataFrame({"participant_id": ids, "cohort": "a", "age": age, "predicted_age": 50 + 0.5 * (age - 50)})
    known = pd.DataFrame({"participant_id": ids, "cohort": "a", "sex": ["F"] * 30 + ["M"] * 30})
    assert [row["mean"] for row in pad_table(pads(own, known), 0.95)] == pytest.approx([0, 0], abs=1e-9)


def test_the_interval_is_students_and_one_person_has_none():
    people = pads(predictions(), participants())
    rows = {row["sex"]: row for row in pad_table(people, 0.9)}
    expected = ttest_1samp(people.loc[people["sex"] == "F", "pad"], 0).confidence_interval(0.9)
    assert (rows["F"]["low"], rows["F"]["high"]) == pytest.approx(tuple(expected))
    assert np.isnan(rows[UNKNOWN]["low"])


def test_repeats_are_averaged_and_cohorts_keep_their_order():
    own = predictions(n=30)
    both = pd.concat([own.assign(cohort="z"), own.assign(cohort="b")])
    known = pd.concat([participants(60, "z"), participants(60, "b")]).drop(columns="sex")
    people = pads(pd.concat([both, both]), known)
    assert len(people) == 120
    assert [(row["cohort"], row["sex"], row["n"]) for row in pad_table(people, 0.95)] == [
        ("z", UNKNOWN, 60),
        ("b", UNKNOWN, 60),
    ]


def test_each_dot_says_whose_it_is():
    people = pads(predictions(n=2), participants(4))
    svg = to_svg(brain_pad(people, 0.95, "age", "years"), people_of_pads(people, "years"))
    ET.fromstring(svg)
    found = re.findall(r"<title>(\S+) \(a, ([^)]*)\): [+-]\d+\.\d years at \d+</title>", svg)
    assert found == [("sub-0", "F"), ("sub-3", "F"), ("sub-1", "M"), ("sub-2", UNKNOWN)]
    assert "a, F (n = 2)" in svg
    nobody = people.iloc[:0]
    assert "Nobody is predicted" in to_svg(brain_pad(nobody, 0.95, "age", "years"))
