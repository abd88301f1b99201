"""Names and numbers as the page says them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from brainpid.config.analysis import Splits
from brainpid.core.names import GAUSSIAN_SCORE, LOG_SCORE_ESTIMATOR, REFERENCE_AGES, WEIGHTED
from brainpid.crossfit.encoders import ENCODERS
from brainpid.model.registry import MODELS

LABELS = {name: entry.label for name, entry in MODELS.items()}
"""Names of models for people, in the order in which the decompositions are shown."""
WITHIN = {name: f"{entry.label}, fitted within the cohort" for name, entry in ENCODERS.items()}
"""Names of the null's encoders for people."""
ESTIMATOR_LABELS = {
    LOG_SCORE_ESTIMATOR: "log score",
    REFERENCE_AGES: "log score, reference ages",
    GAUSSIAN_SCORE: "Gaussian score",
    WEIGHTED: "log score, weighted",
}
SCHEME_WORDS = {
    "kfold": "random folds",
    "leave_one_cohort_out": "cohorts left out",
    "leave_one_site_out": "sites left out",
}
"""How test sets were made, in words."""
BASE_LEARNER_LABELS = {
    "network": "networks",
    "normative": "normative model of the target",
    "normative_scores": "normative model of its normal score",
    "kernel": "Gaussian processes",
    "forest": "forest",
    "boosting": "boosted trees",
    "head": "joining of the modalities' latents",
}


def number(value: float, digits: int = 2) -> str:
    """Write a number for reading; a dash where there is none."""
    return f"{round(value, digits) + 0.0:.{digits}f}" if np.isfinite(value) else "–"  # a zero has no sign


def tenths(value: float) -> str:
    """Write a value of the target as short as it reads, to a tenth.

    Examples
    --------
    >>> tenths(18.0), tenths(86.42)
    ('18', '86.4')
    """
    return number(value, 1).removesuffix(".0")


def interval(row: Mapping[str, float], digits: int = 3) -> str:
    """Write an estimate in bits with its interval."""
    low, high = row["ci_low"], row["ci_high"]
    reach = f" [{number(low, digits)}, {number(high, digits)}]" if np.isfinite(low) else ""
    return number(row["bits"], digits) + reach


def people(n: int) -> str:
    """Write a number of people."""
    return f"{n} person" if n == 1 else f"{n} people"


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does.

    Examples
    --------
    >>> listed(["t1", "dwi", "fmri"])
    't1, dwi and fmri'
    """
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + list(names[-1:]))


def design(splits: Splits) -> str:
    """How people were divided by the first scheme, in a few words."""
    if splits.schemes[0] != "kfold":
        return splits.schemes[0].replace("_", " ")
    return f"{splits.folds} folds, {splits.n_repeats} repeat{'s' if splits.n_repeats > 1 else ''}"
