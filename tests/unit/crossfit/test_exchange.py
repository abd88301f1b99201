"""Which rows may take each other's targets: whole groups of one size, or values of groups."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.crossfit.exchange import MANY, exchange_of


def test_independent_rows_are_permuted_as_before():
    rng, again = np.random.default_rng(5), np.random.default_rng(5)
    exchange = exchange_of(np.arange(9.0), None)
    expected = again.permuted(np.tile(np.arange(9), (4, 1)), axis=1)
    np.testing.assert_array_equal(exchange.orders(4, rng), expected)
    assert (exchange.groups, exchange.staying) == (9, 0)


def test_groups_of_equal_size_are_exchanged_whole_and_in_their_order():
    groups = np.array(["b", "a", "b", "c", "a", "d", "e", "c", "f", "f", "f"])
    target = np.array([1.0, 10, 2, 100, 20, 7, 8, 200, 5, 6, 4])
    exchange = exchange_of(target, groups)
    assert [own.tolist() for own in exchange.sets] == [[3, 4], [0, 1, 2]]
    assert (exchange.of_values, exchange.staying, exchange.distinct) == (False, 1, 12)
    orders = exchange.orders(300, np.random.default_rng(0))
    assert len(np.unique(orders, axis=0)) == 12
    for order in orders:
        taken = target[order]
        assert sorted(taken) == sorted(target)
        pairs = {tuple(taken[groups == name]) for name in "abc"}
        assert pairs == {(1.0, 2.0), (10.0, 20.0), (100.0, 200.0)}
        assert taken[-3:].tolist() == [5, 6, 4]


def test_values_of_groups_are_exchanged_whatever_their_sizes_are():
    groups = np.array([0, 0, 0, 1, 2, 2])
    exchange = exchange_of(np.array([5.0, 5, 5, 7, 9, 9]), groups)
    assert (exchange.of_values, exchange.staying, exchange.distinct) == (True, 0, 6)
    taken = np.array([5.0, 5, 5, 7, 9, 9])[exchange.orders(200, np.random.default_rng(0))]
    assert {tuple(row[[0, 3, 4]]) for row in taken} == {
        (5, 7, 9), (5, 9, 7), (7, 5, 9), (7, 9, 5), (9, 5, 7), (9, 7, 5)
    }  # fmt: skip
    assert all((row[:3] == row[0]).all() and row[4] == row[5] for row in taken)


@pytest.mark.parametrize("groups", [np.zeros(6), np.array([0, 1, 1, 2, 2, 2])])
def test_where_no_two_groups_are_of_one_size_nothing_can_be_exchanged(groups):
    exchange = exchange_of(np.arange(6.0), groups)
    assert exchange.sets == ()
    assert exchange.distinct == 1
    assert exchange.staying == exchange.groups


def test_many_exchanges_are_not_counted():
    assert exchange_of(np.arange(500.0), None).distinct == MANY
