"""Planted leaks are found, with who, where and how bad; nothing is found where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.features.findings import COLUMNS, findings_table
from brainpid.features.leakage import audit

N = 120


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k:04d}" for k in range(N // 2)] * 2,
            "cohort": np.repeat(["a", "b"], N // 2),
            "site": np.repeat(["s", "t"], N // 2),
            "age": rng.uniform(20, 80, N),
            "sex": rng.choice(["F", "M"], N),
        }
    )


@pytest.fixture
def tables(people):
    rng = np.random.default_rng(1)
    score = (people["age"].to_numpy() - 50) / 17
    return {
        m: pd.DataFrame(score[:, None] + rng.normal(size=(N, p))).add_prefix(f"{m}_")
        for m, p in (("t1", 15), ("dwi", 9))
    }


def splits(people, folds):
    rows = [
        people[["participant_id", "cohort"]].assign(repeat=0, fold=k, role=np.where(folds == k, "test", "train"))
        for k in range(2)
    ]
    return pd.concat(rows, ignore_index=True)


def found(people, tables, **more):
    return {one.finding: one for one in audit(people, tables, target="age", of_tables=["t1"], **more)}


def test_nothing_is_found_where_nothing_is_and_short_numbers_that_two_cohorts_have_are_chance(people, tables):
    assert found(people, tables) == {}
    assert list(findings_table([])) == list(COLUMNS)


def test_people_who_are_twice_in_a_study(people, tables):
    for table in tables.values():
        table.iloc[70] = table.iloc[3]
    tables["t1"].iloc[9] = tables["t1"].iloc[8] * (1 + 1e-4)
    folds = np.zeros(N, dtype=int)
    folds[70] = 1
    told = found(people, tables, splits=splits(people, folds))
    assert list(told) == ["equal_people", "near_equal_people"]
    equal, near = told.values()
    assert (equal.severity, equal.where, equal.n) == ("error", "a and b, t1, dwi", 1)
    assert equal.who == ("a/sub-0003 = b/sub-0010",)
    assert "1 of them on different sides of a split" in equal.words
    assert (near.severity, near.where, near.who) == ("warning", "a, t1", ("a/sub-0008 = a/sub-0009",))
    assert "0 of them on different sides of a split: one person under two labels counts twice" in near.words
    folds[70] = 0
    assert found(people, tables, splits=splits(people, folds))["equal_people"].severity == "warning"
    together = np.arange(N)
    together[70], together[9] = 3, 8
    assert found(people, tables, groups=together) == {}
    table = findings_table(told.values())
    assert table["severity"].tolist() == ["error", "warning"]
    assert table["who"].tolist() == ["a/sub-0003 = b/sub-0010", "a/sub-0008 = a/sub-0009"]


def test_labels_that_two_cohorts_have(people, tables):
    people.loc[[5, 65], "participant_id"] = "sub-CC110033"
    told = found(people, tables)["shared_labels"]
    assert (told.where, told.who) == ("a and b", ("a/sub-CC110033 = b/sub-CC110033",))
    assert found(people, tables, groups=np.arange(N) % 60) == {}


def test_short_numbers_are_no_chance_where_ages_are_the_same(people, tables):
    people.loc[60:, ["age", "sex"]] = people.loc[:59, ["age", "sex"]].to_numpy()
    assert found(people, tables)["shared_labels"].n == 60


@pytest.mark.parametrize(
    "label",
    [
        lambda age, k: f"sub-{age:.0f}{k:03d}",
        lambda age, k: f"sub-{k:03d}{99 - int(age)}",
        lambda age, k: f"sub-S{k}y{1950 + age:.0f}",
        lambda age, k: f"sub-{chr(65 + int(age) // 4)}x",
    ],
)
def test_labels_that_encode_age(people, tables, label):
    order = np.random.default_rng(2).permutation(N)
    people["participant_id"] = [label(age, k) for age, k in zip(people["age"], order, strict=True)]
    told = found(people, tables)
    assert set(told) - {"shared_labels"} == {"label_encodes_target"}
    assert told["label_encodes_target"].where == "b"  # the last of both cohorts
    assert "rank correlation" in told["label_encodes_target"].words


def test_sites_whose_ages_nobody_else_has(people, tables):
    people.loc[60:, "age"] += 70
    assert found(people, {})["site_tells_target"].n == 2
    people.loc[60:, "age"] -= 50
    assert "site_tells_target" not in found(people, {})


def test_relatives_that_nothing_keeps_together(people, tables):
    families = pd.DataFrame({"family_id": [f"f{k // 2}" for k in range(N)], "twin": ["yes", "no"] * (N // 2)})
    told = found(people, tables, families=families)
    assert list(told) == ["relatives_not_grouped"]
    assert (told["relatives_not_grouped"].n, told["relatives_not_grouped"].where) == (60, "column 'family_id'")
    assert told["relatives_not_grouped"].remedy == "give splits.group: family_id"
    assert found(people, tables, families=families, groups=np.arange(N) // 2) == {}
    apart = np.arange(N) // 2
    apart[1] = 999
    assert found(people, tables, families=families, groups=apart)["relatives_not_grouped"].who == ("f0",)


def test_files_of_two_people_with_the_same_bytes(people, tables):
    files = {
        ("a", "sub-0001"): {"t1 image": "ab"},
        ("b", "sub-0007"): {"t1 image": "ab"},
        ("a", "sub-0009"): {"x": "c"},
    }
    told = found(people, tables, files=files)["same_files"]
    assert (told.severity, told.who) == ("error", ("a/sub-0001 = b/sub-0007",))
    left_out = people.drop(index=1).reset_index(drop=True)
    assert found(left_out, {}, files=files) == {}


def test_versions_of_preprocessing(people, tables):
    def versions(**cohorts):
        return found(people, tables, pipelines={"t1": cohorts}).get("versions_differ")

    assert versions(a={"FreeSurfer 7.2.0": 60}, b={"FreeSurfer 7.2.0": 55}) is None
    assert versions(a={"fMRIPrep 23.1.0": 60, "FreeSurfer 7.2.0": 60}) is None
    told = versions(a={"FreeSurfer 7.2.0": 60}, b={"FreeSurfer 5.3.0": 60})
    assert told.who == ("a: FreeSurfer 7.2.0 (60 people)", "b: FreeSurfer 5.3.0 (60 people)")
    assert "within a cohort" in versions(a={"FreeSurfer 7.2.0": 30, "FreeSurfer 6.0.1": 30}).words
