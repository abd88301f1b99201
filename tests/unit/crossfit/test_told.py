"""How well the site is told from features: by chance from noise, wholly from a signature, rare sites like others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.crossfit.told import labels_told


def sites(n=400):
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2, 3], [n // 2, n // 4, n // 5, n // 20])
    return rng, codes, pd.Series([f"s{code}" for code in codes])


def test_noise_tells_by_chance_and_a_signature_all():
    rng, codes, labels = sites()
    noise = rng.standard_normal((len(codes), 12))
    found = labels_told(noise, labels, 0)
    assert (found.chance, found.n) == (0.25, 400)
    assert found.balanced_accuracy == pytest.approx(0.25, abs=0.08)
    signature = noise + 6 * rng.standard_normal((4, 12))[codes]
    assert labels_told(signature, labels, 0).balanced_accuracy > 0.98


def test_sites_of_few_people_are_left_out():
    rng, _, labels = sites(100)
    assert labels_told(rng.standard_normal((100, 3)), labels, 0).n == 95
    assert labels_told(rng.standard_normal((100, 3)), pd.Series(["one"] * 95 + ["few"] * 5), 0) is None
