"""People are shown for what they have."""

from __future__ import annotations

from prediction_tables import MODALITIES, incomplete

from brainpid.evaluation.persons import person_table
from brainpid.report.figures import to_svg
from brainpid.report.person_figure import persons


def test_people_are_shown_for_what_they_have():
    table = person_table(incomplete(), MODALITIES)
    left, right = persons(table[table["cohort"] == "b"], "ridge", MODALITIES, "years").axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["all at hand", "t1 alone"]  # nobody has dwi
    assert [label.get_text() for label in right.get_yticklabels()] == ["all at hand", "t1 alone"]
    left, right = persons(table, "ridge", MODALITIES, "years").axes
    assert len(left.get_yticklabels()) == 5
    assert len(right.get_yticklabels()) == 6
    to_svg(persons(table, "another", MODALITIES, "years"))
