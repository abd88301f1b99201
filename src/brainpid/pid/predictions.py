r"""Decomposition of the information of predictions, from their out-of-fold log scores.

Reader A sees the modalities A of a person and answers with a density ``q_A(y | x)``; its log score against the
distribution of the target is

    l_iA = log2 q_A(y_i | x_i) - log2 p(y_i)   bits,    I_A = mean_i l_iA.

Nothing is assumed about the target's distribution or about how a reader works. A person's influence on ``I_A`` is
``l_iA - I_A``, paired across subsets. Near zero the scores themselves vanish and would promise more than there is; so
the sampling covariance holds, beside that of the mean scores, the variance of an information that is zero
(`brainpid.pid.estimation.covariance_of_zero`), one dimension a modality, of order 1 / n^2.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError, list_some
from brainpid.core.labels import check_same_people, numbers_of
from brainpid.core.modalities import Subset, SubsetKey, subsets_of
from brainpid.core.names import Measure
from brainpid.pid.assemble import covariance_of_mean, decompose_information
from brainpid.pid.estimation import covariance_of_zero
from brainpid.pid.gaussian import checked_names
from brainpid.pid.options import check_options
from brainpid.pid.result import Decomposition


def decompose_predictions(
    scores: Mapping[str | Subset, ArrayLike],
    groups: ArrayLike | None = None,
    measure: Measure = "mmi",
    confidence: float = 0.95,
    se_factor: float = 1.0,
    weights: ArrayLike | None = None,
) -> Decomposition:
    """Decompose the information of predictions from every subset of the modalities.

    Parameters
    ----------
    scores : mapping of str or tuple of str to array_like, shape (n,)
        Out-of-fold log scores ``log2 q_A(y | x) - log2 p(y)`` in bits of the same people in the same order, for every
        non-empty subset A of two or more modalities; its key is ``"t1+dwi"`` or ``("t1", "dwi")``. The order of the
        modalities is that of the single ones.
    groups : array_like, shape (n,), optional
        Label of each row's group, such as a person of several visits or a family: standard errors are clustered by it.
    measure : {"mmi", "idep"}
        ``mmi`` is a function of the informations alone. ``idep`` is that of Gaussian sources of the same information,
        whose squared correlation with the target is ``R2 = 1 - 2^(-2 I)``: exact where all is jointly normal.
    confidence : float
        Coverage of the intervals, in (0, 1).
    se_factor : float
        Widening of the standard errors, for what training on shared people adds.
    weights : array_like, shape (n,), optional
        How many people each stands for, in any unit, such as the inverse of the probability of being among these
        people; everybody alike without them.

    Returns
    -------
    Decomposition
        In bits, never clipped: a negative information says that the reader is worse than the target's distribution.

    Raises
    ------
    InputError
        Where a subset is missing, lengths or labels of rows differ, a score is missing or infinite, or an option is
        invalid.
    NumericalError
        Where ``idep`` has no value because informations are far below zero.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> scores = {"t1": rng.normal(0.5, 1, 400), "dwi": rng.normal(0.2, 1, 400), "t1+dwi": rng.normal(0.6, 1, 400)}
    >>> [round(bits, 2) for bits in decompose_predictions(scores).information.values()]
    [0.46, 0.18, 0.56]
    """
    check_options(measure, confidence, se_factor)
    names, columns = _by_subset(scores)
    check_same_people({f"scores['{'+'.join(subset)}']": scores[key] for subset, (key, _) in columns.items()})
    table = _table({subset: values for subset, (_, values) in columns.items()})
    n = len(table)
    parts = _parts(weights, n)
    bits = parts @ table
    influence = n * parts[:, None] * (table - bits)
    sampling, rows_a_group = covariance_of_mean(influence, groups)
    at_zero = covariance_of_zero(names, [len(subset) for subset in columns], n)
    covariance = se_factor**2 * (sampling + rows_a_group**2 * at_zero)
    return decompose_information(bits, covariance, names, n, measure, confidence, None, influence)


def _parts(weights: ArrayLike | None, n: int) -> FloatArray:
    """Part (n,) of each person in a mean."""
    if weights is None:
        return np.full(n, 1 / n)
    found = numbers_of(weights, "weights")
    if found.shape != (n,) or not (np.isfinite(found).all() and (found >= 0).all() and found.any()):
        raise InputError(f"weights of shape {found.shape}; expected ({n},), none below zero and not all zero")
    return np.asarray(found / found.sum())


def _by_subset(
    scores: Mapping[str | Subset, ArrayLike],
) -> tuple[tuple[str, ...], dict[Subset, tuple[str | Subset, FloatArray]]]:
    """Names of the modalities, and of each subset, in order, the key that it has and its scores."""
    given: dict[SubsetKey, str | Subset] = {}
    names: list[str] = []
    for key in scores:
        parts = key.split("+") if isinstance(key, str) else list(key)
        if len(set(parts)) < len(parts) or frozenset(parts) in given:
            raise InputError(f"scores of '{'+'.join(parts)}': a modality, or the subset, is given twice")
        given[frozenset(parts)] = key
        names += parts if len(parts) == 1 else []
    modalities = checked_names(dict.fromkeys(names))
    subsets = subsets_of(modalities)
    if missing := ["+".join(subset) for subset in subsets if frozenset(subset) not in given]:
        raise InputError(f"no scores of {list_some(missing)}; expected those of every subset of {'+'.join(modalities)}")
    expected = set(map(frozenset, subsets))
    if stray := ["+".join(sorted(subset)) for subset in given if subset not in expected]:
        raise InputError(f"scores of {list_some(stray)} have modalities without scores of their own")
    keys = {subset: given[frozenset(subset)] for subset in subsets}
    return modalities, {
        subset: (key, numbers_of(scores[key], f"scores of '{'+'.join(subset)}'")) for subset, key in keys.items()
    }


def _table(columns: Mapping[Subset, FloatArray]) -> FloatArray:
    """Scores (n, K), after a check that everybody has a finite one of every subset."""
    n = next(iter(columns.values())).size
    for subset, values in columns.items():
        if values.shape != (n,):
            raise InputError(f"scores of '{'+'.join(subset)}' have shape {values.shape}; expected ({n},), one a person")
        if bad := int(np.sum(~np.isfinite(values))):
            raise InputError(
                f"scores of '{'+'.join(subset)}' are missing or infinite for {bad} of {n} people; leave these people "
                "out of every subset"
            )
    if n < 3:
        raise InputError(f"scores of {n} people are given; expected at least 3")
    return np.stack(list(columns.values()), axis=1)
