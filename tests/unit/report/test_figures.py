"""Figures take names as they are."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from prediction_tables import MODALITIES

from brainpid.model.registry import MODELS
from brainpid.report import figures


@pytest.mark.parametrize("label", ["score ($a_$)", "<b>age</b> & $\\frac$", "^_{}"])
def test_a_label_is_no_formula_and_no_markup(label):
    rows = {"participant_id": ["a", "b"], "cohort": "c", "age": [20.0, 30.0], "predicted_age": [21.0, 29.0]}
    predictions = pd.DataFrame(rows).assign(model="ridge", predicted_age_corrected=25.0, repeat=0)
    svg = figures.to_svg(figures.predicted_age(predictions, ["ridge"], label))
    assert "<b>" not in svg
    assert label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in svg


@pytest.mark.parametrize(
    ("n", "rows", "inches"),
    [(1, [1], 6.0), (2, [2], 5.2), (4, [4], 3.6), (5, [3, 2], 3.6), (10, [4, 4, 2], 3.6)],
)
def test_panels_of_many_models_come_in_rows_and_those_of_few_are_large(n, rows, inches):
    models = list(MODELS)[:n]
    people = {"participant_id": ["a", "b"], "cohort": "c", "age": [20.0, 30.0], "predicted_age": [21.0, 29.0]}
    predictions = pd.concat([pd.DataFrame(people).assign(model=model) for model in models])
    figure = figures.predicted_age(predictions, models, "age")
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title() for ax in shown] == [MODELS[model].label for model in models]
    heights = [ax.get_subplotspec().rowspan.start for ax in shown]
    assert [heights.count(row) for row in range(len(rows))] == rows
    assert figure.get_size_inches().tolist() == pytest.approx([inches * rows[0], (inches + 0.3) * len(rows)])
    named = [ax.get_title() for ax in shown if ax.get_xlabel()]
    assert named == [MODELS[model].label for model in models[-rows[0] :]]


def two_people(**columns):
    rows = {"participant_id": ["a <x>", "b"], "cohort": ["c", "d"], "age": [20.0, 30.0], "predicted_age": [21.25, 29.0]}
    return pd.DataFrame(rows | columns).assign(model="ridge")


def test_each_dot_says_whose_it_is():
    people = two_people()
    more = pd.concat([people, people.assign(predicted_age=[22.25, 30.0])])  # a second repeat
    titles = figures.people_of_dots(more, "years")
    svg = figures.to_svg(figures.predicted_age(more, ["ridge"], "age"), titles)
    ET.fromstring(svg)
    found = re.findall(r"<use [^>]*><title>([^<]*)</title></use>", svg)
    assert found == [
        "a &lt;x&gt; (c): true 20, predicted 21.8 years",
        "b (d): true 30, predicted 29.5 years",
    ]


def test_dots_and_titles_come_in_one_order():
    n = 50
    random = np.random.default_rng(0)
    people = pd.DataFrame(
        {"participant_id": [f"p{k}" for k in random.permutation(n)], "cohort": random.choice(["z", "y"], n),
         "age": random.permutation(np.arange(20.0, 70)), "predicted_age": 40.0, "model": "ridge"}
    )  # fmt: skip
    svg = figures.to_svg(figures.predicted_age(people, ["ridge"], "age"), figures.people_of_dots(people, "years"))
    told = re.findall(r'<use [^>]* x="([-0-9.]+)" [^>]*><title>[^<]*true (\d+),', svg)
    place, age = np.array(told, dtype=float).T
    assert len(age) == n
    assert np.corrcoef(place, age)[0, 1] == pytest.approx(1, abs=1e-6)  # a dot's place is that of its title's age


def test_titles_of_other_people_are_refused_and_too_many_are_left_out(monkeypatch):
    people = two_people()
    with pytest.raises(ValueError, match=r"shorter|longer"):
        figures.to_svg(figures.predicted_age(people, ["ridge"], "age"), {"dots_ridge_0": ["a", "b"]})
    monkeypatch.setattr(figures, "MOST_NAMED_PEOPLE", 1)
    assert figures.people_of_dots(people, "years") == {}


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


@pytest.mark.parametrize(("effects", "named"), [([-1.0, -2.0], 1), ([1.0, -1.0], 2)])
def test_the_legend_names_directions_that_a_feature_has(effects, named):
    rows = pd.DataFrame({"scope": "feature", "feature": ["a", "b"], "modality": "t1", "change": 1.0, "change_sd": 0.1})
    figure = figures.importance(rows.assign(effect=effects), "years")
    (legend,) = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
    assert len(legend.get_texts()) == named
