"""Ends of intervals against brute force within the confidence ellipsoid."""

import numpy as np
import pytest
from pid_cases import MEASURES
from scipy.special import ndtri

from brainpid.core.modalities import subsets_of
from brainpid.pid.atoms import atoms_of
from brainpid.pid.projection import project, square_root

NARROW, WIDE = ndtri(0.975), ndtri(0.9875)


def informations(m, seed, spread, sd=0.04):
    """Informations of m modalities whose single ones differ by `spread`, and a random covariance."""
    rng = np.random.default_rng(seed)
    names = tuple("abcde"[:m])
    single = 0.4 + spread * rng.uniform(-1, 1, m)
    bits = np.array([sum(single[names.index(x)] for x in s) * (0.55 if len(s) > 1 else 1) for s in subsets_of(names)])
    factor = rng.standard_normal((len(bits), len(bits) + 2)) * sd / np.sqrt(len(bits))
    return names, bits, factor @ factor.T + 1e-4


def values_at(points, names, measure):
    return np.stack([atom.term.value for atom in atoms_of(points, names, measure)], axis=-1)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("m", "spread"), [(2, 0.0), (2, 0.05), (3, 0.0), (3, 0.05), (3, 0.3), (4, 0.03)])
def test_no_point_of_the_ellipsoid_lies_beyond_and_the_ends_are_reached(m, spread, measure):
    names, bits, covariance = informations(m, m, spread)
    atoms = atoms_of(bits, names, measure)
    low, high = project(bits, covariance, measure, 0.95, atoms)
    root = square_root(covariance)
    rng = np.random.default_rng(0)
    ball = rng.standard_normal((10_000, len(bits)))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    # A smooth atom has the narrower ellipsoid and one near a kink the wider one; none goes beyond its own.
    inner, outer = (
        values_at(bits + radius * ball * rng.uniform(0.5, 1, (len(ball), 1)) @ root, names, measure)
        for radius in (NARROW, WIDE)
    )
    for j, atom in enumerate(atoms):
        found = (outer if near_kink(atom, root) else inner)[:, j]
        assert low[j] - 1e-9 < found.min(), atom[:3]
        assert found.max() < high[j] + 1e-9, atom[:3]


def near_kink(atom, root):
    faces = np.stack([*atom.term.faces, *([np.zeros(len(root) + 1)] if atom.term.floored else [])])
    for k, one in enumerate(faces):
        for other in faces[:k]:
            gap = one - other
            if abs(gap[0]) < NARROW * np.linalg.norm(gap[1:] @ root) and atom.term.value in (one[0], other[0]):
                return True
    return False


@pytest.mark.parametrize(("m", "measure", "spread"), [(2, "idep", 0.05), (3, "mmi", 0.03), (3, "idep", 0.3)])
def test_a_fine_search_ends_where_the_interval_does(m, measure, spread):
    names, bits, covariance = informations(m, 7, spread)
    atoms = atoms_of(bits, names, measure)
    low, high = project(bits, covariance, measure, 0.95, atoms)
    root = square_root(covariance)
    rng = np.random.default_rng(1)
    for j in [k for k, atom in enumerate(atoms) if atom.term.sides][:8]:
        radius = WIDE if near_kink(atoms[j], root) else NARROW
        for sign, end in ((1.0, low[j]), (-1.0, high[j])):
            best, scale = np.zeros(len(bits)), 1.0
            for _ in range(60):
                tried = np.vstack([best, best + scale * rng.standard_normal((60, len(bits)))])
                tried /= np.maximum(np.linalg.norm(tried, axis=1, keepdims=True), 1.0)
                loss = sign * values_at(bits + radius * tried @ root, names, measure)[:, j]
                best, scale = tried[loss.argmin()], scale * 0.88
            assert sign * end - 1e-9 < loss.min() < sign * end + 1e-3, atoms[j][:3]


@pytest.mark.parametrize("measure", MEASURES)
def test_smooth_atoms_have_the_plain_interval(measure):
    names, bits, covariance = informations(3, 3, 0.3, sd=1e-4)
    covariance -= 1e-4  # the part in common, too
    covariance *= 1e-4 / np.diag(covariance).max()
    atoms = atoms_of(bits, names, measure)
    low, high = project(bits, covariance, measure, 0.95, atoms)
    for j, atom in enumerate(atoms):
        se = np.sqrt(atom.term.gradient @ covariance @ atom.term.gradient)
        if not near_kink(atom, square_root(covariance)):
            assert [low[j], high[j]] == pytest.approx(
                [atom.term.value - NARROW * se, atom.term.value + NARROW * se], abs=2e-4
            )


def test_six_modalities_have_ends_that_hold_those_of_the_ellipsoid():
    rng = np.random.default_rng(5)
    names = tuple("abcdef")
    bits = np.sort(rng.uniform(0.3, 0.5, 63))
    covariance = np.eye(63) * 0.03**2
    low, high = project(bits, covariance, "mmi", 0.95, atoms_of(bits, names, "mmi"))
    ball = rng.standard_normal((500, 63))
    inside = values_at(bits + NARROW * 0.03 * ball / np.linalg.norm(ball, axis=1, keepdims=True), names, "mmi")
    assert (inside.min(axis=0) > low - 1e-12).all()
    assert (inside.max(axis=0) < high + 1e-12).all()
