"""A block says who has values, whatever its source is, and keeps what is known of its features."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from brainpid.cohort.participants import EXCLUDED, FAIL, SUCCESS, UNAVAILABLE
from brainpid.commands.extract import _block
from brainpid.core.errors import InputError
from brainpid.features.block import FeatureBlock, join_people
from brainpid.features.person_results import PersonResult, keep, kept
from brainpid.features.store import read_features, read_summary, write_features

NAN, INF = np.nan, np.inf


def block(values, status=None, names=("x", "y"), labels="abcdefgh", regions=()) -> FeatureBlock:
    values = np.array(values, dtype=float)
    n = len(values)
    status = status or (SUCCESS,) * n
    reason = tuple("" if state == SUCCESS else "said before" for state in status)
    return FeatureBlock("t1", tuple(labels[:n]), names, ("mm",) * len(names), values, status, reason, regions)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([NAN, NAN], "none of the 2 features has a value"),
        ([INF, 2.0], "x is inf, expected a finite number"),
        ([NAN, -INF], "y is -inf, expected a finite number"),
        ([INF, INF], "x is inf, expected a finite number (2 such features)"),
        ([1.0, 1e39], "y is 1e+39, expected a finite number"),  # what float32 cannot hold
    ],
)
def test_a_success_without_sense_is_a_failure_with_its_reason(row, reason):
    found = block([[1, 2], row, [NAN, 4]])
    assert found.status == (SUCCESS, FAIL, SUCCESS)
    assert found.reason == ("", reason, "")
    assert np.isfinite(found.values[0]).all()
    assert not np.isinf(found.values).any()
    assert found.present.tolist() == [True, False, True]


def test_who_has_another_status_keeps_it_and_its_reason():
    found = block([[NAN, NAN], [INF, 1], [1, 2]], (UNAVAILABLE, EXCLUDED, FAIL))
    assert found.status == (UNAVAILABLE, EXCLUDED, FAIL)
    assert set(found.reason) == {"said before"}
    assert not np.isinf(found.values).any()


def test_people_whose_features_are_not_known_yet_keep_their_success():
    assert block(np.empty((2, 0)), names=()).status == (SUCCESS, SUCCESS)


def test_results_of_images_become_a_block_with_the_regions_of_the_first(tmp_path):
    regions = {"z_a__b": ("a", "b"), "gm_a": ("a",)}
    units = {"z_a__b": "1", "gm_a": "mm^3", "icv": "mm^3"}
    values = {"sub-2": [0.5, 2.0, 3.0], "sub-3": [INF, 2.0, 3.0], "sub-4": [NAN, NAN, NAN]}
    results = [PersonResult.without_features("sub-1", "k", FAIL, "no brain")] + [
        replace(
            PersonResult.without_features(label, "k", SUCCESS, ""),
            values=dict(zip(units, own, strict=True)),
            units=units,
            regions=regions,
        )
        for label, own in values.items()
    ]
    found = _block(results, "t1")
    assert found.status == (FAIL, SUCCESS, FAIL, FAIL)
    assert found.reason[2] == "z_a__b is inf, expected a finite number"
    assert found.regions == (("a", "b"), ("a",), ())
    other = replace(block([[1, 2, 3]], names=found.names, labels=["sub-5"]), units=found.units)
    joined = join_people([found, other], [*found.participant_id, "sub-5"], True)
    assert joined.regions == found.regions
    write_features(tmp_path / "a.h5", "a", [joined], {})
    assert read_features(tmp_path / "a.h5", "t1").regions == found.regions
    assert read_summary(tmp_path / "a.h5", "t1").regions == found.regions


def test_kept_results_carry_regions(tmp_path):
    result = replace(
        PersonResult.without_features("sub-1", "key", SUCCESS, ""),
        values={"x": 1.0},
        units={"x": "1"},
        regions={"x": ("a", "b")},
    )
    keep(tmp_path, result)
    found = kept(tmp_path, "sub-1", "key", {}, "/")
    assert _block([found], "fmri").regions == (("a", "b"),)
    assert "regions" in json.loads((tmp_path / "sub-1.json").read_text())


def test_the_summary_is_of_those_who_have_the_modality(tmp_path):
    values = [[1, 5, NAN], [3, 5, NAN], [2, NAN, NAN], [99, 99, 99]]
    own = block(values, (SUCCESS, SUCCESS, SUCCESS, FAIL), ("x", "same", "void"))
    write_features(tmp_path / "a.h5", "a", [own], {})
    for found in (own.summary(), read_summary(tmp_path / "a.h5", "t1")):
        np.testing.assert_array_equal(found.known, [3, 2, 0])
        np.testing.assert_array_equal(found.low, [1, 5, NAN])
        np.testing.assert_array_equal(found.high, [3, 5, NAN])
        assert found.names == own.names
        assert found.units == own.units
        assert found.reason == own.reason
        assert found.present.tolist() == [True] * 3 + [False]
    nobody = block([[NAN, NAN]], (FAIL,)).summary()
    assert nobody.known.tolist() == [0, 0]
    assert np.isnan(nobody.low).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="1 regions"):
        block([[1, 2]], regions=(("a",),))


def part(people: tuple[str, ...], values: list[list[float]], names: tuple[str, ...] = ("x", "y")) -> FeatureBlock:
    status = tuple("SUCCESS" if row and np.isfinite(row).any() else "FAIL" for row in values)
    reason = tuple("" if state == "SUCCESS" else "broken" for state in status)
    table = np.array(values, dtype=float).reshape(len(people), len(names))
    return FeatureBlock("t1", people, names, ("mm^3",) * len(names), table, status, reason)


def test_parts_are_joined_in_the_order_of_the_people():
    parts = [part(("c", "a"), [[5, 6], [1, 2]]), part(("d",), [[]], ()), part(("b",), [[3, 4]])]
    joined = join_people(parts, ["a", "b", "c", "d"], True)
    np.testing.assert_array_equal(joined.values, [[1, 2], [3, 4], [5, 6], [np.nan, np.nan]])
    assert joined.status == ("SUCCESS", "SUCCESS", "SUCCESS", "FAIL")
    assert joined.reason == ("", "", "", "broken")
    assert joined.units == ("mm^3", "mm^3")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([part(("a",), [[1, 2]])], "parts and participants differ, for example b"),
        ([part(("a", "b"), [[1, 2], [3, 4]]), part(("a",), [[1, 2]])], "parts and participants differ"),
        (
            [part(("a",), [[1, 2]]), part(("b",), [[1, 2]], ("w", "z"))],
            "must have the same features, and no feature is known in most: of a 0 of 2 features .*; only here: x, y",
        ),
        ([part(("a", "b"), [[], []], ())], "nobody of 2 participants has it: broken"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, message):
    with pytest.raises(InputError, match=message):
        join_people(parts, ["a", "b"], True)


def result(person, **values):
    return replace(
        PersonResult.without_features(person, "k", SUCCESS, ""), values=values, units=dict.fromkeys(values, "mm")
    )


def test_a_feature_that_one_person_lacks_is_not_known_in_that_person(caplog):
    people = [result("sub-1", a=1, c=3), result("sub-2", a=4, b=5, c=6), result("sub-3", a=7, b=8, c=9)]
    found = _block(people, "t1")
    assert found.names == ("a", "b", "c")
    np.testing.assert_array_equal(found.values, [[1, NAN, 3], [4, 5, 6], [7, 8, 9]])
    assert found.status == (SUCCESS,) * 3
    assert "t1: features that others have are n/a in sub-1: b" in caplog.text
    caplog.clear()
    whole = join_people([_block(people[:1], "t1"), _block(people[1:], "t1")], ["sub-3", "sub-1", "sub-2"], True)
    assert whole.names == ("a", "b", "c")
    np.testing.assert_array_equal(whole.values, [[7, 8, 9], [1, NAN, 3], [4, 5, 6]])
    assert "t1: features that others have are n/a in sub-1: b" in caplog.text


def test_one_who_was_measured_by_something_else_fails_and_stops_nobody():
    others = [result(f"sub-{k}", a=k, b=k, c=k) for k in range(3)]
    odd = result("sub-9", a=1, x=1, y=1)
    # Alone with one other in a shard, where it could not be told who is odd.
    found = join_people(
        [_block([others[0], odd], "t1"), _block(others[1:], "t1")], ["sub-0", "sub-1", "sub-2", "sub-9"], True
    )
    assert found.status == (SUCCESS, SUCCESS, SUCCESS, FAIL)
    assert "1 of 3 features are among the 3 of others; only here: x, y; not here: b, c" in found.reason[3]
    few = join_people(
        [_block([*others, result("sub-9", a=NAN, b=NAN, c=1.0)], "t1")], ["sub-0", "sub-1", "sub-2", "sub-9"], True
    )
    assert few.status == (SUCCESS,) * 4


def test_a_table_may_have_columns_that_few_have():
    joined = join_people([block([[1, NAN], [NAN, 2]])], ["a", "b"], False)
    assert joined.status == (SUCCESS, SUCCESS)


def test_one_feature_in_two_units_is_refused():
    other = replace(part(("b",), [[3, 4]]), units=("mm^3", "1"))
    with pytest.raises(InputError, match=r"y is in mm\^3 and in 1"):
        join_people([part(("a",), [[1, 2]]), other], ["a", "b"], False)
