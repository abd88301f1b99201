"""How much sites differ: what is planted is found, and intervals hold at sites that were not learned from."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import NumericalError
from brainpid.model.local_people import Raw
from brainpid.model.site_spread import learn_spread, play_new_site


def people(
    seed: int, sites: int, n: int, offset: float = 4.0, scatter: float = 5.0
) -> tuple[Raw, np.ndarray, np.ndarray]:
    """Sites of people with ages of their own, whose predictions are off by an offset, with too narrow intervals."""
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(sites), n)
    predicted = (50 + rng.normal(0, 10, sites))[site] + rng.normal(0, 8, sites * n)
    y = predicted + rng.normal(0, offset, sites)[site] + rng.normal(0, scatter, sites * n)
    half = np.full(sites * n, 4.0)
    return Raw(predicted, predicted - half, predicted + half, half), y, site


def test_planted_offsets_and_scatter_are_found():
    raw, y, site = people(0, 80, 40)
    found = learn_spread(raw, y, site, 0.9, 0)
    assert found.offset == pytest.approx(4, rel=0.2)
    assert found.scatter == pytest.approx(5, rel=0.05)
    assert found.slope < 1
    assert found.scatter_spread < 0.15
    assert found.apart == pytest.approx(0.64, rel=0.35)
    assert (found.half_width, found.sites, found.people) == (4, 80, 3200)
    # Normal sites and people need no factor.
    np.testing.assert_allclose([*found.width, *found.error], 1, atol=0.12)


def test_intervals_hold_at_new_sites_and_errors_fall():
    """Sites of another draw: 90% of people with nobody known and with five; the mean error of a site falls."""
    spread = learn_spread(*people(1, 30, 25), 0.9, 0)
    raw, y, site = people(2, 60, 25)
    covered, off = {0: [], 5: []}, {0: [], 5: []}
    for one in range(60):
        for k in covered:
            tested, told = play_new_site(spread, raw, y, np.flatnonzero(site == one), k, 0, 0)
            covered[k].append(np.mean((told.low <= y[tested]) & (y[tested] <= told.high)))
            off[k].append(abs(np.mean(told.predicted - y[tested])))
    for k, own in covered.items():
        assert np.mean(own) == pytest.approx(0.9, abs=0.04), k
    assert np.mean(off[5]) < 0.65 * np.mean(off[0])


def test_nobody_is_corrected_by_the_own_target():
    raw, y, site = people(3, 8, 20)
    spread = learn_spread(raw, y, site, 0.9, 0)
    own = np.flatnonzero(site == 3)
    tested, told = play_new_site(spread, raw, y, own, 6, 0, 0)
    assert len(tested) == 14
    moved = y.copy()
    moved[tested] += 30
    again = play_new_site(spread, raw, moved, own, 6, 0, 0)[1]
    for one, other in zip(told, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(tested, play_new_site(spread, raw, y, own, 6, 1, 0)[0])


def test_the_same_seed_learns_the_same_and_predictions_without_spread_are_refused():
    raw, y, site = people(4, 8, 20)
    assert learn_spread(raw, y, site, 0.9, 0) == learn_spread(raw, y, site, 0.9, 0)
    flat = raw._replace(predicted=np.full(len(y), 50.0))
    with pytest.raises(NumericalError, match="standard deviation 0"):
        learn_spread(flat, y, site, 0.9, 0)
