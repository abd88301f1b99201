"""Modalities in the order of what they tell alone, with the differences of neighbours."""

from __future__ import annotations

import pandas as pd
import pytest

from brainpid.report.order import order, order_in_words

ALONE = {"t1": 0.25, "dwi": 0.75, "fmri": 0.125}


def pid(measure="mmi", reach=0.25):
    rows = [
        {"scope": "one_vs_rest", "modalities": m, "atom": atom, "bits": bits + shift}
        for m, bits in ALONE.items()
        for atom, shift in (("alone", 0.0), ("unique", 9.0))
    ]
    rows += [
        {"scope": "pair", "modalities": f"{a}+{b}", "atom": "unique", "bits": max(ALONE[a] - ALONE[b], 0)}
        for a in ALONE
        for b in ALONE
        if a != b
    ]
    table = pd.DataFrame(rows).assign(measure=measure)
    return table.assign(ci_low=table["bits"] - reach, ci_high=table["bits"] + reach)


def test_neighbours_of_the_order_and_which_are_told_apart():
    steps = order(pid(), ["t1", "dwi", "fmri"])
    assert [(one.more, one.less, one.row["bits"], one.shown) for one in steps] == [
        ("dwi", "t1", 0.5, True), ("t1", "fmri", 0.125, False),
    ]  # fmt: skip
    assert order_in_words(steps) == (
        "Alone, dwi tells 0.50 [0.25, 0.75] bits more than t1; t1 and fmri are not told apart."
    )


@pytest.mark.parametrize("table", [pid("idep"), pid().query("scope != 'pair'")])
def test_where_differences_are_not_told_there_is_no_order(table):
    assert order(table, ["t1", "dwi", "fmri"]) == []
    assert order_in_words([]) == ""
