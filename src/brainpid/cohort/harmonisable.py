"""Whether the people of a study allow effects of their sites to be told from those of age, before anything is run."""

from __future__ import annotations

import pandas as pd

from brainpid.config.harmonise import Harmonise
from brainpid.core.errors import list_some

FEWEST_OF_SITE = 20
"""People of a site, below whom its effect is as much theirs as the site's."""
OVERLAP = 0.25
"""Part of a site's people, at least, whose ages another site has too; with fewer the course of age is not shared."""


def doubts_of_harmonisation(people: pd.DataFrame, settings: Harmonise, units: str) -> list[str]:
    """Sentences about sites whose effects are hardly told: of few people, alone, or of ages that no other site has.

    Parameters
    ----------
    people : DataFrame
        site, age, included, a row a person.
    settings : Harmonise
    units : str
        Of the target.
    """
    if not settings.used:
        return []
    taking = people[people["included"].astype(bool)]
    sizes = taking["site"].value_counts(sort=False)
    if len(sizes) < 2:
        return [f"harmonise: everybody is of one site ({sizes.index[0]}): there is nothing to harmonise"]
    said = []
    if small := [f"{site} ({n})" for site, n in sizes.items() if n < FEWEST_OF_SITE]:
        verb = "has" if len(small) == 1 else "have"
        said.append(
            f"harmonise: {len(small)} of {len(sizes)} sites {verb} fewer than {FEWEST_OF_SITE} people, whose effects "
            f"are drawn to one value for all features: {list_some(small, 4)}"
        )
    for site, ages in taking.groupby("site", sort=False)["age"]:
        others = taking.loc[taking["site"] != site].groupby("site")["age"].agg(["min", "max"])
        shared = pd.concat([ages.between(low, high) for low, high in others.itertuples(index=False)], axis=1).any(
            axis=1
        )
        if shared.mean() < OVERLAP:
            kept = "the course of age at it is a guess" if settings.preserve == "age" else "age goes with the site"
            said.append(
                f"harmonise: site '{site}' ({ages.min():g} to {ages.max():g} {units}) has hardly ages that another "
                f"site has: {kept}"
            )
    if settings.preserve == "none":
        means = taking.groupby("site")["age"].transform("mean")
        part = float(means.var(ddof=0) / taking["age"].var(ddof=0)) if taking["age"].std() > 0 else 0.0
        said.append(
            f"harmonise.preserve: 'none' takes away what sites differ by, and {100 * part:.0f}% of the variance of age "
            "is between sites"
        )
    return said
