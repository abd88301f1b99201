"""Spellings of one unit are one unit; what is unknown differs from nothing."""

from __future__ import annotations

import pytest

from brainpid.features.units import canonical_unit, differ, is_known


@pytest.mark.parametrize(
    ("one", "other"),
    [("mm^3", "mm3"), ("mm³", "mm**3"), ("uL", "µL"), ("mm^3", "microlitre"), ("cm^3", "mL"), ("cc", "cm^3"),
     ("mm^2/s", "mm²/s"), ("Years", "y"), ("1", "dimensionless"), ("10^-3 mm^2/s", "10⁻³ mm²/s")],
)  # fmt: skip
def test_spellings_of_one_unit(one, other):
    assert canonical_unit(one) == canonical_unit(other)
    assert not differ(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("mm^3", "cm^3"), ("mm", "mm^2"), ("10^-3 mm^2/s", "mm^2/s"), ("years", "months"), ("ms", "s")]
)
def test_other_units(one, other):
    assert differ(one, other)


def test_what_nobody_knows_differs_from_nothing():
    assert not is_known("n/a")
    assert not is_known("")
    assert is_known("1")
    assert not differ("n/a", "mm^3")
