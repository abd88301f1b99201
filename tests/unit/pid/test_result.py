"""Rows of a result: keys, how pairs read, limits and shares."""

from itertools import combinations

import numpy as np
import pytest
from pid_cases import MEASURES, sample

from brainpid.core.errors import InputError
from brainpid.pid import decompose, decompose_covariance

COLUMNS = [
    "measure",
    "scope",
    "modalities",
    "atom",
    "bits",
    "bits_raw",
    "se",
    "ci_low",
    "ci_high",
    "share",
    "p_value",
    "n",
]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("m", [2, 3, 4])
def test_rows_have_fixed_keys(measure, m):
    names = ("t1", "dwi", "fmri", "pet")[:m]
    joined = "+".join(names)
    expected = {("all", joined, "total")}
    if measure == "mmi" or m == 2:
        expected |= {("all", name, "unique") for name in names} | {("all", joined, "synergy")}
        sizes = range(2, m + 1)
        expected |= {("all", "+".join(a), "redundant") for k in sizes for a in combinations(names, k)}
    ovr = ["total", "alone", "added", "unique", "rest_unique", "redundant", "synergy"]
    expected |= {("one_vs_rest", name, atom) for name in names for atom in ovr}
    if m > 2:
        for i, j in combinations(names, 2):
            expected |= {("pair", f"{i}+{j}", atom) for atom in ["total", "unique", "redundant", "synergy"]}
            expected |= {("pair", f"{j}+{i}", "unique")}
    for seed in (0, 1):
        frame = decompose(*sample(modalities=names, seed=seed), measure).to_frame()
        assert list(frame.columns) == COLUMNS
        keys = list(zip(frame["scope"], frame["modalities"], frame["atom"], strict=True))
        assert len(keys) == len(set(keys))
        assert set(keys) == expected
        assert (frame["measure"] == measure).all()
        assert (frame["n"] == 400).all()
        assert frame["p_value"].isna().all()


def test_known_covariance_has_no_interval_and_a_share():
    frame = decompose_covariance([[1, 0.6, 0.5], [0.6, 1, 0.2], [0.5, 0.2, 1]], {"a": 1, "b": 1}, "idep").to_frame()
    assert frame[["se", "ci_low", "ci_high", "p_value", "n"]].isna().all(axis=None)
    assert frame.query("scope == 'all' and atom != 'total'")["share"].sum() == pytest.approx(1)


def test_pairs_read_both_ways():
    result = decompose(*sample(), "idep")
    information = result.information
    total = result.atom("pair", ("t1", "dwi"), "total")
    assert total.bits == information[frozenset(["t1", "dwi"])]
    first, second = result.atom("pair", "t1+dwi", "unique").bits, result.atom("pair", "dwi+t1", "unique").bits
    assert first - second == pytest.approx(information[frozenset(["t1"])] - information[frozenset(["dwi"])], abs=1e-12)
    with pytest.raises(InputError, match="no atom 'pair dwi\\+t1 total'"):
        result.atom("pair", "dwi+t1", "total")


def test_intervals_scale_with_factor_and_confidence():
    sources, target = sample()
    plain, wide = decompose(sources, target), decompose(sources, target, se_factor=1.25)
    sure = decompose(sources, target, confidence=0.99)
    for a, b, c in zip(plain.rows, wide.rows, sure.rows, strict=True):
        assert b.se == pytest.approx(1.25 * a.se, nan_ok=True)
        if a.atom not in ("total", "alone", "added"):
            continue  # these are linear in the informations
        assert (a.ci_high - a.bits) == pytest.approx(1.959964 * a.se, rel=1e-6)
        assert (c.bits - c.ci_low) == pytest.approx(2.575829 * a.se, rel=1e-6)


def test_an_atom_at_its_boundary_has_an_interval_and_no_standard_error():
    """fmri is far weaker than t1, and has nothing unique under mmi whatever the sampling error."""
    weakest = decompose(*sample()).atom("all", "fmri", "unique")
    assert weakest.bits == pytest.approx(0, abs=1e-6)
    assert np.isnan(weakest.se)
    assert (weakest.ci_low, weakest.ci_high) == pytest.approx((0, 1 / 400), abs=1e-6)


def test_warnings_name_the_limits():
    few = " ".join(decompose(*sample(n=200)).warnings)
    assert "n = 200 is below 300" in few
    assert "at most one modality" in few
    sources, target = sample(n=400)
    sources["fmri"] = np.random.default_rng(9).standard_normal((400, 3))
    small = decompose(sources, target, "idep")
    assert any("fmri add less than 0.02 bits" in line for line in small.warnings)
    assert not any("at most one modality" in line for line in small.warnings)
    assert not any("below 300" in line for line in small.warnings)


def test_shares_need_300_people():
    assert np.isnan([row.share for row in decompose(*sample(n=299)).rows]).all()
    result = decompose(*sample(n=300))
    assert result.rows[0].share == 1
    assert sum(row.share for row in result.rows if row.scope == "all") == pytest.approx(2)
