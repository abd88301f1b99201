"""A fold that a model cannot be fitted to is refused before anything is trained."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.participants import SUCCESS, UNAVAILABLE
from brainpid.config.slices import LimitSettings
from brainpid.core.errors import InputError
from brainpid.features.training_sets import fewest_and_needed, refuse_untrainable


def limits(*models: str, members: int = 10, coverage: float = 0.9) -> LimitSettings:
    return LimitSettings(models=models or ("ridge",), members=members, interval_coverage=coverage)


def people(n: int, ages=None, without_dwi: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cohort": "a",
            "site": "s",
            "participant_id": [f"sub-{k}" for k in range(n)],
            "age": np.arange(n, dtype=float) if ages is None else np.asarray(ages, dtype=float),
            "t1_status": SUCCESS,
            "dwi_status": [UNAVAILABLE] * without_dwi + [SUCCESS] * (n - without_dwi),
        }
    )


def splits(table: pd.DataFrame, tested: list[int]) -> pd.DataFrame:
    role = np.where(np.isin(np.arange(len(table)), tested), "test", "train")
    return table[["cohort", "participant_id"]].assign(repeat=0, fold=3, role=role)


def refuse(table, tested, given, groups=None):
    refuse_untrainable(table, groups, splits(table, tested), ["t1", "dwi"], given)


def test_the_most_demanding_model_decides():
    table = people(20)
    refuse(table, list(range(10)), limits("ridge"))
    with pytest.raises(InputError, match=r"repeat 0, fold 3: 9 training people .* at least 10 for ridge. Leave"):
        refuse(table, list(range(11)), limits("ridge"))
    with pytest.raises(InputError, match=r"10 training people .* at least 20 for pidreg\..*members: 5 takes 10"):
        refuse(table, list(range(10)), limits("ridge", "pidreg"))
    refuse(table, list(range(10)), limits("pidreg", members=5))


def test_a_network_that_reads_its_own_weights_needs_people_to_read():
    own = limits("pidreg").model_copy(update={"own_weights": True})
    with pytest.raises(InputError, match=r"29 training people .* at least 30 for pidreg"):
        refuse(people(30), [0], own)
    refuse(people(31), [0], own)


def test_training_people_of_one_target_are_refused():
    with pytest.raises(InputError, match=r"all 18 training people with every modality .* have the same target, 73"):
        refuse(people(20, [60, 61] + [73] * 18), [0, 1], limits())
    # Those who lack a modality differ, and the line of the age bias of both modalities has the others alone.
    mixed = people(40, [*range(40, 60), *[73] * 20], without_dwi=20)
    with pytest.raises(InputError, match="all 19 training people with every modality"):
        refuse(mixed, [0, 39], limits())


def test_an_interval_needs_people_with_what_a_tested_person_has():
    """Everybody has t1, 12 of the training people dwi too: enough for those who have both at 0.9, not at 0.95."""
    table = people(40, without_dwi=26)
    refuse(table, [38, 39], limits())
    with pytest.raises(InputError, match=r"12 training people have t1\+dwi, as some who are tested.*at least 19"):
        refuse(table, [38, 39], limits(coverage=0.95))
    refuse(table, [0, 1], limits(coverage=0.95))  # nobody who is tested has both


def test_people_with_every_modality_must_not_be_of_one_group():
    groups = np.array([0] * 15 + [1] * 15)
    with pytest.raises(InputError, match=r"the 15 training people with every modality .* are of 1 group"):
        refuse(people(30, without_dwi=15), [0], limits(), groups)
    refuse(people(30), [0], limits(), groups)
    own = limits("pidreg", members=3).model_copy(update={"own_weights": True})
    with pytest.raises(InputError, match=r"are of 2 group.s. .* expected at least 3 for pidreg with the recipe paper"):
        refuse(people(60), [0], own, np.arange(60) % 2)
    refuse(people(60), [0], own, np.arange(60) % 3)


def test_few_members_need_people_to_read_the_fusion_weights_from():
    with pytest.raises(InputError, match=r"4 training people .* at least 5 for pidreg"):
        refuse(people(14), list(range(10)), limits("pidreg", members=2, coverage=0.5))
    refuse(people(15), list(range(10)), limits("pidreg", members=2, coverage=0.5))


def test_how_many_people_are_there_and_needed():
    table = people(30, without_dwi=5)
    assert fewest_and_needed(table, splits(table, [28, 29]), ["t1", "dwi"], limits("ridge")) == (23, 10)
    assert fewest_and_needed(table, splits(table, [0, 1]), ["t1", "dwi"], limits("ridge", "pidreg")) == (25, 20)
    assert fewest_and_needed(table, splits(table, [0, 1]), ["t1", "dwi"], limits(coverage=0.95)) == (25, 19)


def test_a_site_that_is_tested_as_a_whole_is_refused_where_harmonisation_refuses_it():
    table = people(30).assign(site=["small"] * 3 + ["s"] * 27)
    known = limits().model_copy(update={"known_sites_only": True})
    refuse(table, [0, 1, 2, 3], limits())
    refuse(table, [0, 1, 3], known)
    with pytest.raises(
        InputError, match=r"repeat 0, fold 3: all people of site\(s\) small \(3\) are predicted, .*error"
    ):
        refuse(table, [0, 1, 2, 3], known)
