"""Points and lines of the forest plot stand at the numbers of the tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from report_tables import pid_rows

from brainpid.report import figures
from brainpid.report.forest import contributions, forest

NAMES = ("t1", "dwi")


def lines(ax) -> list[tuple[list[float], list[float], float]]:
    """Every line of a panel but its axes: x, y, width."""
    return [(list(line.get_xdata()), list(line.get_ydata()), line.get_linewidth()) for line in ax.get_lines()]


def pooling(low: float, high: float) -> pd.DataFrame:
    table = pid_rows(n=500, cohort="pooled").drop(columns="cohort")
    return table.assign(predicted_low=low, predicted_high=high, moderated_bits=np.nan)


def cohorts() -> pd.DataFrame:
    return pd.concat([
        pid_rows(n=200, bits={"added": 0.25}), pid_rows(n=300, cohort="b", bits={"added": 0.75}),
        pid_rows(n=500, cohort="pooled"),
    ])  # fmt: skip


def test_cohorts_and_pooled_stand_on_one_scale():
    figure = forest(cohorts(), pooling(0.3, 0.7), "pidreg", NAMES, "log_score")
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title(loc="left") for ax in shown] == [
        "all together", "t1 alone", "t1 added", "dwi alone", "dwi added",
    ]  # fmt: skip
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in shown}) == 1
    labels = [label.get_text() for label in shown[0].get_yticklabels()]
    assert labels == [f"{name}, sd 12.5)" for name in ("a (n = 200", "b (n = 300", "pooled (n = 500")]
    added = lines(shown[2])
    for bits, place in ((0.25, 0), (0.75, 1), (0.5, 2)):
        assert ([bits], [place], pytest.approx(1.5)) in added
        assert ([bits - 0.1, bits + 0.1], [place, place], 2.2) in added
    assert ([0.3, 0.7], [2, 2], 0.8) in added


def test_an_expectation_beyond_the_scale_flattens_nothing_and_has_an_arrow():
    near = forest(cohorts(), pooling(0.3, 0.7), "pidreg", NAMES, "log_score").axes[0]
    figure = forest(cohorts(), pooling(-90.0, 90.0), "pidreg", NAMES, "log_score")
    ax = figure.axes[0]
    assert ax.get_xlim() == near.get_xlim()
    assert [line.get_marker() for line in ax.get_lines() if line.get_marker() in "<>"] == ["<", ">"]
    assert not [line for line in near.get_lines() if line.get_marker() in "<>"]
    figures.to_svg(figure)


def test_the_summary_shows_the_pooled_values_or_the_only_cohort():
    assert contributions(cohorts(), "pidreg", NAMES, "log_score").axes[0].get_title() == "pooled (n = 500)"
    ax = contributions(pid_rows(n=200, bits={"added": 0.25}), "pidreg", NAMES, "log_score").axes[0]
    assert ax.get_title() == "a (n = 200)"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["all together", "t1", "dwi"]
    assert [x for x, _, _ in lines(ax) if len(x) == 1] == [[1.5], [1.0], [0.25], [1.0], [0.25]]


def test_estimates_without_interval_and_nothing_to_show():
    bare = pid_rows(n=200).assign(ci_low=np.nan, ci_high=np.nan)
    assert not [x for x, y, _ in lines(contributions(bare, "pidreg", NAMES, "log_score").axes[0]) if y == [0.0, 0.0]]
    assert contributions(bare, "ridge", NAMES, "log_score").texts[0].get_text() == "No cohort can be decomposed."


def test_the_moderated_value_is_a_hollow_diamond_below_the_pooled_one():
    table = pooling(0.3, 0.7).assign(moderated_bits=0.4, moderated_ci_low=0.35, moderated_ci_high=0.45)
    for told, drawn in ((table, True), (pooling(0.3, 0.7), False)):
        found = lines(forest(cohorts(), told, "pidreg", NAMES, "log_score").axes[0])
        assert (([0.35, 0.45], [2.3, 2.3], 1.2) in found) == drawn
        assert any(x == [0.4] and y == [2.3] for x, y, _ in found) == drawn
