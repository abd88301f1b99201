"""Figures take names as they are."""

from __future__ import annotations

import pandas as pd
import pytest
from prediction_tables import MODALITIES, incomplete

from brainpid.evaluation.persons import person_table
from brainpid.model.registry import MODELS
from brainpid.report import figures


@pytest.mark.parametrize("label", ["score ($a_$)", "<b>age</b> & $\\frac$", "^_{}"])
def test_a_label_is_no_formula_and_no_markup(label):
    rows = {"participant_id": ["a", "b"], "cohort": "c", "age": [20.0, 30.0], "predicted_age": [21.0, 29.0]}
    predictions = pd.DataFrame(rows).assign(model="ridge", predicted_age_corrected=25.0, repeat=0)
    svg = figures.to_svg(figures.predicted_age(predictions, ["ridge"], label))
    assert "<b>" not in svg
    assert label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in svg


@pytest.mark.parametrize(("n", "rows"), [(1, [1]), (4, [4]), (5, [3, 2]), (10, [4, 4, 2])])
def test_panels_of_many_models_come_in_rows(n, rows):
    models = list(MODELS)[:n]
    people = {"participant_id": ["a", "b"], "cohort": "c", "age": [20.0, 30.0], "predicted_age": [21.0, 29.0]}
    predictions = pd.concat([pd.DataFrame(people).assign(model=model) for model in models])
    figure = figures.predicted_age(predictions, models, "age")
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title() for ax in shown] == [MODELS[model].label for model in models]
    heights = [ax.get_subplotspec().rowspan.start for ax in shown]
    assert [heights.count(row) for row in range(len(rows))] == rows
    assert figure.get_size_inches().tolist() == pytest.approx([3.6 * rows[0], 3.9 * len(rows)])
    named = [ax.get_title() for ax in shown if ax.get_xlabel()]
    assert named == [MODELS[model].label for model in models[-rows[0] :]]


def test_people_are_shown_for_what_they_have():
    table = person_table(incomplete(), MODALITIES)
    left, right = figures.persons(table[table["cohort"] == "b"], "ridge", MODALITIES, "years").axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["all at hand", "t1 alone"]  # nobody has dwi
    assert [label.get_text() for label in right.get_yticklabels()] == ["all at hand", "t1 alone"]
    left, right = figures.persons(table, "ridge", MODALITIES, "years").axes
    assert len(left.get_yticklabels()) == 5
    assert len(right.get_yticklabels()) == 6
    figures.to_svg(figures.persons(table, "another", MODALITIES, "years"))
