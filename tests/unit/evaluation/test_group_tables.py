"""Tables of groups: which groups, references and cohorts have rows, and how well others are predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.training_group import TRAINED
from brainpid.core.errors import InputError
from brainpid.evaluation.group_tables import KEYS, group_table, groups_in_words, others_table, reference_of


def persons(n: int = 120) -> pd.DataFrame:
    """Two cohorts of one model; patients of both have 4 years more, and cohort b has carriers beside."""
    random = np.random.default_rng(0)
    cohort = np.where(np.arange(n) < n // 2, "a", "b")
    diagnosis = np.array(["control", "control", "patient", "carrier"])[np.arange(n) % 4]
    diagnosis = np.where((diagnosis == "carrier") & (cohort == "a"), "control", diagnosis)
    pad = random.normal(size=n) + 4.0 * (diagnosis == "patient")
    age = random.uniform(20, 80, n)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k}" for k in range(n)], "cohort": cohort, "site": cohort, "age": age,
            "model": "ridge", "brain_pad": 0.5 * pad, "brain_pad_corrected": pad, "information": 1.0,
            TRAINED: diagnosis == "control", "diagnosis": diagnosis,
        }
    )  # fmt: skip


def table(given: pd.DataFrame, trained: dict | None = None) -> pd.DataFrame:
    indexed = given.set_index(KEYS)
    cells = {"diagnosis": indexed["diagnosis"].mask(indexed["diagnosis"] == "none")}
    people = indexed.assign(sex="F")[["sex"]]
    return group_table(given, cells, people, trained or {}, confidence=0.95, seed=0, permutations=99)


def test_every_group_stands_against_those_trained_on():
    found = table(persons(), {"diagnosis": ("control",)})
    assert (found["reference"] == "control").all()
    rows = found[found["pad"] == "corrected"].set_index(["cohort", "group"])
    assert set(rows.index) == {
        ("a", "patient"), ("b", "patient"), ("b", "carrier"), ("pooled", "patient"), ("pooled", "carrier"),
    }  # fmt: skip
    assert rows.loc[("a", "patient"), "difference"] == pytest.approx(4, abs=0.8)
    assert rows.loc[("pooled", "patient"), "p_value"] == 0.01
    assert rows.loc[("pooled", "patient"), ["n", "n_reference", "left_out"]].sum() == 105  # without 15 carriers
    assert rows.loc[("pooled", "carrier"), "n_reference"] < 31  # of cohort b alone
    half = found[found["pad"] == "uncorrected"].set_index(["cohort", "group"])
    assert half.loc[("a", "patient"), "difference"] == pytest.approx(rows.loc[("a", "patient"), "difference"] / 2)
    assert half.loc[("a", "patient"), "p_value"] == rows.loc[("a", "patient"), "p_value"]


def test_without_a_training_group_the_most_frequent_group_is_the_reference_and_empty_cells_are_nobody():
    given = persons()
    given.loc[:9, "diagnosis"] = "none"
    found = table(given)
    assert set(found["reference"]) == {"control"}
    assert set(found["group"]) == {"patient", "carrier"}
    assert reference_of(pd.Series(["b", "a", None]), ()) == ("a",)
    assert reference_of(pd.Series(["b", "a"]), ("b", "c")) == ("b", "c")
    with pytest.raises(InputError, match="column 'x' has 13 values"):
        reference_of(pd.Series([str(k) for k in range(13)], name="x"), ())


def test_few_people_have_a_reason():
    given = persons()
    given["diagnosis"] = np.where(np.arange(120) < 5, "patient", "control")
    found = table(given)
    assert found["difference"].isna().all()
    assert (found["permutations"] == 0).all()
    assert found["reason"].str.contains("expected at least 10 of each").all()
    assert found["unadjusted"].notna().all()


def test_how_well_others_are_predicted():
    own = persons().assign(repeat=0, fold=0)
    own = own.assign(predicted_age=own["age"] + np.where(own[TRAINED], 1.0, -3.0))
    own = own.assign(pi_low=own["predicted_age"] - 2, pi_high=own["predicted_age"] + 2)
    cells = own.set_index(KEYS)["diagnosis"].mask(own.set_index(KEYS)["diagnosis"] == "carrier")
    predictions = own.drop(columns=["diagnosis", "information"])
    found = others_table(predictions, own.drop(columns="diagnosis"), cells, 0.95)
    assert found[["cohort", "group", TRAINED]].to_numpy().tolist() == [
        ["a", "control", True], ["a", "patient", False], ["b", "control", True], ["b", "n/a", False],
        ["b", "patient", False],
    ]  # fmt: skip
    assert found["mae"].round(9).tolist() == [1, 3, 1, 3, 3]
    assert found["bias"].round(9).tolist() == [1, -3, 1, -3, -3]
    assert found["coverage"].tolist() == [1, 0, 1, 0, 0]
    assert (found["information_bits"] == 1).all()


def test_women_and_men_are_compared_without_being_made_equal_in_sex():
    given = persons()
    sex = pd.Series(np.array(["F", "M"])[np.arange(len(given)) % 2], index=pd.MultiIndex.from_frame(given[KEYS]))
    given["brain_pad_corrected"] += 3.0 * (sex.to_numpy() == "M")
    found = group_table(given, {"sex": sex}, sex.to_frame("sex"), {}, confidence=0.95, seed=0, permutations=99)
    assert (found["reason"] == "").all()
    row = found[(found["cohort"] == "pooled") & (found["pad"] == "corrected")].iloc[0]
    assert row[["group", "reference"]].tolist() == ["M", "F"]
    # Every second of them: patients are every fourth from the third on, women alone.
    assert row["difference"] == pytest.approx(3.0 - 2.0, abs=1.0)


def test_people_who_do_not_take_part_tell_neither_reference_nor_groups():
    given = persons()
    cells = given.set_index(KEYS)["diagnosis"]
    away = pd.Series("away", index=pd.MultiIndex.from_tuples([("a", f"x{k}") for k in range(500)], names=KEYS))
    many = pd.concat([cells, away, away.set_axis([("b", f"y{k}") for k in range(500)])]).rename("diagnosis")
    many.index = pd.MultiIndex.from_tuples(many.index, names=KEYS)
    people = given.set_index(KEYS).assign(sex="F")[["sex"]]
    found = group_table(given, {"diagnosis": many}, people, {}, confidence=0.95, seed=0, permutations=9)
    assert set(found["reference"]) == {"control"}
    assert "away" not in set(found["group"])


def test_a_column_with_one_group_or_none_is_said():
    people = persons().assign(included=True)
    one = pd.Series("x", index=people.index, name="hand")
    said = groups_in_words(people, {"hand": one, "empty": one.where(one == "y").rename("empty")}, {})
    assert said == [
        "left out: hand: everybody has x; a comparison takes two groups",
        "left out: empty: nobody has a value; a comparison takes two groups",
    ]


def test_one_number_in_two_spellings_is_no_two_groups():
    with pytest.raises(InputError, match=r"groups: column 'dx' has numbers in two spellings, 1, 1.0;"):
        reference_of(pd.Series(["1", "1.0", None], name="dx"), ())
