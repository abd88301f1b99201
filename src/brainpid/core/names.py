"""Names that rooms share which do not import each other: the configuration checks them, results depend on them.

And how a name is looked for among those of columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Literal

Measure = Literal["mmi", "idep"]
"""Measures of redundancy by which information is decomposed; see `brainpid.pid.atoms`."""
WITHOUT_LATENTS = ("mean",)
"""Models that read nothing in the features: there is no information to decompose."""
LOG_SCORE_ESTIMATOR, GAUSSIAN_SCORE, WEIGHTED = "log_score", "gaussian_score", "log_score_weighted"
REFERENCE_AGES = "log_score_reference_ages"
"""How the information of readers is estimated; see `brainpid.evaluation.decomposition`."""
SITE, SEX = "site", "sex"
"""Controls that every study may have, whatever their columns are called."""
WITHIN_COHORT = "_within_cohort"
"""Ending of the names of encoders that are fitted within each cohort, where their rows stand beside those of models."""
DEVICES = ("auto", "cpu", "cuda")
"""Where networks are trained; ``auto`` is a GPU where there is one."""
KEEP_PEOPLE = ("kernel", "forest")
"""Base learners of `pidreg` that keep training people: a process all their features, a leaf of a forest one person's
target."""


def matching(pattern: str, names: Sequence[str]) -> list[str]:
    """Names that a text stands for: that very name, else those that fit it as a shell pattern.

    Brackets often hold a unit: where a pattern fits nothing, they are taken as they stand.

    Examples
    --------
    >>> matching("Vol [mm3]", ["Vol [mm3]", "Vol m"])
    ['Vol [mm3]']
    >>> matching("Vol [mm3]*", ["Vol [mm3] left", "Vol [mm3] right", "age"])
    ['Vol [mm3] left', 'Vol [mm3] right']
    >>> matching("t[12]_*", ["t1_a", "t2_a", "t3_a"])
    ['t1_a', 't2_a']
    """
    if pattern in names:
        return [pattern]
    for text in (pattern, pattern.replace("[", "[[]")):
        if found := [name for name in names if fnmatchcase(name, text)]:
            return found
    return []


def split_patterns(text: str, names: Sequence[str]) -> list[str]:
    """Patterns of a list joined with commas; a name that holds commas itself is one.

    Examples
    --------
    >>> split_patterns("Vol, left,dwi_*", ["Vol, left", "dwi_0"])
    ['Vol, left', 'dwi_*']
    """
    parts, known, found = text.split(","), set(names), []
    while parts:
        whole = next((end for end in range(len(parts), 0, -1) if ",".join(parts[:end]) in known), 1)
        found.append(",".join(parts[:whole]))
        parts = parts[whole:]
    return found
