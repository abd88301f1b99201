"""The result of a decomposition: one row for each atom, how to read it, and what it cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError, did_you_mean, list_some
from brainpid.core.modalities import SubsetKey
from brainpid.core.names import Measure

if TYPE_CHECKING:
    import pandas as pd

MIN_PEOPLE_FOR_SHARES = 300
"""Fewest people for shares and for an order of modalities: the order is right in 72% of draws at 150, 89% at 300."""
SMALL_ADDED_BITS = 0.02
MIN_PEOPLE_FOR_SMALL_ADDED = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """One atom, as one line of ``aggregate/pid.tsv``; information is in bits.

    Attributes
    ----------
    scope : {"all", "one_vs_rest", "pair"}
    modalities : str
        Names joined with ``+``.
    atom : str
        ``total``, ``unique``, ``redundant``, ``synergy``; in one_vs_rest also ``alone``, ``added``, ``rest_unique``.
    bits, bits_raw : float
        From debiased informations, corrected for the bias at a kink, and from plug-in informations as they are; never
        clipped.
    se : float
        Of the atom linearised at the estimate. NaN for a known covariance, and for an atom that sits at its boundary (0
        because another modality is stronger, say): there it does not move with the data to first order.
    ci_low, ci_high : float
        Values that the atom takes within the joint confidence region of the informations, see
        `brainpid.pid.projection`; they hold `bits`. NaN for a known covariance alone.
    share : float
        Part of the total; NaN below `MIN_PEOPLE_FOR_SHARES` people or where the total is not positive.
    p_value : float
        NaN until a permutation of the target with refitting fills it in (``dataclasses.replace``).
    """

    scope: str
    modalities: str
    atom: str
    bits: float
    bits_raw: float
    se: float
    ci_low: float
    ci_high: float
    share: float
    p_value: float = float("nan")


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Atoms of the information that modalities have about one target.

    Attributes
    ----------
    measure : {"mmi", "idep"}
    modalities : tuple of str
        In the caller's order.
    rows : tuple of Row
        One for each atom, with keys that depend on `measure` and `modalities` only.
    information : dict of frozenset of str to float
        Information of each subset, in bits, averaged over repeats; single modalities first, all together last.
    warnings : tuple of str
        What this decomposition cannot say, one sentence each.
    n : int or None
        Number of people; None for a known covariance.
    influence : ndarray, shape (n, rows), or None
        Influence of each person on each row, in bits, averaged over repeats and before the `se_factor`.
    covariance : ndarray, shape (K, K), or None
        Sampling covariance of `information`, in its order, in bits squared; None where the informations are known.
    """

    measure: Measure
    modalities: tuple[str, ...]
    rows: tuple[Row, ...]
    information: dict[SubsetKey, float]
    warnings: tuple[str, ...]
    n: int | None = None
    influence: FloatArray | None = None
    covariance: FloatArray | None = None

    def atom(self, scope: str, modalities: str | Iterable[str], atom: str) -> Row:
        """Return one row, for instance ``atom("one_vs_rest", "t1", "added")``.

        Parameters
        ----------
        scope, atom : str
        modalities : str or iterable of str
            Names, joined with ``+`` or as a sequence; their order is that of the rows.

        Raises
        ------
        InputError
            Where there is no such row.
        """
        label = modalities if isinstance(modalities, str) else "+".join(modalities)
        for row in self.rows:
            if (row.scope, row.modalities, row.atom) == (scope, label, atom):
                return row
        valid = (f"{row.scope} {row.modalities} {row.atom}" for row in self.rows)
        raise InputError(
            f"no atom '{scope} {label} {atom}' under {self.measure}; {did_you_mean(f'{scope} {label} {atom}', valid)}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the rows as a table.

        Returns
        -------
        DataFrame
            Columns ``measure scope modalities atom bits bits_raw se ci_low ci_high share p_value n``.
        """
        import pandas as pd

        frame = pd.DataFrame([asdict(row) for row in self.rows])
        frame.insert(0, "measure", self.measure)
        frame["n"] = np.nan if self.n is None else self.n
        return frame


def warnings_about(rows: Sequence[Row], n: int | None, measure: Measure) -> Iterator[str]:
    """Say in plain sentences what the rows of a decomposition from `n` people (None: known covariance) cannot tell."""
    if n is not None and n < MIN_PEOPLE_FOR_SHARES:
        yield (
            f"n = {n} is below {MIN_PEOPLE_FOR_SHARES}: no shares are given, and modalities have an order only where "
            "the interval of their difference ('unique' of the pair) is above 0."
        )
    added = [row for row in rows if row.scope == "one_vs_rest" and row.atom == "added"]
    if (
        n is not None
        and n < MIN_PEOPLE_FOR_SMALL_ADDED
        and (small := [row.modalities for row in added if row.bits < SMALL_ADDED_BITS])
    ):
        yield (
            f"{list_some(small)} add less than {SMALL_ADDED_BITS} bits to the other modalities; fewer than "
            f"{MIN_PEOPLE_FOR_SMALL_ADDED} people cannot tell this from zero."
        )
    if measure == "mmi":
        yield "Under mmi at most one modality has unique information, by construction; a zero there is no finding."
    yield "One-versus-rest rows of different modalities overlap and do not add up to the total."
