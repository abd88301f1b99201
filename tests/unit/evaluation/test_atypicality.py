"""Error and coverage by how unusual people's features are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from fake_model import MeanOfReadings

from brainpid.evaluation.atypicality import COLUMNS, atypicality_of, atypicality_table


def predictions() -> pd.DataFrame:
    """Two repeats of four people, two of whom are in the last tenth and one of whom nothing is told."""
    rows = pd.DataFrame(
        {"cohort": "a", "participant_id": ["1", "2", "3", "4"], "age": [50.0, 50, 50, 50],
         "predicted_age": [51.0, 60, 42, 50], "pi_low": 45.0, "pi_high": [55.0, 70, 49, 60],
         "atypicality": [0.05, 0.9, 0.99, np.nan]}
    )  # fmt: skip
    again = rows.assign(predicted_age=[53.0, 60, 42, 50], atypicality=[0.13, 0.96, 0.99, np.nan])
    return pd.concat([rows.assign(repeat=0), again.assign(repeat=1)])


def test_people_are_counted_once_in_the_tenth_of_their_mean():
    found = atypicality_table(predictions())
    assert list(found) == COLUMNS
    assert found["n"].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    np.testing.assert_allclose(found.loc[[0, 9], ["mae", "bias", "coverage"]], [[2, 2, 1], [9, 1, 0.5]])
    assert found.loc[1, ["mae", "coverage"]].isna().all()
    np.testing.assert_allclose(found.loc[9, ["low", "high"]].astype(float), [0.9, 1])


def test_of_a_model_that_does_not_tell_it_there_is_nothing():
    assert atypicality_table(predictions().assign(atypicality=np.nan)).empty
    assert np.isnan(atypicality_of(MeanOfReadings(), {}))
