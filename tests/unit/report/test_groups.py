"""Groups on the report: rows, sentences, flags, methods and the figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
from report_pages import raw_page, tables
from report_tables import SETTINGS

from brainpid.evaluation.group_tables import GROUP_COLUMNS, OTHERS_COLUMNS
from brainpid.report.group_columns import GROUPS, OTHERS
from brainpid.report.groups import (
    group_flags,
    group_rows,
    group_sentences,
    groups_figure,
    groups_in_methods,
    trained_in_words,
)

DESIGN = SETTINGS.model_copy(update={"train_on": {"diagnosis": ("control",)}, "compared": ("diagnosis",)})


def groups(p_value: float = 0.0005, cohorts: tuple[str, ...] = ("a",), left_out: int = 3) -> pd.DataFrame:
    """Patients and carriers against controls by two models; carriers are too few."""
    rows = []
    for cohort in cohorts:
        for model in ("pidreg", "ridge"):
            for pad, difference in (("corrected", 3.25), ("uncorrected", 1.5)):
                own = {"cohort": cohort, "model": model, "column": "diagnosis", "reference": "control", "pad": pad}
                rows.append(own | {
                    "group": "patient", "n": 24, "n_reference": 50, "left_out": left_out, "age": 51.5,
                    "age_reference": 47.0, "difference": difference, "ci_low": difference - 1,
                    "ci_high": difference + 1, "cohens_d": 0.625, "p_value": p_value, "permutations": 1999,
                    "unadjusted": -2.0, "reason": np.nan,
                })  # fmt: skip
                rows.append(own | {"group": "carrier", "n": 4, "reason": "4 of the group are <few>", "left_out": 0,
                                   "n_reference": 50, "permutations": 0})  # fmt: skip
    return pd.DataFrame(rows, columns=GROUP_COLUMNS)


def others(coverage: float = 0.5) -> pd.DataFrame:
    rows = [
        {"cohort": "a", "model": "pidreg", "column": "diagnosis", "group": group, "trained_on": trained, "n": 40,
         "mae": mae, "mae_ci_low": mae - 1, "mae_ci_high": mae + 1, "bias": 0.5, "r2": 0.5, "pearson_r": 0.75,
         "coverage": covered, "information_bits": 0.875, "information_ci_low": 0.75, "information_ci_high": 1.0}
        for group, trained, mae, covered in (("control", True, 5.5, 0.9), ("patient", False, 7.25, coverage))
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=OTHERS_COLUMNS)


def test_every_column_is_described():
    assert list(GROUPS) == GROUP_COLUMNS
    assert list(OTHERS) == OTHERS_COLUMNS


def test_rows_have_the_uncorrected_difference_beside():
    first, second = group_rows(groups(), "ridge")
    assert (first["difference"], first["uncorrected"], first["reason"]) == (3.25, 1.5, "")
    assert second["reason"] == "4 of the group are <few>"


def test_sentences_are_of_everybody_where_there_are_several_cohorts():
    (told,) = group_sentences(groups(), DESIGN)
    assert told == (
        "diagnosis patient: predicted age is 3.25 years above that of control of the same age, sex and site "
        "[2.25, 4.25] (d = 0.62, p = 0.0005, n = 24 and 50)"
    )
    (sexes,) = group_sentences(groups().assign(column="sex"), DESIGN)
    assert "of the same age and site [" in sexes
    (told,) = group_sentences(groups(0.2, ("a", "b", "pooled")), DESIGN)
    assert told.endswith("which is not told apart from none")


def test_flags():
    told = group_flags({"groups": groups(left_out=30), "others": others()}, DESIGN)
    assert told == [
        "diagnosis carrier of a is not compared with control: 4 of the group are <few>",
        "30 of 104 people with diagnosis patient or control are of an age or a site that the other group does not "
        "have, and are not compared",
        "Prediction intervals cover 50% of the 40 people of a with diagnosis patient, who are not trained on, where "
        "90% are promised to people as in the training",
    ]
    assert group_flags({"groups": groups().iloc[:1], "others": others(0.9)}, DESIGN) == []
    (both,) = group_flags({"groups": groups().iloc[:1]}, DESIGN.model_copy(update={"train_on": None}))
    assert both.startswith("Models were trained on all groups of diagnosis")
    assert group_flags({}, SETTINGS) == []


def test_methods():
    people = pd.DataFrame({"included": [True, True, False, True], "trained_on": [True, False, True, True]})
    told = groups_in_methods(people, DESIGN)
    assert told.startswith(" Models were trained on the 2 people with diagnosis control; 1 other was predicted by")
    assert "Groups (diagnosis) were compared" in told
    assert "sex and site with HC3" in told
    assert "site (sex not where it is compared) with HC3" in groups_in_methods(
        people, DESIGN.model_copy(update={"compared": ("diagnosis", "sex")})
    )
    assert groups_in_methods(people.drop(columns="trained_on"), SETTINGS) == ""
    assert trained_in_words(people.drop(columns="trained_on"), DESIGN) == ""


def test_the_figure_has_a_line_a_comparison():
    ax = groups_figure(groups(cohorts=("a", "b")), "pidreg", "age", "years").axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        f"{cohort}: patient − control (n = 24 and 50)" for cohort in "ab"
    ]
    assert ax.get_lines()[1].get_xdata().tolist() == [3.25, 3.25]
    assert not groups_figure(groups().iloc[:0], "pidreg", "age", "years").axes


def test_the_section_of_the_page():
    found = tables() | {"groups": groups(), "others": others()}
    found["participants"]["trained_on"] = [True, True, True, False, False, False]  # the first takes no part
    page = raw_page(found, DESIGN)
    assert "Groups of people" in page
    assert "predicted age is 3.25 years above" in page
    assert "4 of the group are &lt;few&gt;" in page
    assert "diagnosis control (trained on)" in page
    assert "Models were trained on the 2 people with diagnosis control" in page
    assert "Freedman and Lane" in page
    assert "deLange2022" in page
    assert "of them with t1 and dwi. 3 others (not diagnosis control) are predicted" in page
    assert "Groups of people" not in raw_page()
