"""Names that rooms share which do not import each other: the configuration checks them, results depend on them."""

from __future__ import annotations

from typing import Literal

Measure = Literal["mmi", "idep"]
"""Measures of redundancy by which information is decomposed; see `brainpid.pid.atoms`."""
WITHOUT_LATENTS = ("mean",)
"""Models that read nothing in the features: there is no information to decompose."""
KEEP_PEOPLE = ("kernel", "forest")
"""Base learners of `pidreg` that keep training people: a process all their features, a leaf of a forest one person's
target."""
