"""Which recipe suits the training people: each is tried on a few inner folds where there is a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainpid.config.models import PIDRegSettings
from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.fusion import fusion
from brainpid.model.pidreg.network.fit import fit_network
from brainpid.model.pidreg.options import TRIAL_MEMBERS, best_recipe, options_of, recipes_to_try


def choose_recipe(
    settings: PIDRegSettings,
    blocks: Blocks,
    y: FloatArray,
    fold: IntArray,
    groups: NDArray[Any],
    seeds: list[np.random.SeedSequence],
    least: int,
) -> tuple[str, dict[str, float]]:
    """Try recipes by networks alone; returns the name of the best one and each one's mean absolute error.

    Parameters
    ----------
    settings : PIDRegSettings
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features in sorted order of the names; a row of NaN is a missing modality.
    y : ndarray, shape (n,)
        Target, in its units.
    fold : ndarray of int, shape (n,)
        Inner fold of each person.
    groups : ndarray, shape (n,)
    seeds : list of SeedSequence
        Those of the whole fit: of the fusion weights second, of the members from the fourth on.
    least : int
        People behind each knot of the normal scores at least.

    Returns
    -------
    recipe : str
    errors : dict of str to float
        In the target's units; empty without a choice.
    """
    names = recipes_to_try(settings.recipe, len(y))
    errors = {}
    for name in names if len(names) > 1 else []:
        options = options_of(settings, name)
        to_scores = target_map(options, y, least)
        scores = to_scores.transform(y)
        weights = fusion(blocks, scores, settings.fusion, np.random.default_rng(seeds[1]), groups)
        members = range(min(TRIAL_MEMBERS, settings.members))
        network, _ = fit_network(blocks, scores, fold, members, options, weights, seeds[3 : 3 + 2 * len(members)])
        predicted = to_scores.inverse_transform(network.leave_out(blocks, fold, members).together)
        errors[name] = np.abs(predicted - y)[np.isfinite(predicted)]
    chosen = best_recipe(errors) if errors else names[0]
    return chosen, {name: float(error.mean()) for name, error in errors.items()}


def target_map(options: Mapping[str, Any], y: FloatArray, least: int) -> NormalScores:
    """Map of the target (n,) to what base learners predict, by option; see `NormalScores.fit` for `least`."""
    return NormalScores.fit(y, least) if options["target_transform"] == "normal_scores" else NormalScores.straight(y)
