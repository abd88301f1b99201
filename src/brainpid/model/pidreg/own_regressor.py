"""A base learner of the user's own: any regressor of scikit-learn's kind, on standardised features and scores."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import clone, is_classifier

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.errors import InputError, NumericalError, did_you_mean
from brainpid.core.imports import import_class
from brainpid.model.varying import Additive, Reading, WholeReads

FOLDS = 5
"""Inner folds that a regressor is fitted without; those of the network are joined to this number."""
SLOPES_PEOPLE = 30
"""People from whose predictions the slopes are taken where the regressor has no coefficients."""
_TAKEN = ("network", "normative", "normative_scores", "kernel", "forest", "boosting", "head")
_NEEDED = ("fit", "predict", "get_params", "set_params")


def names_of(own: Sequence[Any]) -> dict[str, Any]:
    """Regressors by the name of their class, with a number where there are several of one.

    Parameters
    ----------
    own : sequence of regressors or mappings
        A mapping has the class' dotted name at ``import``, and its keyword arguments.

    Raises
    ------
    InputError
        Where one is no regressor of scikit-learn's kind, or cannot be made.

    Examples
    --------
    >>> from sklearn.linear_model import Lasso
    >>> list(names_of([Lasso(), Lasso(alpha=0.1)]))
    ['Lasso', 'Lasso_2']
    >>> names_of([{"import": "sklearn.linear_model.Lasso", "alpha": 0.5}])
    {'Lasso': Lasso(alpha=0.5)}
    """
    named: dict[str, Any] = {}
    for regressor in map(_made, own):
        if isinstance(regressor, type) or not all(hasattr(regressor, name) for name in _NEEDED):
            needed = ", ".join(_NEEDED)
            raise InputError(
                f"experts: expected names, or regressors with {needed} as scikit-learn's, found {regressor!r}"
            )
        kind = type(regressor).__name__
        if is_classifier(regressor):
            raise InputError(f"experts: expected regressors, found that {kind} is a classifier")
        number = 1 + (kind in _TAKEN) + sum(type(other).__name__ == kind for other in named.values())
        named[kind if number == 1 else f"{kind}_{number}"] = regressor
    return named


@dataclass(frozen=True)
class OwnRegressor:
    """A fitted regressor on the features of one modality or several, side by side.

    Attributes
    ----------
    fitted : object
        Of scikit-learn's kind.
    """

    fitted: Any

    @classmethod
    def fit(
        cls, regressor: Any, blocks: Blocks, scores: FloatArray, fold: IntArray, seed: int
    ) -> tuple[Self, FloatArray]:
        """Fit a copy to all people, and copies without each inner fold.

        Parameters
        ----------
        regressor : object
            Of scikit-learn's kind; it is left as it is. Where its ``random_state`` is None, `seed` takes its place.
        blocks : mapping of str to ndarray, shape (n, p_m)
            Standardised features without NaN.
        scores : ndarray, shape (n,)
        fold : ndarray of int, shape (n,)
            Inner folds.
        seed : int

        Returns
        -------
        OwnRegressor
        ndarray, shape (n,)
            Scores predicted by the copies that had not seen the person.

        Raises
        ------
        InputError
            Where the regressor refuses its options or these people.
        NumericalError
            Where predictions are not finite.
        """
        left_out = cls.leave_out(regressor, blocks, scores, fold, seed)
        return cls(_fitted(regressor, _table(blocks), scores, seed)), left_out

    @classmethod
    def leave_out(cls, regressor: Any, blocks: Blocks, scores: FloatArray, fold: IntArray, seed: int) -> FloatArray:
        """Scores (n,) by copies of a regressor that are fitted without the person's fold; parameters as of `fit`."""
        table, joined, left_out = _table(blocks), fold % FOLDS, np.empty(len(scores))
        for k in np.unique(joined):
            inside = joined == k
            part = cls(_fitted(regressor, table[~inside], scores[~inside], seed))
            left_out[inside] = part.predict({m: block[inside] for m, block in blocks.items()})
        return left_out

    def predict(self, blocks: Blocks) -> FloatArray:
        """Predicted scores (n,)."""
        table = _table(blocks)
        predicted = np.asarray(self.fitted.predict(table), dtype=np.float64).reshape(-1)
        kind = type(self.fitted).__name__
        if len(predicted) != len(table):
            raise InputError(f"experts: {kind} predicts {len(predicted)} numbers for {len(table)} people; expected one")
        if bad := int((~np.isfinite(predicted)).sum()):
            raise NumericalError(f"experts: {kind} predicts {bad} of {len(table)} scores that are not finite")
        return predicted

    def vary(self, blocks: Blocks, modality: str) -> Reading:
        """People as they vary in one modality, read anew."""
        return WholeReads(self.predict, blocks, modality)

    def additive(self, blocks: Blocks, modality: str) -> Additive:
        """Slope of each feature: the coefficients, or the mean chord of one standard deviation over some people."""
        n, width = blocks[modality].shape
        start = sum(blocks[m].shape[1] for m in list(blocks)[: list(blocks).index(modality)])
        some = np.unique(np.linspace(0, n - 1, min(n, SLOPES_PEOPLE)).astype(int))
        few = {m: block[some] for m, block in blocks.items()}
        if (coefficients := self._coefficients(few)) is not None:
            return Additive(np.tile(coefficients[start : start + width], (n, 1)), exact=True)
        read, own = self.vary(few, modality), few[modality]
        slopes = np.empty(width)
        for j in range(width):
            ends = np.stack([own[:, j : j + 1] - 0.5, own[:, j : j + 1] + 0.5])
            down, up = read(np.array([j]), ends)
            slopes[j] = float((up - down).mean())
        return Additive(np.tile(slopes, (n, 1)))

    def _coefficients(self, blocks: Blocks) -> FloatArray | None:
        """Coefficients of all features, where the predictions of these people are sums by them; of others None."""
        table = _table(blocks)
        found = np.asarray(getattr(self.fitted, "coef_", np.nan), dtype=np.float64).reshape(-1)
        if len(found) != table.shape[1]:
            return None
        rest = self.predict(blocks) - table @ found  # of a model with a link, such as Poisson's, it is no constant
        return found if np.ptp(rest) <= 1e-6 * max(1.0, float(np.abs(rest).max())) else None


def _made(own: Any) -> Any:
    """The regressor that a mapping describes; anything else as it is."""
    if not isinstance(own, Mapping):
        return own
    options = dict(own)
    name = str(options.pop("import"))
    kind = import_class(name, "experts")
    known = inspect.signature(kind).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        for option in options:
            if option not in known:
                raise InputError(f"experts: {name}: unknown keyword '{option}'; {did_you_mean(option, known)}")
    try:
        return kind(**options)
    except (TypeError, ValueError) as fault:
        raise InputError(f"experts: {name} cannot be made: {fault}") from fault


def _fitted(regressor: Any, table: FloatArray, scores: FloatArray, seed: int) -> Any:
    """A fitted copy, its seeds set where they are open."""
    fresh = clone(regressor)
    names = [name for name, value in fresh.get_params().items() if value is None]
    fresh.set_params(**{name: seed for name in names if name.split("__")[-1] == "random_state"})
    try:
        return fresh.fit(table, scores)
    except (TypeError, ValueError) as fault:
        n, p = table.shape
        raise InputError(f"experts: {type(fresh).__name__} cannot be fitted to {n} people x {p}: {fault}") from fault


def _table(blocks: Blocks) -> FloatArray:
    return np.column_stack(list(blocks.values()))
