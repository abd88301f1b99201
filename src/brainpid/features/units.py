"""Units as dictionaries of tables spell them: when two of them are one unit."""

from __future__ import annotations

UNKNOWN_UNIT = "n/a"
_PLAIN = str.maketrans({"²": "2", "³": "3", "⁻": "-", "µ": "u", "μ": "u", "^": "", " ": "", "·": "", "*": "", "_": ""})
_SPELLINGS = {
    UNKNOWN_UNIT: ("", "n/a", "na", "unknown"),
    "1": ("1", "dimensionless", "unitless", "nounit", "none", "ratio", "fraction"),
    "arbitrary": ("arbitrary", "arbitraryunit", "arbitraryunits", "a.u.", "au"),
    "mm": ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
    "cm": ("cm", "centimetre", "centimetres", "centimeter", "centimeters"),
    "mm2": ("mm2", "squaremillimetres", "squaremillimeters", "sqmm"),
    "cm2": ("cm2", "squarecentimetres", "squarecentimeters", "sqcm"),
    "mm3": ("mm3", "cubicmillimetres", "cubicmillimeters", "ul", "microlitre", "microlitres", "microliters"),
    "cm3": ("cm3", "cubiccentimetres", "cubiccentimeters", "cc", "ml", "millilitre", "millilitres", "milliliters"),
    "year": ("year", "years", "y", "yr", "yrs", "a"),
    "month": ("month", "months", "mo", "mos", "mth", "mths"),
    "week": ("week", "weeks", "w", "wk", "wks"),
    "day": ("day", "days", "d"),
    "%": ("%", "percent", "pct"),
}  # fmt: skip
_CANONICAL = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}


def canonical_unit(unit: str) -> str:
    """One spelling of a unit; of one that has no other known spelling, its own without powers' signs and spaces.

    >>> canonical_unit("mm^3") == canonical_unit("mm³") == canonical_unit("cubic millimetres")
    True
    >>> canonical_unit("mL")
    'cm3'
    """
    plain = unit.casefold().translate(_PLAIN)
    return _CANONICAL.get(plain, plain)


def is_known(unit: str) -> bool:
    """Whether a dictionary says what the unit is."""
    return canonical_unit(unit) != UNKNOWN_UNIT


def differ(one: str, other: str) -> bool:
    """Whether two units are known and not the same."""
    return is_known(one) and is_known(other) and canonical_unit(one) != canonical_unit(other)
