r"""How a model fares elsewhere: the same people predicted in random folds, and with their cohort or site left out.

Every value is a mean over people, a person's repeats averaged first, and the gap between two schemes is the mean of the
people's own differences, so that what makes a person hard to predict cancels. People of one site are wrong together
where the site is new to the model, so that the interval of a gap has to count sites: of the values :math:`d_i` of n
people of S sites with the mean :math:`\bar d`,

.. math:: se^2 = \frac{S}{S - 1} \sum_s \Bigl(\sum_{i \in s} (d_i - \bar d)\Bigr)^2 / n^2,

with Student's t of :math:`n^2 / \sum_s n_s^2 - 1` degrees of freedom, because a few large sites tell as much as a few
sites do. The interval is never narrower than that over people. Where few sites are off by much, gaps are skewed, and
95% intervals of 12 to 20 sites hold about 9 times in 10 (simulated). Fewer than `FEWEST_SITES` sites say nothing of
sites not seen: the interval is then over people alone, and so is that of a single site.

References
----------
Liang & Zeger 1986, Biometrika 73:13 (variance by clusters).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from brainpid.cohort.schemes import of_scheme
from brainpid.core.arrays import FloatArray, IntArray
from brainpid.evaluation.coverage import FEWEST_OF_SITE
from brainpid.evaluation.predictions import GROUP, LOG_SCORE
from brainpid.evaluation.random_effects import POOLED

FEWEST_SITES = 5
"""Sites from which on the interval of a gap is over sites as well."""
PEOPLE, SITES = "people", "people and sites"
VALUES = ("mae", "bias", "coverage", "bits")
"""Quantities of a model, each a mean over people."""
ENDS = ("gap", "gap_low", "gap_high")
TRANSFER_COLUMNS = [
    "model", "cohort", "site", "scheme", "n", *VALUES, "reference", *(f"{v}_{end}" for v in VALUES for end in ENDS),
    "sites", "interval_over",
]  # fmt: skip


def reference_of(schemes: Sequence[str]) -> str:
    """Scheme that the others are set against: random folds, else the first one."""
    return "kfold" if "kfold" in schemes else schemes[0]


def transfer_table(
    predictions: pd.DataFrame, modalities: Sequence[str], schemes: Sequence[str], confidence: float
) -> pd.DataFrame:
    """Error, bias, coverage and information of every model under every scheme, and the gaps between the schemes.

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold predictions of all schemes and models, with a column `scheme`, and the log scores in bits.
    modalities : sequence of str
    schemes : sequence of str
        Two or more of them.
    confidence : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        Columns of ``aggregate/transfer.tsv``: a row a model, scheme and group of people. A group is a cohort, everybody
        (``pooled``) where there are several cohorts, or a site with `FEWEST_OF_SITE` people or more of a cohort with
        several. mae and bias (predicted less true) are in the target's units, coverage is a part, bits are of people
        with every modality. A gap is the value less that of the scheme `reference`.
    """
    reference = reference_of(schemes)
    people = {scheme: people_of_scheme(of_scheme(predictions, scheme), modalities) for scheme in schemes}
    records = []
    for model in dict.fromkeys(predictions["model"]):
        own = {scheme: table[table.index.get_level_values("model") == model] for scheme, table in people.items()}
        for (cohort, site), index in _groups(own[reference]):
            for scheme in schemes:
                rows, other = (own[name].reindex(index) for name in (scheme, reference))
                told = rows[list(VALUES)].mean().to_dict()
                record = {"model": model, "cohort": cohort, "site": site, "scheme": scheme, "n": len(rows)} | told
                gaps = {} if scheme == reference else _gaps(rows, other, site == "", confidence)
                records.append(record | {"reference": reference if gaps else ""} | gaps)
    return pd.DataFrame(records, columns=TRANSFER_COLUMNS)


def people_of_scheme(predictions: pd.DataFrame, modalities: Sequence[str]) -> pd.DataFrame:
    """Values of each person under one scheme, repeats averaged.

    Parameters
    ----------
    predictions : DataFrame
        Rows of one scheme.
    modalities : sequence of str

    Returns
    -------
    DataFrame
        Columns `VALUES`, site and, where people are of groups, group; indexed by model, cohort and participant_id.
    """
    error = predictions["predicted_age"] - predictions["age"]
    score = LOG_SCORE + "+".join(modalities)
    values = predictions.assign(
        mae=error.abs(),
        bias=error,
        coverage=predictions["age"].between(predictions["pi_low"], predictions["pi_high"]).astype(float),
        bits=predictions.get(score, np.nan),
    )
    more = ["site", *([GROUP] if GROUP in values else [])]
    how = dict.fromkeys(VALUES, "mean") | dict.fromkeys(more, "first")
    return values.groupby(["model", "cohort", "participant_id"], sort=False).agg(how)


def mean_with_interval(values: FloatArray, clusters: IntArray | None, confidence: float) -> tuple[float, float, float]:
    """Mean of people's values (n,) and its interval: over people, and over the clusters (n,) that they are of.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Of any unit.
    clusters : ndarray of int, shape (n,), or None
        Number of each person's site or family; None where people are single.
    confidence : float
        Coverage of the interval.

    Returns
    -------
    mean, low, high : float
        In the unit of the values; no ends of fewer than two people.

    Examples
    --------
    >>> [round(end, 3) for end in mean_with_interval(np.array([1.0, 2.0, 3.0]), None, 0.95)]
    [2.0, -0.484, 4.484]
    """
    n = len(values)
    mean = float(values.mean()) if n else np.nan
    if n < 2:
        return mean, np.nan, np.nan
    half = _student(n - 1, confidence) * float(values.std(ddof=1)) / np.sqrt(n)
    if clusters is not None:
        _, code, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
        of_clusters = np.bincount(code, weights=values - mean)
        s, worth = len(sizes), n**2 / float((sizes.astype(float) ** 2).sum())
        if worth > 1:
            error = np.sqrt(s / (s - 1) * float((of_clusters**2).sum())) / n
            half = max(half, _student(worth - 1, confidence) * error)
    half = float(half)
    return mean, mean - half, mean + half


def _student(freedom: float, confidence: float) -> float:
    """Quantile of Student's t that half an interval is wide, in standard errors."""
    return float(student_t.ppf((1 + confidence) / 2, freedom))


def _gaps(rows: pd.DataFrame, other: pd.DataFrame, over_sites: bool, confidence: float) -> dict[str, Any]:
    """Differences of people's values between two schemes, each with its interval."""
    sites = rows["site"].nunique()
    clusters, over = None, PEOPLE
    if over_sites and sites >= FEWEST_SITES:
        clusters, over = pd.factorize(rows["site"])[0], SITES
    elif GROUP in rows:
        clusters = rows[GROUP].to_numpy(dtype=np.int64)
    told: dict[str, Any] = {"sites": sites, "interval_over": over}
    for value in VALUES:
        difference = (rows[value] - other[value]).to_numpy(dtype=float)
        known = np.isfinite(difference)
        found = mean_with_interval(difference[known], None if clusters is None else clusters[known], confidence)
        told |= {f"{value}_{end}": number for end, number in zip(ENDS, found, strict=True)}
    return told


def _groups(people: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.Index]]:
    """Everybody, each cohort, and its sites: cohort and site (empty for all), and the people's index."""
    cohorts = list(people.groupby(level="cohort", sort=False))
    if len(cohorts) > 1:
        yield (POOLED, ""), people.index
    for cohort, own in cohorts:
        yield (str(cohort), ""), own.index
        sites = list(own.groupby("site", sort=True))
        for site, rows in sites if len(sites) > 1 else ():
            if len(rows) >= FEWEST_OF_SITE:
                yield (str(cohort), str(site)), rows.index
