"""Where the targets of the reference come from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.reference_ages import read_reference
from brainpid.config.reference_ages import ReferenceAges
from brainpid.core.errors import InputError

PEOPLE = pd.DataFrame(
    {"cohort": ["a", "a", "a", "b"], "age": [20.0, 30.0, 25.0, 70.0], "included": [True, False, True, True]}
)


def test_a_range_is_even_and_a_cohort_its_people_who_take_part():
    even = read_reference(ReferenceAges(range=(18, 90)), PEOPLE, (0, 120))
    assert even.mean() == pytest.approx(54)
    assert even.std() == pytest.approx(72 / np.sqrt(12), rel=1e-6)
    assert (even.min() > 18) & (even.max() < 90)
    assert read_reference(ReferenceAges(cohort="a"), PEOPLE, (0, 120)).tolist() == [20, 25]


def test_a_cohort_of_which_nobody_is_trained_on_is_no_reference():
    with pytest.raises(InputError, match=r"cohort: expected 2 targets or more in 'b', found 1 of whoever takes part;"):
        read_reference(ReferenceAges(cohort="b"), PEOPLE, (0, 120))
    patients = PEOPLE.assign(trained_on=[True, True, False, False])
    with pytest.raises(InputError, match=r"in 'b', found 0 of whoever takes part and is of the training group"):
        read_reference(ReferenceAges(cohort="b"), patients, (0, 120))


def test_a_table_gives_its_column(tmp_path):
    path = tmp_path / "census.tsv"
    path.write_text("years\tcount\n30\t1\nn/a\t2\n40.5\t3\n")

    def read(column, target_range=(0.0, 120.0)):
        return read_reference(ReferenceAges(table=str(path), column=column), PEOPLE, target_range)

    assert read("years").tolist() == [30, 40.5]
    with pytest.raises(InputError, match=r"reference_ages\.column"):
        read("ages")
    with pytest.raises(InputError, match=r"1 values of 'years' are outside of target.range \[0, 35\]"):
        read("years", (0, 35))
    path.write_text("years\n30\n")
    with pytest.raises(InputError, match="expected 2 different numbers or more in 'years', found 1"):
        read("years")
