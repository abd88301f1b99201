"""Gradients of the atoms."""

import numpy as np
import pytest
from pid_cases import MEASURES

from brainpid.pid.atoms import atoms_of


@pytest.mark.parametrize("measure", MEASURES)
def test_gradients_are_derivatives(measure):
    rng = np.random.default_rng(4)
    bits = np.sort(rng.uniform(0.1, 1.0, 7))
    step = 1e-6
    plain = atoms_of(bits, ("a", "b", "c"), measure)
    for k in range(7):
        moved = atoms_of(bits + step * np.eye(7)[k], ("a", "b", "c"), measure)
        for before, after in zip(plain, moved, strict=True):
            slope = (after.term.value - before.term.value) / step
            assert slope == pytest.approx(before.term.gradient[k], abs=1e-4), before[:3]
