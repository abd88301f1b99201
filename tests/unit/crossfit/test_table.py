"""Repeats and folds of a table's cross-fitting are drawn apart."""

from __future__ import annotations

import numpy as np

from brainpid.crossfit.latents import cross_fit
from brainpid.crossfit.table import out_of_fold_latents


class Spy:
    """An encoder that notes its seeds."""

    def __init__(self):
        self.seeds = []

    def __call__(self, training, scores, new, seed):
        self.seeds.append(seed)
        return {name: np.zeros((len(scores), len(block), 1)) for name, block in new.items()}


def test_no_two_fits_share_their_random_numbers():
    rng, spy = np.random.default_rng(0), Spy()
    blocks, target = {"t1": rng.normal(size=(40, 2)), "dwi": rng.normal(size=(40, 2))}, rng.normal(size=40)
    found = out_of_fold_latents(blocks, target, spy, folds=4, repeats=3, seed=0)
    assert len(set(spy.seeds)) == len(spy.seeds) == 12
    assert len(np.unique(found.fold, axis=0)) == 3


def test_neighbouring_seeds_share_nothing():
    """Seed s of fold 1 was seed s + 1 of fold 0."""
    spy = Spy()
    for seed in range(3):
        cross_fit({"t1": np.arange(40.0)[:, None]}, np.arange(40.0)[None], np.arange(40) % 4, spy, seed)
    assert len(set(spy.seeds)) == 12
