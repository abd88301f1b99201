"""Every column of the output tables has a type, a unit and a meaning, and no other columns are described."""

from __future__ import annotations

import pytest

from brainpid.cohort.training_group import TRAINED
from brainpid.evaluation.accuracy import ACCURACY_COLUMNS
from brainpid.evaluation.comparison import COMPARISON_COLUMNS
from brainpid.evaluation.coverage import COVERAGE_COLUMNS
from brainpid.evaluation.decomposition import PID_COLUMNS
from brainpid.evaluation.harmonisation_cost import COLUMNS as HARMONISATION_COLUMNS
from brainpid.evaluation.information import NORMALITY_COLUMNS, POOLING_COLUMNS
from brainpid.evaluation.persons import KEYS, RELIABILITY_COLUMNS, _names
from brainpid.evaluation.transfer import TRANSFER_COLUMNS
from brainpid.evaluation.within_cohort import NULL_COLUMNS
from brainpid.report.output_tables import INTEGER, NUMBER, OUTPUT_TABLES, TEXT, TRUTH

DESCRIBED = {table.path: [column.name for column in table.columns] for table in OUTPUT_TABLES}
PROMISED = {
    "participants.tsv": "participant_id cohort site age sex <m>_status <m>_reason included reason",
    "splits.tsv": "participant_id cohort repeat fold role",
    "aggregate/predictions.tsv": "participant_id cohort site age model repeat fold predicted_age "
    "predicted_age_corrected brain_pad brain_pad_corrected pi_low pi_high modalities",
    "aggregate/pid.tsv": "cohort model estimator given measure scope modalities atom bits se ci_low ci_high share "
    "p_value n n_folds",
    "aggregate/selection.tsv": "modalities cost n mae mae_ci_low mae_ci_high information_bits recommended",
}
"""Columns that others rely on."""


@pytest.mark.parametrize(
    ("path", "columns"),
    [
        ("accuracy", ACCURACY_COLUMNS),
        ("comparison", COMPARISON_COLUMNS),
        ("coverage", COVERAGE_COLUMNS),
        ("pid", PID_COLUMNS),
        ("normality", NORMALITY_COLUMNS),
        ("pooling", POOLING_COLUMNS),
        ("reliability", RELIABILITY_COLUMNS),
        ("transfer", TRANSFER_COLUMNS),
        ("harmonisation", HARMONISATION_COLUMNS),
        ("null", NULL_COLUMNS),
        ("person", [*KEYS, TRAINED, *_names(["<m>"])]),
    ],
)
def test_columns_are_those_that_are_written(path, columns):
    assert sorted(DESCRIBED[f"aggregate/{path}.tsv"]) == sorted(columns)


@pytest.mark.parametrize("path", PROMISED)
def test_promised_columns_are_described(path):
    assert set(PROMISED[path].split()) <= set(DESCRIBED[path])


def test_every_column_has_type_and_meaning_and_numbers_of_people_their_unit():
    for table in OUTPUT_TABLES:
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names), table.path
        for column in table.columns:
            assert column.kind in (TEXT, INTEGER, NUMBER, TRUTH)
            assert column.meaning, (table.path, column.name)
            if column.name in ("n", "mae", "bits", "predicted_age"):
                assert column.unit, (table.path, column.name)
