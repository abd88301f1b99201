"""A pilot: what is worth fitting is asked of a few hundred training people, before anything is fitted in full.

Whether trees help, and with them all that suits features which act in steps and bends (the recipe ``expressive``, a
target as it is), shows on a bounded number of people: boosted trees are added to the base learners that cost little, on
people who were left out, and the fall of the squared error is looked at. Where they help nothing, they get no weight
from all people either, and are most of the cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brainpid.core.arrays import BoolArray, FloatArray, IntArray
from brainpid.core.modalities import complete
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_learners import TrainingPeople, fit_together
from brainpid.model.pidreg.stacking import equal_drawn_weights
from brainpid.model.pidreg.trees import Trees

DRAWS = 3
FITTED_ROWS, TESTED_ROWS = 600, 300
"""People whom a draw fits to, and whom it tests on, at most."""
LEAST_FALL = 0.01
"""Part of the squared error by which trees must lower it to be worth fitting, surely."""
SURELY = 1.5
"""Standard errors that are taken off the fall, so that the choice does not hang on the draw."""
LEARNING_ROWS = 200
"""People that the hyperparameters of the pilot's Gaussian process are learned from."""
MOST_FEATURES = 1000
"""Features that the pilot's trees see, those that go with the target most among the people fitted to."""
CHEAP = ("normative", "normative_scores", "kernel")
_TREES: dict[str, Any] = {"trees": 100, "learning_rate": 0.12, "part": 0.3, "bins": 63}


@dataclass(frozen=True)
class Pilot:
    """What was found.

    Attributes
    ----------
    fall : float
        Part of the squared error that boosted trees take away; 0 where nobody was asked.
    spread : float
        Its standard error, over people.
    """

    fall: float = 0.0
    spread: float = 0.0

    @property
    def trees(self) -> bool:
        """Whether trees are worth fitting."""
        return self.fall - SURELY * self.spread > LEAST_FALL

    @property
    def target_transform(self) -> str:
        """Map of the target that suits; with trees, on most tables from a thousand people on, the target as it is."""
        return "none" if self.trees else "normal_scores"


def run_pilot(training: TrainingPeople) -> Pilot:
    """Ask training people; those who lack a modality are left out.

    Parameters
    ----------
    training : TrainingPeople
        Whose target map is that of normal scores; inner folds keep groups together.
    """
    everybody = complete(training.blocks)
    rng = np.random.default_rng(training.seed)
    folds = rng.permutation(np.unique(training.fold[everybody]))
    errors = []
    for draw in range(DRAWS):
        tested = np.isin(training.fold, folds[draw::DRAWS])
        test = _some(everybody & tested, TESTED_ROWS, rng)
        fit = _some(everybody & ~tested, FITTED_ROWS, rng)
        if min(len(np.unique(training.fold[fit])), len(np.unique(training.y[fit])), int(test.sum())) > 1:
            errors.append(_squared_errors(training, fit, test))
    if not errors:
        return Pilot()
    without, with_trees = np.concatenate(errors, axis=1)
    gained, whole = without - with_trees, max(float(without.mean()), np.finfo(float).tiny)
    return Pilot(float(gained.mean()) / whole, float(gained.std() / np.sqrt(len(gained))) / whole)


def _some(rows: BoolArray, most: int, rng: np.random.Generator) -> BoolArray:
    """At most so many of the rows, drawn at random."""
    chosen = np.zeros(len(rows), dtype=bool)
    chosen[rng.permutation(np.flatnonzero(rows))[:most]] = True
    return chosen


def _squared_errors(training: TrainingPeople, fit: BoolArray, test: BoolArray) -> FloatArray:
    """Squared errors (2, n) of the tested people in variances of the target, without trees and with them."""
    names = tuple(training.blocks)
    inside, outside = training.of(names, fit), training.of(names, test)
    to_scores, straight = NormalScores.fit(inside.y), NormalScores.straight(inside.y)
    inside = replace(inside, target_map=to_scores)
    fitted = [fit_together(name, inside, LEARNING_ROWS) for name in CHEAP]
    cheap = [to_scores.inverse_transform(one.predict(outside.blocks)) for one in fitted]
    scores, seed = straight.transform(inside.y), int(training.seed.generate_state(1)[0])
    fitted_to, read = (np.column_stack(list(people.blocks.values())) for people in (inside, outside))
    nearest = np.sort(np.argsort(-np.abs(scores @ fitted_to), kind="stable")[:MOST_FEATURES])
    trees = Trees.boosted({"all": fitted_to[:, nearest]}, scores, seed, **_TREES)
    added = straight.inverse_transform(trees.predict({"all": read[:, nearest]}))
    half = np.random.default_rng(training.seed).permutation(len(outside.y)) % 2
    return np.stack([_weighed(cheap, outside.y, half), _weighed([*cheap, added], outside.y, half)])


def _weighed(predictions: list[FloatArray], y: FloatArray, half: IntArray) -> FloatArray:
    """Squared errors (n,) of weighed predictions, in variances of the target, weights of each half by the other."""
    centre, spread = float(y.mean()), float(y.std()) or 1.0
    columns, target = (np.column_stack(predictions) - centre) / spread, (y - centre) / spread
    errors = np.empty(len(y))
    for k in (0, 1):
        weights = equal_drawn_weights(columns[half != k], target[half != k])
        errors[half == k] = (columns[half == k] @ weights - target[half == k]) ** 2
    return errors
