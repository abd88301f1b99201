"""Figures take names as they are."""

from __future__ import annotations

import pandas as pd
import pytest

from brainpid.report import figures


@pytest.mark.parametrize("label", ["score ($a_$)", "<b>age</b> & $\\frac$", "^_{}"])
def test_a_label_is_no_formula_and_no_markup(label):
    rows = {"participant_id": ["a", "b"], "cohort": "c", "age": [20.0, 30.0], "predicted_age": [21.0, 29.0]}
    predictions = pd.DataFrame(rows).assign(model="ridge", predicted_age_corrected=25.0, repeat=0)
    svg = figures.to_svg(figures.predicted_age(predictions, ["ridge"], label))
    assert "<b>" not in svg
    assert label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in svg
