"""The first screen says what the tables say."""

from __future__ import annotations

import pandas as pd
import pytest
from report_tables import SETTINGS, pid_rows, verdict

from brainpid.report.summary import Summary, summarise

CHOICE = {"Best": "t1+dwi"}


def accuracy(cohort: str = "a") -> pd.DataFrame:
    rows = [("pidreg", 5.0), ("gpr", 5.75), ("ridge", 5.5)]
    return pd.DataFrame(
        {"cohort": cohort, "model": model, "modalities": "t1+dwi", "n": 300, "mae": mae, "mae_ci_low": mae - 0.5,
         "mae_ci_high": mae + 0.5} for model, mae in rows
    )  # fmt: skip


def comparison(difference: float, cohort: str = "a") -> pd.DataFrame:
    """PIDReg less another; GPR is the first and not the best."""
    return pd.DataFrame(
        {"cohort": cohort, "model": model, "reference": "pidreg", "difference": value, "ci_low": value - 0.25,
         "ci_high": value + 0.25} for model, value in (("gpr", -9.0), ("ridge", difference))
    )  # fmt: skip


def summary(cohorts=("a",), recommended="t1+dwi", verdicts=(), **tables) -> Summary:
    participants = pd.concat(
        pd.DataFrame({"cohort": cohort, "age": [20.0, 40.5, 99.0], "included": [True, True, False],
                      "t1_status": "SUCCESS", "dwi_status": ["SUCCESS", "FAIL", "SUCCESS"]})
        for cohort in cohorts
    )  # fmt: skip
    subsets = ["t1", "dwi", "t1+dwi"]
    found = {
        "participants": participants,
        "accuracy": accuracy(),
        "comparison": comparison(-0.5),
        "pid": pid_rows(n=300),
        "selection": pd.DataFrame({"modalities": subsets, "cost": [1.0, 2.5, 3.5], "mae": [5.25, 6.0, 5.0],
                                   "recommended": [subset == recommended for subset in subsets]}),
    }  # fmt: skip
    return summarise(SETTINGS, found | tables, CHOICE, verdicts)


def test_who():
    assert summary().who == "2 people of a, age 20 to 40.5 years; 1 of them with t1 and dwi."
    assert summary(("a", "b")).who.startswith("4 people of 2 cohorts (a, b), age 20 to 40.5 years; 2 of them")


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (-0.5, "that is 0.50 years [0.25, 0.75] less than Ridge, the best of the other models."),
        (0.5, "that is 0.50 years [0.25, 0.75] more than Ridge, the best of the other models."),
        (0.0, "not told apart from Ridge, the best of the other models (difference 0.00 years [-0.25, 0.25])."),
    ],
)
def test_accuracy_against_the_best_of_the_others(difference, words):
    said = summary(comparison=comparison(difference)).accuracy
    assert said.startswith("Mean absolute error of PIDReg 5.00 years [4.50, 5.50] in 300 held-out people")
    assert said.endswith(words)


def test_accuracy_over_several_cohorts_is_the_pooled_and_of_one_model_stands_alone():
    pooled = pd.concat([accuracy().assign(mae=1.0), accuracy("pooled")])
    said = summary(accuracy=pooled, comparison=comparison(-0.5, "pooled")).accuracy
    assert "PIDReg 5.00 years" in said
    assert "(random-effects mean over cohorts; 4 folds, 3 repeats)" in said
    one = comparison(-0.5)
    assert summary(comparison=one[one["model"] == "ridge"]).accuracy.endswith("less than Ridge, the other model.")
    assert summary(comparison=comparison(0.0).iloc[:0]).accuracy.endswith("no other model was run to compare it with.")


def test_contributions_are_those_of_the_headline_with_their_verdicts():
    verdicts = [verdict("a", "t1", "shown"), verdict("a", "dwi", "not shown; so little")]
    assert summary(verdicts=verdicts).contributions == (
        "Together the modalities tell 1.50 [1.40, 1.60] bits about age, in a; beyond the others, t1 adds 0.50 "
        "[0.40, 0.60] (shown) and dwi adds 0.50 [0.40, 0.60] (not shown)."
    )
    pooled = pd.concat([pid_rows(n=300), pid_rows(n=600, cohort="pooled", bits={"total": 2.0})])
    assert summary(pid=pooled).contributions.startswith(
        "Together the modalities tell 2.00 [1.90, 2.10] bits about age, pooled"
    )
    assert "t1 adds 0.50 [0.40, 0.60] (not tested)" in summary(pid=pooled).contributions
    assert summary(pid=pooled.iloc[:0]).contributions == "No cohort can be decomposed."


def test_what_is_worth_acquiring():
    assert summary().worth == "Acquire t1 and dwi: no cheaper subset predicts age as well."
    assert summary(recommended="t1").worth == (
        "t1 would do: 5.25 against 5.00 years with t1 and dwi, at a cost of 1 instead of 3.5."
    )
