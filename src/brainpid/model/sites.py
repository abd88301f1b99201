"""The sites of the people that a model was fitted to, and whether it has seen those of others.

A site is what has one name. Models remember the names of their training sites where these are given to `fit`; a study
gives them where the people of a fold, those who are tested among them, are of two or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from brainpid.core.errors import InputError, list_some

SITE_SEEN = "site_seen"
"""Column of whether training has seen a person's site: ``yes``, ``no``, or empty where the site is not known."""

KNOWN_WIDTH = "pi_width_known_site"
"""Column of the width that the interval of a person of a new site would have if training had seen the site."""


def checked_sites(sites: ArrayLike | None, n: int) -> NDArray[np.object_]:
    """Site of each person (n,): text, or None where it is not known.

    Parameters
    ----------
    sites : array_like of str, shape (n,), or None
        NaN and None are sites that are not known; so are all where it is None.
    n : int

    Raises
    ------
    InputError
        Where there is not one site a row, or one is no text.
    """
    if sites is None:
        return np.full(n, None, dtype=object)
    given = np.asarray(sites, dtype=object)
    if given.shape != (n,):
        raise InputError(f"expected sites of shape ({n},), one per row of the features, found {given.shape}")
    known = ~np.asarray(pd.isna(given))
    if wrong := [site for site in given[known] if not isinstance(site, str)]:
        raise InputError(f"sites: expected texts, found {list_some(sorted({type(site).__name__ for site in wrong}))}")
    found = np.full(n, None, dtype=object)
    found[known] = given[known]
    return found


def several_sites(people: pd.DataFrame, rows: Any) -> NDArray[np.object_] | None:
    """Sites of some rows of a fold's people; None where everybody, those who are tested included, is of one site.

    Parameters
    ----------
    people : DataFrame, n rows
        With the column site.
    rows : ndarray of bool, shape (n,)
    """
    several = len(set(people["site"].dropna())) > 1
    return people.loc[rows, "site"].to_numpy(dtype=object) if several else None


def sites_seen(known: Iterable[str], sites: Sequence[Any] | NDArray[np.object_]) -> list[str | None]:
    """Whether each person's site is among those that are known: ``yes``, ``no``, or None where it has no name."""
    names = set(known)
    return [None if pd.isna(site) else "yes" if site in names else "no" for site in sites]


def unseen_in_words(sites: Sequence[Any], seen: Sequence[str | None]) -> str:
    """Sites that were not seen and how many people they have, in one sentence; empty where there are none."""
    others = [site for site, own in zip(sites, seen, strict=True) if own == "no"]
    if not others:
        return ""
    unknown = sum(own is None for own in seen)
    rest = f"; the site of {unknown} is not known" if unknown else ""
    names = list_some(sorted(set(others)))
    return f"{len(others)} of {len(seen)} people are of sites that training has not seen: {names}{rest}"
