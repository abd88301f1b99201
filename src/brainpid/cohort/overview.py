"""Who the people of the cohorts are, site by site, and what of it a reader of the results has to know beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from brainpid.cohort.groups import two_spellings
from brainpid.config.analysis import Scheme
from brainpid.core.errors import list_some

PEOPLE_COLUMNS = ["cohort", "site", "n", "taking_part", "age_low", "age_high", "age_mean", "age_sd", "sexes"]
TOLD_BY_SITE = 0.8
"""Part of the variance of age that lies between sites, from which on a site is as good as an age."""
FEWEST_OF_SITE = 5
"""People of a site, on average, below which sites differ in age by chance."""
BEYOND = 0.1
"""Part of a cohort's people of ages that no other cohort has, from which on that is said."""
FEW_YEARS = 0.1
"""Part of the range of all ages below which a cohort's ages hardly differ."""


def people_of_sites(people: pd.DataFrame) -> pd.DataFrame:
    """Count and describe the people of every site of every cohort; ages are of everybody whose age is known.

    Parameters
    ----------
    people : DataFrame
        cohort, site, age, sex and included, a row a person.

    Returns
    -------
    DataFrame
        Columns `PEOPLE_COLUMNS`: ages in the target's units, sexes such as ``14 F, 9 M``.
    """
    records = []
    for (cohort, site), rows in people.groupby(["cohort", "site"], sort=False, dropna=False):
        age = rows["age"].to_numpy(dtype=float)
        known = age[np.isfinite(age)]
        low, high, mean = (known.min(), known.max(), known.mean()) if len(known) else (np.nan,) * 3
        sd = known.std(ddof=1) if len(known) > 1 else np.nan
        sexes = rows["sex"].fillna("n/a").value_counts()
        told = ", ".join(f"{n} {sex}" for sex, n in sexes.items())
        records.append((cohort, site, len(rows), int(rows["included"].sum()), low, high, mean, sd, told))
    return pd.DataFrame(records, columns=PEOPLE_COLUMNS)


def doubts_of_people(people: pd.DataFrame, units: str, schemes: Sequence[Scheme]) -> list[str]:
    """Sentences about ages that a site or a cohort tells, that hardly differ, or that no other cohort has.

    Parameters
    ----------
    people : DataFrame
        cohort, site, age, included.
    units : str
        Of the target.
    schemes : sequence of str
        Of the splits.
    """
    taking = people[people["included"]]
    said = []
    if twice := two_spellings(taking["site"]):
        said.append(f"sites have numbers in two spellings, which count as different sites: {list_some(twice)}")
    for cohort, rows in taking.groupby("cohort", sort=False):
        if sentence := _told_by(rows["age"], rows["site"], f"cohort '{cohort}': site", units):
            said.append(sentence)
    if sentence := _told_by(taking["age"], taking["cohort"], "cohort", units):
        said.append(sentence)
    spans = taking.groupby("cohort", sort=False)["age"].agg(["min", "max"])
    widest = float((spans["max"] - spans["min"]).max())
    for cohort, low, high in spans.itertuples():
        if high - low < FEW_YEARS * widest:
            said.append(
                f"cohort '{cohort}': ages hardly differ, {low:g} to {high:g} {units}: it has few bits to be told, and "
                "no correlation with age"
            )
    return said + (_beyond(taking, units) if "leave_one_cohort_out" in schemes else [])


def _beyond(taking: pd.DataFrame, units: str) -> list[str]:
    """Cohorts with ages that no training person has once they are left out."""
    said = []
    for cohort, age in taking.groupby("cohort", sort=False)["age"]:
        others = taking.loc[taking["cohort"] != cohort, "age"]
        outside = int((~age.between(others.min(), others.max())).sum())
        if outside > BEYOND * len(age):
            said.append(
                f"cohort '{cohort}': {outside} of {len(age)} people are of ages that no other cohort has "
                f"({others.min():g} to {others.max():g} {units}): left out, it is predicted beyond what was learned"
            )
    return said


def _told_by(age: pd.Series, label: pd.Series, what: str, units: str) -> str:
    """Where a label determines ages nearly; empty where it does not."""
    means = age.groupby(label).transform("mean")
    sizes = label.value_counts()
    if len(sizes) < 2 or len(age) < FEWEST_OF_SITE * len(sizes) or age.std() == 0:
        return ""
    n, k = len(age), len(sizes)
    within = float(((age - means) ** 2).sum()) / (n - k)
    part = 1 - within / float(age.var())  # adjusted: small sites differ by chance
    if part < TOLD_BY_SITE:
        return ""
    spans = age.groupby(label, sort=False).agg(["min", "max"])
    words = [f"'{name}' {low:g} to {high:g}" for name, low, high in spans.itertuples()]
    return (
        f"{what} tells {100 * part:.0f}% of the variance of age ({list_some(words, 4)} {units}): what tells the "
        "scanner tells the age, and no split within them can part the two"
    )
