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


def test_the_truth_is_a_diamond_on_each_bar_of_the_cohorts_that_have_one():
    atoms = {"alone": 0.5, "added": 0.25, "unique": 0.125, "redundant": 0.375, "synergy": 0.0625}
    rows = [
        {"cohort": cohort, "model": "ridge", "estimator": "log_score", "measure": "idep", "scope": "one_vs_rest",
         "modalities": m, "atom": atom, "bits": bits, "ci_low": bits - 0.1, "ci_high": bits + 0.1, "n": 40}
        for cohort in ("a", "b") for m in MODALITIES for atom, bits in atoms.items()
    ]  # fmt: skip
    pid = pd.DataFrame(rows)
    truth = pid[pid["cohort"] == "a"].assign(bits=lambda table: table["bits"] + 1)[
        ["cohort", "measure", "scope", "modalities", "atom", "bits"]
    ]
    known, unknown = figures.modalities(pid, "ridge", MODALITIES, "log_score", truth).axes
    (marks,) = [drawn for drawn in known.collections if drawn.get_label() == "truth of the synthetic cohort"]
    bars = {round(bar.get_x() + bar.get_width() / 2, 6): bar.get_height() for bar in known.patches}
    assert len(marks.get_offsets()) == len(bars) == len(MODALITIES) * len(atoms)
    for x, y in marks.get_offsets():
        assert y == pytest.approx(bars[round(float(x), 6)] + 1)
    labels = [drawn.get_label() for ax in (unknown, *figures.modalities(pid, "ridge", MODALITIES, "log_score").axes)
              for drawn in ax.collections]  # fmt: skip
    assert "truth of the synthetic cohort" not in labels
