"""Columns of the tables of groups, and of the one that says who is trained on: type, unit and meaning."""

from __future__ import annotations

TRAINED_ON = (
    "Whether the person is of the training group (`train_on`), of whom those are trained on who take part; the column "
    "is there where there is such a group"
)
_TEXT, _INTEGER, _NUMBER, _TARGET, _BITS, _PEOPLE = "text", "integer", "number", "target's units", "bits", "people"
_GROUP = {
    "cohort": (_TEXT, "", "Name of the cohort; pooled is everybody together, each site with itself"),
    "model": (_TEXT, "", "Name of the model"),
    "column": (_TEXT, "", "Column of the participants table by which people are of groups"),
}
GROUPS = _GROUP | {
    "group": (_TEXT, "", "Its value of the group"),
    "reference": (_TEXT, "", "Its value or values of the group that it is compared with"),
    "pad": (_TEXT, "", "corrected or uncorrected for age bias, by the line of the training people"),
    "n": (_INTEGER, _PEOPLE, "People of the group who are compared"),
    "n_reference": (_INTEGER, _PEOPLE, "People of the reference who are"),
    "left_out": (_INTEGER, _PEOPLE, "People of both who are of an age or a site that the other does not have"),
    "age": (_NUMBER, _TARGET, "Mean target of the group, of those compared"),
    "age_reference": (_NUMBER, _TARGET, "Mean target of the reference"),
    "difference": (_NUMBER, _TARGET, "Brain-PAD of the group less that of people of equal target, sex and site"),
    "ci_low": (_NUMBER, _TARGET, "Lower end of its interval, `pid.confidence` of the configuration"),
    "ci_high": (_NUMBER, _TARGET, "Upper end of it"),
    "cohens_d": (_NUMBER, "standard deviations", "Difference over the spread within group, target, sex and site"),
    "p_value": (_NUMBER, "0 to 1", "Two-sided, by permutation within sites; not corrected for several groups"),
    "permutations": (_INTEGER, "", "Permutations"),
    "unadjusted": (_NUMBER, _TARGET, "Plain difference of means of everybody, which other ages bring as well"),
    "reason": (_TEXT, "", "Why nothing is compared"),
}
OTHERS = _GROUP | {
    "group": (_TEXT, "", "Its value; n/a of people whose cell is empty"),
    "trained_on": ("True or False", "", "Whether people of this value are trained on"),
    "n": (_INTEGER, _PEOPLE, "Number of people, of any modalities"),
    "mae": (_NUMBER, _TARGET, "Mean absolute error, not corrected for age bias"),
    "mae_ci_low": (_NUMBER, _TARGET, "Lower end of its interval, `pid.confidence` of the configuration"),
    "mae_ci_high": (_NUMBER, _TARGET, "Upper end of it"),
    "bias": (_NUMBER, _TARGET, "Mean of predicted less true target"),
    "r2": (_NUMBER, "at most 1", "Part of the variance that is explained; below 0 worse than the mean"),
    "pearson_r": (_NUMBER, "-1 to 1", "Correlation of predicted and true target"),
    "coverage": (_NUMBER, "0 to 1", "Part of the people whose interval covers the true target"),
    "information_bits": (_NUMBER, _BITS, "Mean log score, relative to the targets of those who are trained on"),
    "information_ci_low": (_NUMBER, _BITS, "Lower end of its interval over people"),
    "information_ci_high": (_NUMBER, _BITS, "Upper end of it"),
}
