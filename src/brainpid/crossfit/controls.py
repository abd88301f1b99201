r"""Nuisance columns as a design, and a regression on them whose shrinkage is learned.

A control is a column of numbers or of labels. Labels are random effects: the mean of a site of five people is drawn
towards that of everybody by as much as sites differ. Numbers enter as their normal score, linear, and with bends that
are shrunken likewise. All variances are those of restricted maximum likelihood, so that a control that tells nothing
costs next to nothing.

References
----------
Wood & Fasiolo 2017, Biometrics 73:1071 (the update of the variances).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from brainpid.core.arrays import BoolArray, FloatArray, IntArray
from brainpid.core.errors import InputError, NumericalError
from brainpid.core.linalg import factorising, thin_svd
from brainpid.crossfit.transforms import normal_scores

MOST_LEVELS_OF_NUMBERS = 10
"""A column of numbers with more different values than this is a quantity; with fewer it is labels, such as 1 and 2."""
_KNOTS = (0.1, 0.3, 0.5, 0.7, 0.9)  # quantiles at which a quantity's effect may bend
_ROUNDS = 40  # of the update of the variances
_SETTLED = 1e-3  # largest relative change of a penalty that ends them
_RANGE = (1e-4, 1e8)  # of penalties


@dataclass(frozen=True)
class ControlDesign:
    """Columns of the controls of n people.

    Attributes
    ----------
    fixed : ndarray, shape (n, p)
        Without the intercept; unpenalised.
    random : tuple of ndarray, shape (n, k) each
        Blocks of one variance each.
    levels : dict of str to ndarray of int, shape (n,)
        Number of each person's label, of the controls that are labels.
    """

    fixed: FloatArray
    random: tuple[FloatArray, ...]
    levels: dict[str, IntArray]

    @classmethod
    def of(cls, columns: Mapping[str, pd.Series]) -> ControlDesign:
        """Make the design of columns (n,) of text or numbers; a missing cell is a label, or the mean, of its own.

        A column with one value is left out. Scores and bends are those of everybody here: no target is looked at.

        Raises
        ------
        InputError
            Where hardly two people share a label.
        """
        n = len(next(iter(columns.values()), ()))
        fixed, random, levels = [np.empty((n, 0))], [], {}
        for name, cells in columns.items():
            numbers = quantity(cells)
            if numbers is None:
                text = cells.astype(object).where(cells.notna(), "").astype(str)
                codes, known = pd.factorize(text, sort=True)
                if pd.to_numeric(cells, errors="coerce").isna().all() and len(known) > max(2, n / 2):
                    raise InputError(
                        f"control '{name}': found {len(known)} labels among {n} people, such as '{known[-1]}'; "
                        "expected labels that people share, such as sites, or numbers, with n/a where one is missing"
                    )
                if codes.max(initial=0) > 0:
                    levels[name] = codes.astype(np.int64)
                    random.append(np.eye(codes.max() + 1)[codes])
                continue
            known = np.isfinite(numbers)
            z = np.zeros(n)
            z[known] = normal_scores(numbers[known])
            fixed.append(z[:, None])
            random.append(_bends(z))
            if not known.all():
                random.append((~known).astype(float)[:, None])
        return cls(np.concatenate(fixed, axis=1), tuple(random), levels)

    def rows(self, taken: IntArray | BoolArray) -> ControlDesign:
        """The same columns of some of the people; one without controls is that of anybody."""
        if self.empty:
            return self
        levels = {name: codes[taken] for name, codes in self.levels.items()}
        return ControlDesign(self.fixed[taken], tuple(block[taken] for block in self.random), levels)

    @property
    def empty(self) -> bool:
        """Whether nothing differs between people."""
        return not self.random

    def columns(self) -> FloatArray:
        """All of them side by side (n, k), for a fit that penalises by itself."""
        return np.concatenate([self.fixed, *self.random], axis=1)

    def less(self, values: FloatArray) -> FloatArray:
        """Values (..., n) without what is linear in the columns; the same values where there is no control."""
        if self.empty:
            return values
        columns = self.columns()
        u, s, _ = thin_svd("controls", columns - columns.mean(axis=0), *columns.shape)
        basis = u[:, s > 1e-9 * s.max()]
        centred = values - values.mean(axis=-1, keepdims=True)
        return np.asarray(values - (centred @ basis) @ basis.T)


def quantity(cells: pd.Series) -> FloatArray | None:
    """Numbers (n,) of a column that is a quantity, NaN where a cell is missing; None of labels."""
    numbers = pd.to_numeric(cells, errors="coerce")
    if (numbers.isna() & cells.notna()).any() or numbers.nunique() <= MOST_LEVELS_OF_NUMBERS:
        return None
    return numbers.to_numpy(dtype=float)


def _bends(z: FloatArray) -> FloatArray:
    """Bends (n, k) of a quantity with scores z (n,), without what is linear in it, of unit mean square."""
    bends = np.maximum(z[:, None] - np.quantile(z, _KNOTS), 0.0) ** 2
    line = np.column_stack([np.ones(len(z)), z])
    bends -= line @ np.linalg.lstsq(line, bends, rcond=None)[0]
    return np.asarray(bends / np.maximum(np.sqrt((bends**2).mean(axis=0)), 1e-12))


def mixed_regression(
    fixed: FloatArray, random: tuple[FloatArray, ...], y: FloatArray, n_used: FloatArray
) -> FloatArray:
    """Coefficients of a regression on fixed columns and on blocks of random effects, by restricted maximum likelihood.

    Parameters
    ----------
    fixed : ndarray, shape (n, p)
        With the intercept.
    random : tuple of ndarray, shape (n, k) each
    y : ndarray, shape (n,)
    n_used : ndarray of bool, shape (n,)
        Rows to fit to.

    Returns
    -------
    ndarray, shape (p + sum of k,)

    Raises
    ------
    NumericalError
        Where the normal equations cannot be solved.
    """
    design = np.concatenate([fixed, *random], axis=1)
    rows, target = design[n_used.astype(bool)], y[n_used.astype(bool)]
    n, d = rows.shape
    gram, cross, square = rows.T @ rows, rows.T @ target, float(target @ target)
    ends = fixed.shape[1] + np.cumsum([0, *(block.shape[1] for block in random)])
    blocks = [slice(int(a), int(b)) for a, b in pairwise(ends)]
    penalties = np.full(len(blocks), 10.0)
    least = 1e-9 * max(float(np.trace(gram)) / d, 1e-12)
    for _ in range(_ROUNDS):
        diagonal = np.full(d, least)
        for block, penalty in zip(blocks, penalties, strict=True):
            diagonal[block] += penalty
        with factorising("regression on the controls", gram, n, d):
            inverse = np.linalg.inv(gram + np.diag(diagonal))
        found = inverse @ cross
        if not blocks:
            break
        kept = np.array([_width(b) - penalties[k] * np.trace(inverse[b, b]) for k, b in enumerate(blocks)])
        kept = np.maximum(kept, 1e-8)
        residual = max(square - 2 * float(found @ cross) + float(found @ gram @ found), 1e-12 * square, 1e-300)
        noise = residual / max(n - fixed.shape[1] - float(kept.sum()), 1.0)
        squares = np.array([float(found[b] @ found[b]) for b in blocks])
        new = np.clip(noise * kept / np.maximum(squares, 1e-300), *_RANGE)
        moved = float(np.abs(np.log(new / penalties)).max())
        penalties = new
        if moved < _SETTLED:
            break
    if not np.isfinite(found).all():
        raise NumericalError(f"regression on the controls: no finite coefficients, n = {n}, d = {d}")
    return np.asarray(found)


def _width(block: slice) -> int:
    return int(block.stop - block.start)
