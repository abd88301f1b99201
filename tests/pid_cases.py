"""Samples and the shared ground truth of the decomposition, for tests."""

import json

import numpy as np
import pytest
from cohorts import SHARED_DATA

from brainpid.core.modalities import subsets_of

GROUND_TRUTH = SHARED_DATA / "pid_ground_truth.json"
TRUTH = json.loads(GROUND_TRUTH.read_text()) if GROUND_TRUTH.exists() else {}
MEASURES = ("mmi", "idep")


def known(key):
    """Parametrise over the cases of one key of the shared ground truth."""
    if key not in TRUTH:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no {GROUND_TRUTH}"))]
    return [pytest.param(case, id=case["name"]) for case in TRUTH[key]]


def antichain(text, names):
    """Read ``{1}{23}`` as a set of sets of names."""
    return frozenset(frozenset(names[int(c) - 1] for c in block) for block in text.strip("{}").split("}{"))


def sample(n=400, width=3, modalities=("t1", "dwi", "fmri"), seed=0):
    """Modalities that tell of the target, the first one most."""
    rng = np.random.default_rng(seed)
    target = rng.standard_normal(n)
    sources = {m: rng.standard_normal((n, width)) for m in modalities}
    for k, block in enumerate(sources.values()):
        block[:, 0] += target * (1.0 - 0.25 * k)
    return sources, target


def values(result, scope="all"):
    """Bits by modalities and atom."""
    return {(row.modalities, row.atom): row.bits for row in result.rows if row.scope == scope}


def log_scores(n, gains, seed=0):
    """Log scores in bits of the best readers of ``x_m = gain y + noise``, and the true information of each subset."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(n)
    x = {name: gain * y + rng.standard_normal(n) for name, gain in gains.items()}
    scores, truth = {}, {}
    for subset in subsets_of(list(gains)):
        power = 1 + sum(gains[name] ** 2 for name in subset)
        mean = sum(gains[name] * x[name] for name in subset) / power
        truth[frozenset(subset)] = 0.5 * np.log2(power)
        scores["+".join(subset)] = 0.5 * np.log2(power) + (y**2 - power * (y - mean) ** 2) / (2 * np.log(2))
    return scores, truth
