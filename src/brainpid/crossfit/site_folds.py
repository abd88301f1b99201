"""Inner folds that leave sites out: how sure predictions of people are whose site training has not seen."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from brainpid.core.arrays import BoolArray, FloatArray, IntArray
from brainpid.crossfit.folds import random_folds
from brainpid.crossfit.minima import fewest_of_baseline

log = logging.getLogger(__name__)

MOST_FOLDS = 8
FEWEST_SITES = 3
"""Training sites from which errors at new sites are learned."""
ENOUGH_SITES = 5
"""With fewer, what they tell of others is said to be rough."""
PEOPLE_OF_A_SITE = 10
"""A site of so many people counts half of what one of very many does: its mean is not known better."""


def site_numbers(sites: NDArray[np.object_]) -> tuple[IntArray, int]:
    """Number of each person's site (n,) from 0 without gaps, and how many sites have a name.

    People whose site is not known (None) are of one more.
    """
    labels, member = np.unique(
        [("", "") if site is None else ("site", site) for site in sites], axis=0, return_inverse=True
    )
    return member.reshape(-1), int(sum(kind == "site" for kind, _ in labels))


def deal_sites(
    sites: NDArray[np.object_], y: FloatArray, complete: BoolArray, seed: int, group: IntArray | None = None
) -> IntArray | None:
    """Deal sites to inner folds; all people of a site are in one.

    Sites that share a group, such as a family at two of them, are dealt together as long as `FEWEST_SITES` parts are
    left that share none. Where groups join too many sites for that, sites are left out one by one all the same, and
    people of a group may be on both sides.

    Parameters
    ----------
    sites : ndarray of object, shape (n,)
        Names of the training people's sites; None where one is not known.
    y : ndarray, shape (n,)
        Target, in its units.
    complete : ndarray of bool, shape (n,)
        Who has every modality.
    seed : int
        Deals sites of one size.
    group : ndarray of int, shape (n,), optional
        Number of each person's group.

    Returns
    -------
    ndarray of int, shape (n,), or None
        Fold of each person, 0 to `MOST_FOLDS` - 1 at most; None where there is no telling what predictions are worth at
        new sites: with fewer than `FEWEST_SITES`, or where without the people of one fold a model cannot be fitted.
    """
    member, named = site_numbers(sites)
    if named < 2:
        return None
    cannot = "intervals of people of other sites are those of these sites, and likely too narrow"
    if named < FEWEST_SITES:
        log.info("training has %d sites, from which errors at new sites cannot be learned: %s", named, cannot)
        return None
    fold = random_folds(_joined(sites, member, group), MOST_FOLDS, np.random.default_rng(seed))
    for k in np.unique(fold):
        rest = complete & (fold != k)
        if rest.sum() < fewest_of_baseline() or np.ptp(y[rest]) == 0:
            log.info(
                "without the largest sites %d training people have every modality, or all of one target: errors at new "
                "sites cannot be learned, and %s", int(rest.sum()), cannot,
            )  # fmt: skip
            return None
    if named < ENOUGH_SITES:
        log.info(
            "training has %d sites: what predictions are worth at new sites is learned from them, and rough with fewer "
            "than %d", named, ENOUGH_SITES,
        )  # fmt: skip
    return fold


def _joined(sites: NDArray[np.object_], member: IntArray, group: IntArray | None) -> IntArray:
    """Number of each person's part (n,): of the site, or of sites that share groups where enough parts are left."""
    if group is None:
        return member
    _, own = np.unique(group, return_inverse=True)
    n_sites, n = int(member.max()) + 1, int(member.max() + own.max()) + 2
    edges = coo_array((np.ones(len(member)), (member, n_sites + own)), shape=(n, n))
    count, part = connected_components(edges, directed=False)
    if count == n_sites:
        return member
    parts = np.asarray(part[member], dtype=np.int64)
    named = len({int(number) for number, site in zip(parts, sites, strict=True) if site is not None})
    if named < FEWEST_SITES:
        log.info(
            "groups join the sites of the training to %d: errors at new sites are learned with people of a group on "
            "both sides", named,
        )  # fmt: skip
        return member
    log.info("sites that share groups are left out together: %d are %d", n_sites, count)
    return parts


def person_weights(member: IntArray) -> FloatArray:
    """Weights (n,) of people by which each site counts about the same: ``1 / (n_s + PEOPLE_OF_A_SITE)``.

    Parameters
    ----------
    member : ndarray of int, shape (n,)
        Number of each person's site.
    """
    return 1.0 / (np.bincount(member)[member] + PEOPLE_OF_A_SITE)
