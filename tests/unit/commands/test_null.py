"""The null of each cohort is drawn for that cohort alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from brainpid.cli import main
from brainpid.cohort.participants import SUCCESS
from brainpid.config.analysis import Null
from brainpid.config.slices import NullSettings
from brainpid.core.files import write_tsv
from brainpid.crossfit.null import null_of_table, pool_nulls
from brainpid.features.block import FeatureBlock
from brainpid.features.store import write_features

N, PERMUTATIONS = 60, 600


@pytest.fixture(scope="module")
def nulls(tmp_path_factory):
    """Nulls of two cohorts whose people are the same."""
    folder = tmp_path_factory.mktemp("null")
    rng = np.random.default_rng(0)
    labels, found = tuple(f"sub-{k}" for k in range(N)), {}
    age = rng.uniform(20, 80, N)
    values = {m: rng.normal(size=(N, 3)) for m in ("t1", "dwi")}
    sheets = [
        pd.DataFrame({"participant_id": labels, "cohort": cohort, "site": "s", "age": age, "included": True}).assign(
            **{f"{m}_status": SUCCESS for m in values}
        )
        for cohort in ("a", "b")
    ]
    write_tsv(folder / "participants.tsv", pd.concat(sheets))
    chosen = pd.DataFrame([(m, f, True) for m in values for f in "xyz"], columns=["modality", "feature", "included"])
    write_tsv(folder / "features.tsv", chosen)
    for cohort in ("a", "b"):
        blocks = [
            FeatureBlock(m, labels, ("x", "y", "z"), ("1",) * 3, block, (SUCCESS,) * N, ("",) * N)
            for m, block in values.items()
        ]
        write_features(folder / f"{cohort}.h5", cohort, blocks, {})
        null = Null(permutations=PERMUTATIONS, folds=3)
        settings = NullSettings(
            modalities=("t1", "dwi"), seed=0, group=None, null=null, controls=(), people={}
        ).model_dump_json()
        code = main(
            ["null", "--cohort", cohort, "--participants", f"{folder}/participants.tsv", "--features",
             f"{folder}/{cohort}.h5", "--chosen", f"{folder}/features.tsv", "--settings", settings,
             "--out", f"{folder}/{cohort}.tsv"]
        )  # fmt: skip
        assert code == 0
        found[cohort] = null_of_table(pd.read_csv(folder / f"{cohort}.tsv", sep="\t"))
    return found | {"folder": folder}


def test_two_cohorts_of_the_same_people_have_other_permutations(nulls):
    a, b = (null.total[1:] for null in (nulls["a"], nulls["b"]))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.2
    assert not np.isin(np.round(a, 12), np.round(b, 12)).any()


def test_the_pooled_null_is_as_narrow_as_that_of_independent_ones(nulls):
    """The mean of two independent nulls of one variance has half of it; of the same permutations it has all of it."""
    own = np.mean([nulls[cohort].total[1:].var() for cohort in "ab"])
    assert pool_nulls({cohort: nulls[cohort] for cohort in "ab"}).total[1:].var() / own == pytest.approx(0.5, abs=0.1)


def test_without_permutations_standard_errors_are_estimated_all_the_same(nulls, tmp_path):
    folder = nulls["folder"]
    settings = NullSettings(
        modalities=("t1", "dwi"), seed=0, group=None, null=Null(permutations=0, folds=3), controls=(), people={}
    )
    code = main(
        ["null", "--cohort", "a", "--participants", f"{folder}/participants.tsv", "--features", f"{folder}/a.h5",
         "--chosen", f"{folder}/features.tsv", "--settings", settings.model_dump_json(), "--out", f"{tmp_path}/a.tsv"]
    )  # fmt: skip
    assert code == 0
    assert pd.read_csv(tmp_path / "a.tsv", sep="\t").empty
    told, tested = (json.loads(path.read_text()) for path in (tmp_path / "a.json", folder / "a.json"))
    assert told["se_factor"] == tested["se_factor"]
    assert 1 <= told["se_factor"] < 2.5
    assert "se_factor_assumed_because" not in told


@pytest.mark.parametrize(("sizes", "staying"), [([3] * 12 + [2], 1), ([3, 4, 5, 6], 4)])
def test_groups_are_exchanged_as_wholes_or_there_are_no_p_values(tmp_path, caplog, sizes, staying):
    rng = np.random.default_rng(0)
    family = np.repeat(np.arange(len(sizes)), sizes)
    n = len(family)
    labels = tuple(f"sub-{k}" for k in range(n))
    own = rng.normal(size=(len(sizes), 30))[family]
    age = rng.uniform(20, 80, len(sizes))[family] + rng.normal(size=n)
    people = pd.DataFrame({"participant_id": labels, "cohort": "a", "site": "s", "age": age, "included": True})
    write_tsv(tmp_path / "participants.tsv", people.assign(t1_status=SUCCESS, dwi_status=SUCCESS))
    sheet = people[["participant_id", "cohort", "age"]].assign(site="one", sex="F", family=[f"f{k}" for k in family])
    write_tsv(tmp_path / "sheet.tsv", sheet.iloc[::-1])
    names = tuple(f"x{k}" for k in range(30))
    chosen = [(m, f, True) for m in ("t1", "dwi") for f in names]
    write_tsv(tmp_path / "features.tsv", pd.DataFrame(chosen, columns=["modality", "feature", "included"]))
    blocks = [
        FeatureBlock(m, labels, names, ("1",) * 30, own + 0.1 * rng.normal(size=own.shape), (SUCCESS,) * n, ("",) * n)
        for m in ("t1", "dwi")
    ]
    write_features(tmp_path / "a.h5", "a", blocks, {})
    settings = NullSettings(
        modalities=("t1", "dwi"), seed=0, group="family", null=Null(permutations=99, folds=3), controls=(), people={}
    )
    with caplog.at_level("INFO"):
        code = main(
            ["null", "--cohort", "a", "--participants", f"{tmp_path}/participants.tsv", "--features",
             f"{tmp_path}/a.h5", "--chosen", f"{tmp_path}/features.tsv", "--sheets", f"{tmp_path}/sheet.tsv",
             "--settings", settings.model_dump_json(), "--out", f"{tmp_path}/null.tsv"]
        )  # fmt: skip
    assert code == 0
    table = pd.read_csv(tmp_path / "null.tsv", sep="\t")
    told = json.loads((tmp_path / "null.json").read_text())["exchanged"]
    widened = json.loads((tmp_path / "null.json").read_text())
    assert (widened["encoder"], widened["folds"]) == ("ridge", 3)
    if len(sizes) < 10:
        assert widened["se_factor"] == 1.25
        assert "cannot be told from 4 groups" in widened["se_factor_assumed_because"]
    else:
        assert "se_factor_assumed_because" not in widened
        assert widened["se_factor"] >= 1
    assert told == {"what": "whole groups of equal size", "groups": len(sizes), "staying": staying}
    if staying == len(sizes):
        assert table.empty
        assert "cohort 'a' has no null and no p-values: 18 people with every modality are of 4 group(s)" in caplog.text
    else:
        assert "12 of 13 groups; 1 are of a size that occurs once and stay" in caplog.text
        assert (table["total"] >= table["total"][0] - 1e-12).mean() > 0.05
