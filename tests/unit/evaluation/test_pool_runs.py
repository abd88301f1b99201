"""Runs pooled from what they tell of their cohorts are one run of all cohorts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from prediction_tables import MODALITIES, out_of_fold

from brainpid.config.analysis import DecompositionSettings
from brainpid.config.section import parse_section
from brainpid.config.slices import AggregateSettings
from brainpid.core.errors import InputError
from brainpid.crossfit.null import Null
from brainpid.evaluation.accuracy import accuracy_of_cohorts, accuracy_table
from brainpid.evaluation.coverage import coverage_table
from brainpid.evaluation.information import decompose_all, decompose_cohorts
from brainpid.evaluation.pool_runs import check_alike, joined, mixed_in_words, pool_runs
from brainpid.evaluation.pool_summary import FEWEST, Found, PoolSummary, cohort_summaries, pool_summary
from brainpid.evaluation.within_cohort import WithinCohorts

RANGE = (0.0, 120.0)
SETTINGS = AggregateSettings(
    cohorts=("a",), modalities=("t1", "dwi"), models=("ridge",), costs={}, scheme="kfold", group=None,
    target_column="age", target_units="years", target_range=RANGE, interval_coverage=0.9,
    pid=DecompositionSettings(), controls=(), people={}, harmonised="none", trained_on="everybody",
)  # fmt: skip
FEATURES = pd.DataFrame(
    {"modality": ["t1", "t1", "dwi"], "feature": ["gm", "wm", "fa"], "units": ["mm3", "mm3", None], "included": True}
)


def nulls(cohorts: list[str]) -> WithinCohorts:
    """A null of each cohort, with draws of its own."""
    rng = np.random.default_rng(1)
    drawn = {c: rng.normal(0.0, 0.05, (3, 400)) for c in cohorts}
    found = {c: Null(d[0] + np.eye(1, 400)[0] * 0.2, {"t1": d[1], "dwi": d[2]}, 100) for c, d in drawn.items()}
    return WithinCohorts(found, "ridge", 5, {"a": {"": 1.1}})


def people(n: int = 60) -> pd.DataFrame:
    """Cohorts a and b of different size, and intervals."""
    rows = out_of_fold(n)
    person = rows["participant_id"].str.removeprefix("sub-").astype(int)
    return rows[(rows["cohort"] == "a") | (person < n - 7)]


def summary(rows: pd.DataFrame, within: WithinCohorts, settings: AggregateSettings = SETTINGS) -> PoolSummary:
    """Summary as it comes back from its file."""
    found = Found(
        rows,
        decompose_cohorts(rows, MODALITIES, settings.pid, within),
        accuracy_of_cohorts(rows, MODALITIES, "kfold", 0.95),
        within,
    )
    told = pool_summary(cohort_summaries(found, MODALITIES, RANGE, 0.9), FEATURES, within, settings)
    return parse_section(PoolSummary, json.loads(json.dumps(told.model_dump(mode="json"))), "pool.json")


def by_cohort(rows: pd.DataFrame, within: WithinCohorts) -> dict[str, PoolSummary]:
    return {c: summary(own, within) for c, own in rows.groupby("cohort")}


@pytest.fixture(scope="module")
def apart() -> tuple[PoolSummary, PoolSummary]:
    """Summaries of a and b by themselves, without a null."""
    first, second = by_cohort(people(), nulls([])).values()
    return first, second


def test_separate_runs_pool_to_the_joint_run():
    rows, within = people(), nulls(["a", "b"])
    runs = by_cohort(rows, within)
    check_alike(runs)
    found = pool_runs(list(runs.values()))
    pid, pooling = decompose_all(rows, MODALITIES, SETTINGS.pid, within)
    tested = pid["p_value"].notna() & (pid["cohort"] == "pooled")
    for own, joint in (
        (found.pid, pid.assign(age_low=np.nan, age_high=np.nan)),
        (found.pooling, pooling),
        (found.accuracy, accuracy_table(rows, MODALITIES, "kfold", 0.95)),
    ):
        own = own.assign(p_value=own["p_value"].mask(tested)) if "p_value" in own else own
        joint = joint.assign(p_value=joint["p_value"].mask(tested)) if "p_value" in joint else joint
        pd.testing.assert_frame_equal(own, joint, check_dtype=False, rtol=0, atol=1e-12)
    covered = coverage_table(rows, RANGE, 0.9)
    covered = covered[covered["kind"].isin(["all", "cohort"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.coverage, covered, rtol=0, atol=1e-12)
    # Draws are not shared: where the joint p is far from 0, a normal distribution of their mean tells it.
    np.testing.assert_allclose(found.pid.loc[tested, "p_value"], pid.loc[tested, "p_value"], atol=0.05)
    assert found.pid.loc[tested & (found.pid["atom"] == "total"), "p_value"].max() < 0.01


def values(content: Any) -> Iterator[Any]:
    """Every list and every single value within."""
    if isinstance(content, dict):
        for own in content.values():
            yield from values(own)
    elif isinstance(content, list):
        yield content
        for own in content:
            yield from values(own)
    else:
        yield content


def test_nothing_of_a_single_person_is_in_a_summary():
    rows = people()
    content = summary(rows, nulls(["a", "b"])).model_dump(mode="json")
    found = list(values(content))
    n = set(rows.groupby("cohort")["participant_id"].nunique())
    assert not [own for own in found if isinstance(own, list) and len(own) in n | {len(rows)}]
    assert max(len(own) for own in found if isinstance(own, list)) == 3  # subsets of two modalities
    ids, texts = set(rows["participant_id"]), [own for own in found if isinstance(own, str)]
    assert not [text for text in texts if any(label in text for label in ids)]
    numbers = {own for own in found if isinstance(own, float)}
    own_columns = [c for c in rows if rows[c].dtype == float]
    assert not numbers & set(rows[own_columns].to_numpy().ravel())  # no age, prediction or score
    extremes = rows.groupby("cohort")["age"].agg(["min", "max"]).to_numpy().ravel()
    assert not numbers & set(extremes)


def test_few_people_are_not_told_of(caplog):
    rows = people()
    few = rows[(rows["cohort"] == "a") | (rows["participant_id"].isin([f"sub-{k}" for k in range(FEWEST - 1)]))]
    assert [cohort.name for cohort in summary(few, nulls(["a"])).cohorts] == ["a"]
    assert f"b: fewer than {FEWEST} people" in caplog.text


def test_the_order_of_modalities_does_not_matter(apart):
    rows, within = people(), nulls([])
    first, second = apart
    turned = DecompositionSettings()
    own = rows[rows["cohort"] == "b"].replace({"modalities": {"t1+dwi": "dwi+t1"}})
    own = own.rename(columns={c: c.replace("t1+dwi", "dwi+t1") for c in own})
    found = Found(
        own, decompose_cohorts(own, ["dwi", "t1"], turned, within),
        accuracy_of_cohorts(own, ["dwi", "t1"], "kfold", 0.95), within,
    )  # fmt: skip
    settings = SETTINGS.model_copy(update={"modalities": ("dwi", "t1")})
    other = pool_summary(cohort_summaries(found, ["dwi", "t1"], RANGE, 0.9), FEATURES, within, settings)
    check_alike({"x": first, "y": other})
    pd.testing.assert_frame_equal(
        pool_runs([first, other]).pooling, pool_runs([first, second]).pooling, rtol=0, atol=1e-9
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"units": "months"}, "units of the target (target.units); found months and years"),
        ({"modalities": ("t1", "fmri")}, "modalities; found fmri, t1 and dwi, t1"),
        ({"measures": ("mmi",)}, "measures of redundancy (pid.measures); found mmi and idep, mmi"),
        ({"version": "0.0.1"}, "versions of brainpid"),
        ({"definitions": 99}, "what the numbers mean"),
        ({"interval_coverage": 0.5}, "coverage of people's intervals"),
        ({"models": ("svr",)}, "expected a model that all of them have"),
    ],
)
def test_runs_that_do_not_mean_the_same_are_refused(apart, change, words):
    first, second = apart
    with pytest.raises(InputError) as fault:
        check_alike({"one.json": first, "two.json": second.model_copy(update=change)})
    assert words in str(fault.value)


def test_other_features_are_refused(apart):
    first, second = apart
    others = {**second.features, "dwi": first.features["t1"]}
    with pytest.raises(InputError, match=r"two: expected the features of dwi that one has \(1, names and units\)"):
        check_alike({"one": first, "two": second.model_copy(update={"features": others})})


def test_the_same_people_and_the_same_name_are_refused(apart):
    first, second = apart
    renamed = first.model_copy(update={"cohorts": (first.cohorts[0].model_copy(update={"name": "other"}),)})
    with pytest.raises(InputError, match="other of y has the very numbers of a of x: the same people are given twice"):
        check_alike({"x": first, "y": renamed})
    same = second.model_copy(update={"cohorts": (second.cohorts[0].model_copy(update={"name": "a"}),)})
    with pytest.raises(InputError, match="the name a is that of several cohorts; write NAME=RUN"):
        check_alike({"x": first, "y": same})
    with pytest.raises(InputError, match="2 cohorts or more, found 1"):
        check_alike({"x": first})


def test_runs_of_other_features_or_people_are_pooled_and_said_to_be():
    rows, within = people(), nulls(["a", "b"])
    plain = summary(rows, within)
    assert mixed_in_words(joined([plain, plain])) == []
    other = summary(
        rows, within, SETTINGS.model_copy(update={"harmonised": "location, age preserved", "trained_on": "group: c"})
    )
    joint = joined([plain, other])
    told = mixed_in_words(joint)
    assert "(harmonise: location, age preserved; none)" in told[0]
    assert "(train_on: everybody / group: c)" in told[1]
    # What is pooled can be pooled further, and says so again.
    assert mixed_in_words(joined([joint, plain])) == told
    assert len(joint.cohorts) == 4
