r"""Information given nuisance: what readers tell of a target beyond the controls.

    I(A; y | C) = mean over people of  log2 q(y | A, C) - log2 q(y | C)

q(y | C) is the density of a reader that sees the controls C alone, q(y | A, C) of one that sees the predictions from
the modalities A as well. Both are made from the predictions that the models gave of people whom they had not seen, and
are fitted again without each fold:

1. The normal score of the target is regressed on the prediction from A and on the controls
   (`brainpid.crossfit.controls`); on the controls alone for A empty. Where sites differ in the slope of the prediction,
   they have slopes of their own, shrunken: where all are of one age a prediction tells little. A slope below zero
   counts as zero: a prediction from features that tell nothing falls as the target rises, for the people who are
   predicted are missing from the mean that predicts them.
2. Densities follow as for the models themselves (`brainpid.crossfit.reader_density`), from the stack of these for every
   part of A, the empty one included, and with the spread of each site (`brainpid.crossfit.level_spread`). A modality
   that tells nothing beyond the controls is given next to no weight.

No model is trained again, and other controls rerun nothing that is trained. The price is that the predictions of the
people who are fitted to were made with the one who is held out: it adds one person's part of one slope, of order
``1 / n`` bits, and is less than what a slope costs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.modalities import Subset
from brainpid.core.names import SITE
from brainpid.crossfit.controls import ControlDesign, mixed_regression
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.reader_density import held_out_scores
from brainpid.crossfit.reading_scale import centred, scaled
from brainpid.crossfit.transforms import NormalScores

CONTROLS: Subset = ()
"""The reader of no modality: of the controls alone."""
FOLDS = 10
"""Folds that are dealt where those of the models are of no use here, at most."""


def scores_given(
    predictions: Mapping[Subset, FloatArray],
    controls: ControlDesign,
    y: FloatArray,
    fold: IntArray,
    groups: ArrayLike | None = None,
) -> dict[Subset, FloatArray]:
    """Log scores of readers that see the controls, relative to the distribution of the target.

    Parameters
    ----------
    predictions : mapping of Subset to ndarray, shape (n,)
        Of people whom the models had not seen, from subsets of the modalities, in the target's units.
    controls : ControlDesign
        Of the same people.
    y : ndarray, shape (n,)
        Target, in its units.
    fold : ndarray of int, shape (n,)
        Fold in which each was predicted.
    groups : array_like, shape (n,), optional
        Rows of one group are held out together.

    Returns
    -------
    dict of Subset to ndarray, shape (n,)
        ``log2 q(y | A, C) - log2 p(y)`` in bits, of each subset A and of `CONTROLS`, which is the empty one.

    Raises
    ------
    NumericalError
        Where a regression or a density cannot be fitted.
    """
    target_map = NormalScores.fit(y)
    g = target_map.transform(y)
    apart = folds_for(fold, controls, y, groups)
    means = {CONTROLS: _held_out_means(None, controls, g, apart)}
    for subset, values in predictions.items():
        f = centred(scaled(values, target_map, target_map), y, fold, target_map, target_map)
        means[subset] = _held_out_means(f, controls, g, apart)
    found, level = {}, controls.levels.get(SITE)
    for subset in means:
        parts = {
            part: centred(mean, y, apart, target_map, target_map)
            for part, mean in means.items()
            if set(part) <= set(subset)
        }
        found[subset] = held_out_scores(parts, g, y, apart, target_map, level)
    return found


def predictions_of_controls(
    controls: ControlDesign, y: FloatArray, fold: IntArray, groups: ArrayLike | None = None
) -> FloatArray:
    """Predictions (n,) of the target, in its units, by the controls alone; parameters as of `scores_given`."""
    return _held_out_means(None, controls, y, folds_for(fold, controls, y, groups))


def folds_for(fold: IntArray, controls: ControlDesign, y: FloatArray, groups: ArrayLike | None) -> IntArray:
    """Folds (n,) of the readers: those of the models, or others where a site, or all people, are of one of them."""
    numbers = np.unique(fold)
    whole = len(numbers) < 2 or any(
        len(np.unique(fold[codes == code])) < 2 and (codes == code).sum() > len(numbers)
        for codes in controls.levels.values()
        for code in np.unique(codes)
    )
    return stratified_folds(y, FOLDS, np.random.default_rng(0), groups) if whole else fold


def _held_out_means(f: FloatArray | None, controls: ControlDesign, g: FloatArray, fold: IntArray) -> FloatArray:
    """Predicted scores (n,) of each fold by a regression on the others."""
    found = np.empty(len(g))
    one = np.ones((len(g), 1))
    for k in np.unique(fold):
        used = fold != k
        fixed, random = np.concatenate([one, controls.fixed], axis=1), controls.random
        if f is not None:
            centre, scale = f[used].mean(), f[used].std()
            if scale > 1e-9 * max(abs(centre), 1.0):
                z = ((f - centre) / scale)[:, None]
                more = np.concatenate([one, z, controls.fixed], axis=1)
                slopes = tuple(
                    z * block for block in random if block.shape[1] > 1 and set(np.unique(block)) <= {0.0, 1.0}
                )
                coefficients = mixed_regression(more, random + slopes, g, used)
                if coefficients[1] > 0:
                    found[~used] = np.concatenate([more, *random, *slopes], axis=1)[~used] @ coefficients
                    continue
        coefficients = mixed_regression(fixed, random, g, used)
        found[~used] = np.concatenate([fixed, *random], axis=1)[~used] @ coefficients
    return found
