"""Who takes part and why the others do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.participants import SUCCESS, UNAVAILABLE
from brainpid.config.analysis import Splits
from brainpid.config.cohorts import Target
from brainpid.config.slices import LimitSettings, SplitSettings
from brainpid.core.errors import InputError
from brainpid.features.block import FeatureBlock, FeatureSummary
from brainpid.features.chosen import choose_features
from brainpid.features.inclusion import join_participants, plan

NAN = np.nan
LIMITS = LimitSettings(models=("ridge",), members=10, interval_coverage=0.9)


def nobody(modality: str, n: int) -> FeatureSummary:
    labels = tuple(f"sub-{k}" for k in range(n))
    reasons = ("no readable image", *(f"no folder in/{label}" for label in labels[1:]))
    return FeatureBlock(modality, labels, (), (), np.empty((n, 0)), (UNAVAILABLE,) * n, reasons).summary()


def test_a_cohort_of_which_nobody_has_a_modality_goes_on_without_it(caplog):
    sheet, blocks = incomplete_cohort()
    both = blocks | {("b", "t1"): blocks["a", "t1"], ("b", "dwi"): nobody("dwi", 40)}
    found = choose_features({key: own.summary() if isinstance(own, FeatureBlock) else own for key, own in both.items()},
                            ["t1", "dwi"])  # fmt: skip
    assert found["n"].tolist() == [74, 37]
    assert "cohort 'b': nobody has dwi: 39 x no folder in/sub-*; 1 x no readable image" in caplog.text
    sheets = {"a": sheet, "b": sheet.assign(cohort="b")}
    everybody, _ = plan(sheets, both, settings(("a", "b"), folds=2, repeats=1))
    of_b = everybody[everybody["cohort"] == "b"]
    assert of_b["included"].sum() == 36
    assert of_b["dwi_reason"].iloc[1] == "no folder in/sub-1"
    with pytest.raises(
        InputError, match=r"dwi: nobody has it in any cohort: cohort 'a': 2 x no folder .* \| cohort 'b'"
    ):
        choose_features({("a", "dwi"): nobody("dwi", 3), ("b", "dwi"): nobody("dwi", 40)}, ["dwi"])


def settings(cohorts: tuple[str, ...] = ("a", "b"), **splits: object) -> SplitSettings:
    return SplitSettings(
        cohorts=cohorts,
        modalities=("t1", "dwi"),
        target=Target(),
        incomplete="use",
        train_on=None,
        splits=Splits(**splits),
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


def test_complete_people_are_needed_somewhere():
    sheet, _ = incomplete_cohort()
    even = np.arange(len(sheet)) % 2 == 0
    blocks = {("a", "t1"): block("t1", even), ("a", "dwi"): block("dwi", ~even)}
    with pytest.raises(InputError, match=r"n = 0 people who take part have every modality.*in at least one cohort"):
        plan({"a": sheet}, blocks, settings(("a",), folds=2, repeats=1))
