"""Before a run: whether training will have sites enough to learn what predictions are worth at others."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from brainpid.crossfit.site_folds import ENOUGH_SITES, FEWEST_SITES

_LEFT_OUT = {"leave_one_cohort_out": "cohort", "leave_one_site_out": "site"}


def doubts_of_new_sites(people: pd.DataFrame, schemes: Sequence[str]) -> list[str]:
    """Sentences on schemes whose training sets have too few sites to calibrate intervals at new ones.

    Parameters
    ----------
    people : DataFrame
        cohort, site, included.
    schemes : sequence of str
        Of the splits.
    """
    taking, said = people[people["included"].astype(bool)], []
    for scheme in schemes:
        if (column := _LEFT_OUT.get(scheme)) is None or taking[column].nunique() < 2:
            continue
        parts = [taking.loc[taking[column] != name, "site"].nunique() for name in taking[column].dropna().unique()]
        if (fewest := min(parts)) >= ENOUGH_SITES:
            continue
        what = f"calibrated roughly, and wide, with fewer than {ENOUGH_SITES}"
        if fewest < FEWEST_SITES:
            what = f"those of known sites and likely too narrow; to calibrate them takes {FEWEST_SITES} training sites"
        sites = "1 site" if fewest == 1 else f"{fewest} sites"
        said.append(f"{scheme}: training has {sites} where it has fewest: intervals of those left out are {what}")
    return said
