"""Features that not everybody has: one order for all, and who lacks what."""

from __future__ import annotations

from brainpid.features.shared_names import difference, in_one_order, lacking


def test_what_others_have_comes_after_what_stands_before_it_there():
    assert in_one_order([("b", "c"), ("a", "b", "c2"), ("a", "d", "b", "c")]) == ("a", "d", "b", "c2", "c")
    assert in_one_order([]) == ()
    assert in_one_order([(), ("a",), ("z", "a")]) == ("z", "a")


def test_people_who_lack_the_same_are_named_together():
    names = {"one": ("a", "b"), "two": ("a", "b", "c"), "three": ("a", "b"), "four": ("b", "a")}
    assert lacking(names, ("a", "b", "c")) == ["one, three, four: c"]


def test_what_tells_two_sets_apart_is_named():
    words = difference(("a", "b", "x"), ("b", "a", "y"))
    assert words == "2 of 3 features are among the 3 of others; only here: x; not here: y"


def test_thousands_of_edges_that_some_people_lack_are_compared_once_and_not_for_each_other():
    edges = tuple(f"fc_{k}" for k in range(6000))
    names = {f"sub-{k:03d}": edges if k < 400 else edges[:k] + edges[k + 1 :] for k in range(500)}
    assert in_one_order(names.values()) == edges
    gaps = lacking(names, edges)
    assert (len(gaps), gaps[0]) == (100, "sub-400: fc_400")
