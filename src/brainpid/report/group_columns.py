"""Columns of the tables of groups, and of the one that says who is trained on: type, unit and meaning."""

from __future__ import annotations

from brainpid.report.described import (
    BITS,
    FIT,
    INTEGER,
    MAE_INTERVAL,
    NONE,
    NUMBER,
    PART,
    PEOPLE,
    TARGET,
    TEXT,
    TRUTH,
    Described,
)

TRAINED_ON = (
    "Whether the person is of the training group (`train_on`), of whom those are trained on who take part; the column "
    "is there where there is such a group"
)
_GROUP: Described = {
    "cohort": (TEXT, NONE, "Name of the cohort; pooled is everybody together, each site with itself"),
    "model": (TEXT, NONE, "Name of the model"),
    "column": (TEXT, NONE, "Column of the participants table by which people are of groups"),
}
GROUPS: Described = _GROUP | {
    "group": (TEXT, NONE, "Its value of the group"),
    "reference": (TEXT, NONE, "Its value or values of the group that it is compared with"),
    "pad": (TEXT, NONE, "corrected or uncorrected for age bias, by the line of the training people"),
    "n": (INTEGER, PEOPLE, "People of the group who are compared"),
    "n_reference": (INTEGER, PEOPLE, "People of the reference who are"),
    "left_out": (INTEGER, PEOPLE, "People of both who are of an age or a site that the other does not have"),
    "age": (NUMBER, TARGET, "Mean target of the group, of those compared"),
    "age_reference": (NUMBER, TARGET, "Mean target of the reference"),
    "difference": (NUMBER, TARGET, "Brain-PAD of the group less that of people of equal target, sex and site"),
    "ci_low": (NUMBER, TARGET, "Lower end of its interval, `pid.confidence` of the configuration"),
    "ci_high": (NUMBER, TARGET, "Upper end of it"),
    "cohens_d": (NUMBER, "standard deviations", "Difference over the spread within group, target, sex and site"),
    "p_value": (NUMBER, PART, "Two-sided, by permutation within sites; not corrected for several groups"),
    "permutations": (INTEGER, NONE, "Permutations"),
    "unadjusted": (NUMBER, TARGET, "Plain difference of means of everybody, which other ages bring as well"),
    "reason": (TEXT, NONE, "Why nothing is compared"),
}
OTHERS: Described = _GROUP | {
    "group": (TEXT, NONE, "Its value; n/a of people whose cell is empty"),
    "trained_on": (TRUTH, NONE, "Whether people of this value are trained on"),
    "n": (INTEGER, PEOPLE, "Number of people, of any modalities"),
    "mae": (NUMBER, TARGET, "Mean absolute error, not corrected for age bias"),
    **MAE_INTERVAL,
    "bias": (NUMBER, TARGET, "Mean of predicted less true target"),
    **FIT,
    "coverage": (NUMBER, PART, "Part of the people whose interval covers the true target"),
    "information_bits": (NUMBER, BITS, "Mean log score, relative to the targets of those who are trained on"),
    "information_ci_low": (NUMBER, BITS, "Lower end of its interval over people"),
    "information_ci_high": (NUMBER, BITS, "Upper end of it"),
}
