"""Who takes part and why the others do not; features that tell nothing are left out, for all cohorts together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.participants import FAIL, SUCCESS, UNAVAILABLE
from brainpid.config.analysis import Splits
from brainpid.config.cohorts import Target
from brainpid.config.slices import LimitSettings, SplitSettings
from brainpid.core.errors import InputError
from brainpid.core.files import write_tsv
from brainpid.features.block import FeatureBlock, FeatureSummary
from brainpid.features.inclusion import FEATURE_COLUMNS, choose_features, join_participants, plan, without_chosen
from brainpid.features.matrix import read_chosen

NAN = np.nan
LIMITS = LimitSettings(models=("ridge",), members=10, interval_coverage=0.9)


def summary(values, names=("x", "y", "z"), status=None, modality="t1") -> FeatureSummary:
    values = np.array(values, dtype=float)
    n = len(values)
    status = status or (SUCCESS,) * n
    labels = tuple(f"sub-{k}" for k in range(n))
    return FeatureBlock(modality, labels, names, ("mm",) * len(names), values, status, ("",) * n).summary()


def test_a_feature_counts_over_all_cohorts(caplog):
    """x differs between cohorts alone; y is the same everywhere; z has no value in the first cohort."""
    blocks = {
        ("a", "t1"): summary([[1, 5, NAN], [1, 5, NAN]]),
        ("b", "t1"): summary([[2, 5, 1], [2, NAN, 2], [9, 7, 9]], status=(SUCCESS, SUCCESS, FAIL)),
    }
    found = choose_features(blocks, ["t1"])
    assert list(found) == FEATURE_COLUMNS
    assert found["included"].tolist() == [True, False, True]
    assert found["n"].tolist() == [4, 3, 2]
    assert found["reason"].tolist() == ["", "the same value, 5, in all 3 people who have one", ""]
    assert "t1: 1 of 3 features tell nothing and are left out: y (the same value, 5" in caplog.text


def test_a_feature_without_any_value_is_left_out_of_a_cohort_and_of_all(caplog):
    alone = {("a", "t1"): summary([[1, 5, NAN], [2, 6, NAN]])}
    found = choose_features(alone, ["t1"])
    assert found.loc[~found["included"], ["feature", "reason"]].to_numpy().tolist() == [
        ["z", "no value in any of 2 people"]
    ]
    caplog.clear()
    choose_features({("a", "t1"): summary([[1, 5, 3], [2, 6, 4]])}, ["t1"])
    assert caplog.text == ""


def test_a_difference_that_storage_does_not_hold_is_none():
    """Values are stored in single precision: 1 and 1 + 1e-9 are one value in every training."""
    found = choose_features({("a", "t1"): summary([[1, 1, 1], [1 + 1e-9, 2, 3]])}, ["t1"])
    assert found["included"].tolist() == [False, True, True]


def test_what_is_chosen_is_what_is_read(tmp_path):
    blocks = {
        ("a", "t1"): summary([[1, 5, 1], [1, 6, 2]]),
        ("a", "dwi"): summary([[1, 5], [2, 6]], ("1", "NA"), modality="dwi"),
        ("b", "dwi"): summary(np.empty((2, 0)), (), modality="dwi"),  # images that are not extracted yet
    }
    write_tsv(tmp_path / "features.tsv", choose_features(blocks, ["dwi", "t1"]))
    assert read_chosen(tmp_path / "features.tsv", ["t1", "dwi"]) == {"t1": ["y", "z"], "dwi": ["1", "NA"]}
    with pytest.raises(InputError, match="no feature of fmri takes part"):
        read_chosen(tmp_path / "features.tsv", ["t1", "fmri"])


def test_a_modality_that_tells_nothing_and_cohorts_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"t1: no feature differs between people: x \(the same value, 1, in all 2"):
        choose_features({("a", "t1"): summary([[1, NAN, 2], [1, NAN, 2]])}, ["t1"])
    with pytest.raises(InputError, match="must have the same features; only in one of them: w, z"):
        choose_features({("a", "t1"): summary([[1, 2, 3]]), ("b", "t1"): summary([[1, 2, 3]], ("x", "y", "w"))}, ["t1"])


def settings(cohorts: tuple[str, ...] = ("a", "b"), **splits: object) -> SplitSettings:
    return SplitSettings(
        cohorts=cohorts, modalities=("t1", "dwi"), target=Target(), incomplete="use", splits=Splits(**splits)
    )


def block(modality: str, has: np.ndarray) -> FeatureBlock:
    n = len(has)
    return FeatureBlock(
        modality=modality,
        participant_id=tuple(f"sub-{k}" for k in range(n)),
        names=("x",),
        units=("1",),
        values=np.where(has, np.arange(n), np.nan)[:, None],
        status=tuple(SUCCESS if own else UNAVAILABLE for own in has),
        reason=tuple("" if own else "no file" for own in has),
    )


def incomplete_cohort(n: int = 40) -> tuple[pd.DataFrame, dict]:
    """Age is unknown of 0 and 1; 0 and 2 have no modality, 3 has t1 alone, 4 has dwi alone, all others have both."""
    age = np.linspace(20, 80, n)
    age[:2] = np.nan
    sheet = pd.DataFrame({"participant_id": [f"sub-{k}" for k in range(n)], "cohort": "a", "site": "s", "age": age})
    t1, dwi = np.ones((2, n), dtype=bool)
    t1[[0, 2, 4]] = dwi[[0, 2, 3]] = False
    return sheet.assign(sex="F"), {("a", "t1"): block("t1", t1), ("a", "dwi"): block("dwi", dwi)}


@pytest.mark.parametrize(("incomplete", "out"), [("use", [0, 1, 2]), ("exclude", [0, 1, 2, 3, 4])])
def test_who_takes_part_and_why_the_others_do_not(incomplete, out):
    sheet, blocks = incomplete_cohort()
    chosen = settings(("a",), folds=2, repeats=1).model_copy(update={"incomplete": incomplete})
    everybody, splits = plan({"a": sheet}, blocks, chosen)
    assert list(np.flatnonzero(~everybody["included"])) == out
    assert (everybody["reason"] == "").tolist() == everybody["included"].tolist()
    assert everybody["reason"][0] == "no target value; t1 UNAVAILABLE: no file; dwi UNAVAILABLE: no file"
    assert everybody["reason"][1] == "no target value"
    assert everybody["reason"][2] == "t1 UNAVAILABLE: no file; dwi UNAVAILABLE: no file"
    assert everybody["reason"][3] == ("" if incomplete == "use" else "dwi UNAVAILABLE: no file")
    assert splits["participant_id"].nunique() == 40 - len(out)


def test_the_reason_of_a_target_is_kept_beside_a_modality_called_target():
    sheet, _ = incomplete_cohort()
    sheet["target_reason"] = ["'89+' is no number in years", *[None] * 39]
    own = {("a", "target"): block("target", np.arange(40) != 5)}
    people = join_participants({"a": sheet}, own, ["target"])
    assert people["reason"][0] == "no target value: '89+' is no number in years"
    assert people["reason"][1] == "no target value"
    assert people["target_reason"][5] == "no file"


def test_using_incomplete_people_moves_nobody_who_is_complete():
    sheet, blocks = incomplete_cohort()
    chosen = settings(("a",), folds=4, repeats=3)
    _, used = plan({"a": sheet}, blocks, chosen)
    _, left_out = plan({"a": sheet}, blocks, chosen.model_copy(update={"incomplete": "exclude"}))
    both = used.merge(left_out, on=["participant_id", "cohort", "repeat", "fold"])
    assert len(both) == len(left_out)
    assert (both["role_x"] == both["role_y"]).all()


def test_a_cohort_without_a_modality_is_used_beside_one_that_has_all(caplog):
    sheet, blocks = incomplete_cohort()
    chosen = settings(("a", "b"), folds=2, repeats=1)
    sheets = {"a": sheet, "b": sheet.assign(cohort="b")}
    everybody, _ = plan(sheets, blocks | {("b", "t1"): blocks["a", "t1"]}, chosen)
    assert everybody.loc[everybody["cohort"] == "b", "included"].sum() == 36  # not 0, 1, 2 and not 4, who has dwi alone
    assert "cohort 'b': n = 0 people who take part have every modality" in caplog.text
    with pytest.raises(InputError, match="cohort 'b': nobody takes part"):
        plan(sheets, blocks | {("b", "t1"): blocks["a", "t1"]}, chosen.model_copy(update={"incomplete": "exclude"}))


def test_complete_people_are_needed_in_training():
    sheet, blocks = incomplete_cohort()
    sheets = {"a": sheet, "b": sheet.assign(cohort="b")}
    chosen = settings(("a", "b"), scheme="leave_one_cohort_out", repeats=1)
    with pytest.raises(InputError, match="fold 0: 0 training people have every modality"):
        plan(sheets, blocks | {("b", "t1"): blocks["a", "t1"]}, chosen)


def test_a_cohort_of_one_target_is_trained_on_and_named(caplog):
    sheet, blocks = incomplete_cohort()
    sheets = {"a": sheet, "b": sheet.assign(cohort="b", age=73.0)}
    both = blocks | {("b", modality): block for (_, modality), block in blocks.items()}
    for incomplete in ("use", "exclude"):
        caplog.clear()
        chosen = settings(("a", "b"), folds=2, repeats=1).model_copy(update={"incomplete": incomplete})
        everybody, splits = plan(sheets, both, chosen, LIMITS)
        assert everybody.groupby("cohort")["included"].sum().min() >= 35
        assert set(splits["cohort"]) == {"a", "b"}
        assert "cohort 'b': all 36 people who take part with every modality have the same target, 73" in caplog.text
        assert "cohort 'a'" not in caplog.text
    with pytest.raises(InputError, match="no cohort can be decomposed: cohort 'b': all 36 people"):
        plan({"b": sheets["b"]}, {k: v for k, v in both.items() if k[0] == "b"}, settings(("b",), folds=2, repeats=1))


def test_a_fold_that_no_model_can_be_fitted_to_is_refused_before_training():
    """Twelve people, two folds: six to train on, and a baseline takes ten."""
    sheet, blocks = incomplete_cohort(17)
    chosen = settings(("a",), folds=2, repeats=1)
    plan({"a": sheet}, blocks, chosen)
    with pytest.raises(InputError, match=r"repeat 0, fold 0: \d training people have every .* at least 10 for ridge"):
        plan({"a": sheet}, blocks, chosen, LIMITS)


def test_who_has_values_of_left_out_features_alone_fails_alone():
    """y is the same in everybody; sub-2 has nothing but y. Values are asked for only where somebody may be so."""
    asked = []

    def values_of(cohort, modality):
        asked.append((cohort, modality))
        return FeatureBlock(modality, labels, ("x", "y"), ("mm",) * 2, values, (SUCCESS,) * 4, ("",) * 4)

    labels, values = tuple(f"sub-{k}" for k in range(4)), np.array([[1, 5], [2, 5], [NAN, 5], [3, 5]])
    blocks = {("a", "t1"): values_of("a", "t1").summary(), ("b", "t1"): summary([[1, 5], [2, 5]], ("x", "y"))}
    asked.clear()
    found = without_chosen(blocks, choose_features(blocks, ["t1"]), values_of)
    assert asked == [("a", "t1")]
    assert found["a", "t1"].status == (SUCCESS, SUCCESS, FAIL, SUCCESS)
    assert found["a", "t1"].reason[2] == "no value of any of the 1 features of t1 that differ between people"
    assert found["b", "t1"] is blocks["b", "t1"]


def test_complete_people_are_needed_somewhere():
    sheet, _ = incomplete_cohort()
    even = np.arange(len(sheet)) % 2 == 0
    blocks = {("a", "t1"): block("t1", even), ("a", "dwi"): block("dwi", ~even)}
    with pytest.raises(InputError, match=r"n = 0 people who take part have every modality.*in at least one cohort"):
        plan({"a": sheet}, blocks, settings(("a",), folds=2, repeats=1))
