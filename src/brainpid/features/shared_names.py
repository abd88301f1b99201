"""Features that not everybody of a cohort has: one order for all of them, and where two pipelines are mixed.

A region that one person's pipeline did not find is not known in that person, and is no fault of others. People who
share little with the rest were measured by something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from brainpid.core.errors import list_some

Names = tuple[str, ...]
LEAST_SHARED = 0.5
"""Part of the smaller of two sets of features that they share, below which they are of different measurements."""


def in_one_order(names: Iterable[Names]) -> Names:
    """All features, in the order of the largest set; what only others have comes after what stands before it there.

    Examples
    --------
    >>> in_one_order([("a", "c"), ("a", "b", "d"), ("a", "b", "c", "d")])
    ('a', 'b', 'c', 'd')
    """
    distinct = sorted(dict.fromkeys(names), key=lambda own: -len(own))  # stable
    after = {"": ""}  # what stands next to each name; the empty one is before the first and behind the last
    for own in distinct:
        before = ""
        for name in own:
            if name not in after:
                after[name], after[before] = after[before], name
            before = name
    joined = [after[""]]
    while joined[-1]:
        joined.append(after[joined[-1]])
    return tuple(joined[:-1])


def share_little(one: Names, other: Names) -> bool:
    """Whether two sets of features are of different measurements; a part of a set is of the same."""
    return len(set(one) & set(other)) < LEAST_SHARED * min(len(one), len(other))


def difference(own: Names, others: Names) -> str:
    """What tells a set of features from the usual one, in words."""
    here, there = set(own), set(others)
    words = [f"{len(here & there)} of {len(own)} features are among the {len(others)} of others"]
    for what, names in (
        ("only here", [n for n in own if n not in there]),
        ("not here", [n for n in others if n not in here]),
    ):
        if names:
            words.append(f"{what}: {list_some(names)}")
    return "; ".join(words)


def lacking(names: Mapping[str, Names], everything: Names) -> list[str]:
    """Who lacks which features, one text for all who lack the same."""
    alike: dict[Names, list[str]] = {}
    for owner, own in names.items():
        alike.setdefault(own, []).append(owner)
    kinds: dict[Names, list[str]] = {}
    for own, owners in alike.items():
        has = set(own)
        if missing := tuple(name for name in everything if name not in has):
            kinds.setdefault(missing, []).extend(owners)
    return [f"{list_some(owners, 5)}: {list_some(missing, 6)}" for missing, owners in kinds.items()]
