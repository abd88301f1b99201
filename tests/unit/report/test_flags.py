"""Each red flag is raised by what it names, and by nothing less."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from report_tables import NO_NEW_SITES, SETTINGS, motion, normality, pid_rows, predictions, verdict

from brainpid.features.findings import findings_table
from brainpid.report.flags import Flag, red_flags
from brainpid.report.sites import people_of_sites

CLEAN = [verdict("a", "t1", "shown"), verdict("a", "dwi", "shown")]


def coverage(*rows: tuple[str, str, int, float], model: str = "pidreg") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["kind", "group", "n", "coverage"]).assign(model=model)


def flags(verdicts=CLEAN, mixed=(), against=(), **tables) -> list[Flag]:
    found = {
        "pid": pid_rows(n=400),
        "coverage": coverage(("all", "everybody", 400, 0.9)),
        "predictions": predictions(),
        "normality": normality(None),
        "motion": motion(predictions()),
        "leakage": findings_table([]),
        "new_sites": NO_NEW_SITES,
    }
    return red_flags(SETTINGS, found | tables, verdicts, mixed, against)


def test_a_run_without_faults_has_no_flag():
    assert flags() == []


@pytest.mark.parametrize(("n", "raised"), [(299, True), (300, False)])
def test_few_people(n, raised):
    found = flags(pid=pid_rows(n=n))
    assert [flag.section for flag in found] == ["information"] * raised
    assert not raised or found[0].words.startswith("Only 299 people with every modality: with fewer than 300")
    pooled = pd.concat([pid_rows(n=200), pid_rows(n=200, cohort="b"), pid_rows(n=400, cohort="pooled")])
    assert flags(pid=pooled) == []


def test_nothing_to_decompose():
    assert [flag.words for flag in flags(pid=pid_rows(n=400).iloc[:0])] == [
        "No cohort has enough people with every modality for a decomposition"
    ]


def test_intervals_that_miss_their_promise_beyond_chance():
    found = flags(coverage=coverage(("all", "everybody", 400, 0.83), ("predicted band", "20 to 30", 40, 0.9)))
    assert found == [Flag("Prediction intervals cover 83% of everybody where 90% are promised (n = 400)", "intervals")]
    found = flags(coverage=coverage(("all", "everybody", 400, 0.89), ("predicted band", "20 to 30", 40, 0.65)))
    assert [flag.words[:66] for flag in found] == ["Prediction intervals cover 65% of people with a predicted age 20 t"]


def test_intervals_are_allowed_their_chance_and_bands_of_the_true_target_are_no_test():
    assert flags(coverage=coverage(("all", "everybody", 400, 0.87), ("band", "20 to 30", 400, 0.1))) == []
    bands = [("predicted band", f"{k}", 40, 0.9) for k in range(9)]
    once = ("all", "everybody", 100, 0.83)  # p = .03 by itself
    assert len(flags(coverage=coverage(once))) == 1
    assert flags(coverage=coverage(once, *bands)) == []
    assert flags(coverage=coverage(("all", "everybody", 400, 0.5), model="ridge")) == []  # the first model's alone


def test_sites_that_differ_in_signed_error():
    found = flags(predictions=predictions(shift={"s1": 5.0}))
    assert [flag.section for flag in found] == ["sites"]
    assert "the mean of predicted less true age, less its line on age, is" in found[0].words
    assert found[0].words.endswith("years at a s1")


def test_sites_that_differ_in_the_size_of_errors():
    found = flags(predictions=predictions(spread={"s1": 3.0}))
    assert [flag.words[:39] for flag in found] == ["Sites differ: the mean absolute error i"]
    assert " at a s0 and " in found[0].words


def test_a_site_of_few_people_and_a_small_difference_are_not_told():
    few = predictions(shift={"s1": 5.0})
    few = few[(few["site"] != "s1") | (few.groupby("site").cumcount() < 19)]
    assert flags(predictions=few) == []
    many = pd.concat([predictions(shift={"s1": 0.6}, seed=seed, n=1000) for seed in range(3)])
    assert flags(predictions=many.assign(participant_id=[f"sub-{k}" for k in range(len(many))])) == []


def test_more_unusual_people_than_chance_brings():
    found = predictions()
    found.loc[found.index[:3], "atypicality"] = 0.999
    assert flags(predictions=found) == []  # of 200
    found.loc[found.index[:7], "atypicality"] = 0.999
    told = flags(predictions=found)
    assert [flag.section for flag in told] == ["unusual"]
    assert told[0].words.startswith(
        "The features of 7 people are more unusual than 99% of the training's (by chance about 2)"
    )


def test_what_is_not_shown_and_what_was_not_tested():
    found = flags([verdict("a", "t1", "not shown; so little"), verdict("a", "dwi", "not tested")])
    assert found == [
        Flag("That t1 adds information to the others is not shown", "added"),
        Flag("That dwi adds information to the others was not tested", "added"),
    ]


def test_the_pooled_row_decides_where_it_is_tested():
    rows = [verdict("a", "t1", "not shown"), verdict("b", "t1", "shown")]
    assert flags(rows) == []
    assert flags([*rows, verdict("pooled", "t1", "not tested")]) == []
    assert len(flags([*rows, verdict("pooled", "t1", "not shown")])) == 1


def test_missingness_that_depends_on_the_target():
    weighted = pd.concat([pid_rows(n=400), pid_rows(n=400, estimator="log_score_weighted")])
    assert [flag.words[:48] for flag in flags(pid=weighted)] == ["Who has every modality depends on age in a: read"]


def test_doubts_about_normality():
    assert [flag.section for flag in flags(normality=normality("heavy tails"))] == ["normality"]
    assert flags(normality=normality("heavy tails", model="ridge")) == []
    assert flags(normality=normality(np.nan)) == []


def test_versions_and_readings_against_the_target():
    found = flags(mixed=["numpy 1 (x), 2", "torch 1 (y), 2"], against=["a: what PIDReg reads from t1 falls"])
    assert found == [
        Flag("Folds were trained by different versions of numpy 1 (x), 2; torch 1 (y), 2: delete those that are not "
             "wanted and run again", "made"),
        Flag("a: what PIDReg reads from t1 falls", "information"),
    ]  # fmt: skip


def moving(own: pd.DataFrame, people: int) -> np.ndarray:
    """So many people of all ages who move much."""
    values = np.full(len(own), 0.1)
    values[20 :: len(own) // people] = 0.6
    return values


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (lambda own: 0.1 + own["age"] / 500, "Motion in fmri (rank correlation 1.00) goes with age: what fmri tells"),
        (lambda own: 0.3 + people_of_sites(own)["signed"] / 100, "goes with predicted less true age: who moves more"),
        (lambda own: moving(own, 5), "5 of 200 people with fmri moved by more than 0.5 mm"),
    ],
)
def test_motion_that_goes_with_age_or_error_or_is_much(values, words):
    own = predictions(seed=3)
    (found,) = flags(predictions=own, motion=motion(own, values(own)))
    assert words in found.words
    assert found.section == "motion"


def test_motion_that_goes_with_nothing_is_not_told():
    own = predictions()
    still = np.random.default_rng(5).permutation(np.linspace(0.05, 0.4, len(own)))
    assert flags(predictions=own, motion=motion(own, still)) == []
    assert flags(predictions=own, motion=motion(own, moving(own, 4))) == []
