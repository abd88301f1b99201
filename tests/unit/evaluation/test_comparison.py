"""Models are compared among people whom all of them read in full."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainpid.evaluation.comparison import comparison_table


def test_models_are_compared_among_people_with_every_modality():
    age = np.array([20.0, 40, 60, 80])
    rows = [
        {"participant_id": f"p{person}", "cohort": cohort, "model": model, "repeat": repeat, "fold": 0,
         "age": age[person], "predicted_age": age[person] + error, "modalities": "t1+dwi" if person else "t1"}
        for model, error in (("pidreg", 1.0), ("ridge", -3.0), ("mean", 9.0))
        for cohort in ("a", "b") for repeat in range(2) for person in range(4)
    ]  # fmt: skip
    table = comparison_table(pd.DataFrame(rows), ["t1", "dwi"], 0.95)
    assert list(table["model"]) == ["ridge"] * 3 + ["mean"] * 3
    assert list(table["cohort"]) == ["a", "b", "pooled"] * 2
    assert list(table["n"]) == [3, 3, 6] * 2
    assert set(table["reference"]) == {"pidreg"}
    np.testing.assert_allclose(table["difference"], [-2.0] * 3 + [-8.0] * 3)
    alone = comparison_table(pd.DataFrame(rows[:16]), ["t1", "dwi"], 0.95)
    assert list(alone) == list(table)
    assert alone.empty
