"""Which modality tells more by itself: the modalities in order, and whether neighbours are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pandas as pd

from brainpid.report.words import interval


class Step(NamedTuple):
    """Two neighbours in the order of what modalities tell alone.

    Attributes
    ----------
    more, less : str
        The modality that tells more, and the next one.
    row : Series
        By how much: the unique part of `more` beside `less`, which by `mmi` is the difference of what they tell
        alone, with `bits`, `ci_low` and `ci_high`.
    """

    more: str
    less: str
    row: pd.Series

    @property
    def shown(self) -> bool:
        """Whether the interval of the difference is above zero."""
        return bool(self.row["ci_low"] > 0)


def order(pid: pd.DataFrame, modalities: Sequence[str]) -> list[Step]:
    """Order modalities by what they tell alone.

    Parameters
    ----------
    pid : DataFrame
        Rows of ``aggregate/pid.tsv`` of one model, estimator and cohort; without rows of `mmi` there is no order.
    modalities : sequence of str

    Returns
    -------
    list of Step
        The first is of the two that tell most; one fewer than modalities.
    """
    own = pid[pid["measure"] == "mmi"].set_index(["scope", "modalities", "atom"])
    pairs = {key[1]: row for key, row in own.iterrows() if (key[0], key[2]) == ("pair", "unique")}
    if not pairs:
        return []
    alone = {m: own.loc[("one_vs_rest", m, "alone"), "bits"] for m in modalities}
    falling = sorted(modalities, key=lambda m: -alone[m])
    return [Step(a, b, pairs[f"{a}+{b}"]) for a, b in pairwise(falling)]


def order_in_words(steps: Sequence[Step], digits: int = 2) -> str:
    """One sentence of who tells more than whom; empty where there is no order."""
    told = [
        f"{one.more} tells {interval(one.row, digits)} bits more than {one.less}"
        if one.shown
        else f"{one.more} and {one.less} are not told apart"
        for one in steps
    ]
    return f"Alone, {'; '.join(told)}." if told else ""
