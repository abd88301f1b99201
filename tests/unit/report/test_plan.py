"""What is said of a plan: where more people bring something, and where they bring nothing that can be told."""

from __future__ import annotations

import pandas as pd
import pytest

from brainpid.report.figures import to_svg
from brainpid.report.plan import plan_dictionary, plan_figure, sentences


def table_of(gains, cohort="a"):
    """Two modalities, now and at twice the people, with the given intervals of gain by quantity and modalities."""
    rows = []
    for (quantity, modalities), (gain, low, high) in gains.items():
        level = 5.0 if quantity == "mae" else 0.5
        same = {"cohort": cohort, "model": "pidreg", "quantity": quantity, "modalities": modalities}
        same |= {"units": "years" if quantity == "mae" else "bits", "n_evaluated": 90}
        rows.append(same | {"kind": "observed", "times": 1.0, "n": 100, "value": level, "ci_low": 0.4, "ci_high": 5.6})
        rows.append(
            same | {"kind": "expected", "times": 2.0, "n": 200, "value": level + gain, "ci_low": level + low - 0.1,
                    "ci_high": level + high + 0.1, "gain": gain, "gain_low": low, "gain_high": high}
        )  # fmt: skip
    return pd.DataFrame(rows)


GAINS = {
    ("mae", "t1"): (-0.2, -0.4, -0.1),
    ("mae", "t1+dwi"): (-0.3, -0.5, -0.1),
    ("total", "t1+dwi"): (0.08, 0.02, 0.2),
    ("alone", "t1"): (0.05, 0.01, 0.1),
    ("alone", "dwi"): (0.07, 0.02, 0.1),
    ("added", "t1"): (0.01, -0.02, 0.05),
    ("added", "dwi"): (0.02, 0.01, 0.05),
}


def test_three_sentences_say_what_more_people_bring_and_what_they_do_not():
    assert sentences(table_of(GAINS)) == [
        "With 200 people instead of 100, PIDReg is expected to be off by 4.70 [4.40, 5.00] years instead of 5.00, a "
        "change of -0.30 [-0.50, -0.10], and to tell 0.58 [0.42, 0.80] bits instead of 0.50, a change of +0.080 "
        "[+0.020, +0.200].",
        "More people bring no bits that can be told from none to: t1 added.",
        "dwi gains most (alone): +0.070 [+0.020, +0.100] bits.",
    ]


@pytest.mark.parametrize(
    ("low", "words"),
    [
        (-0.1, ["bring no bits that can be told from none to: t1 alone, dwi alone, t1 added, dwi added.",
                "No modality gains more than can be told from none."]),
        (0.001, ["More people bring bits to every modality, alone and added to the others.", "dwi gains most (alone)"]),
    ],
)  # fmt: skip
def test_nothing_and_everything_are_said_as_such(low, words):
    said = sentences(table_of({key: (gain, low, high) for key, (gain, _, high) in GAINS.items()}))
    assert words[0] in said[1]
    assert words[1] in said[2]


def test_of_several_cohorts_all_people_are_told():
    other = dict.fromkeys(GAINS, (0.0, -0.1, 0.1))
    table = pd.concat([table_of(other), table_of(GAINS, "pooled")], ignore_index=True)
    assert sentences(table) == sentences(table_of(GAINS))
    assert "pooled: PIDReg" in to_svg(plan_figure(table, "years"))


def test_the_dictionary_says_what_is_not_told():
    assert "Nothing is said beyond 2 times the people" in plan_dictionary()["CannotSay"][0]
