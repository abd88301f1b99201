"""Who takes part, and why the others do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.participants import SUCCESS, UNAVAILABLE
from brainpid.config.analysis import Splits
from brainpid.config.cohorts import Target
from brainpid.config.slices import SplitSettings
from brainpid.core.errors import InputError
from brainpid.features.block import FeatureBlock
from brainpid.features.inclusion import plan


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


def test_complete_people_are_needed_somewhere():
    sheet, _ = incomplete_cohort()
    even = np.arange(len(sheet)) % 2 == 0
    blocks = {("a", "t1"): block("t1", even), ("a", "dwi"): block("dwi", ~even)}
    with pytest.raises(InputError, match=r"n = 0 people who take part have every modality.*in at least one cohort"):
        plan({"a": sheet}, blocks, settings(("a",), folds=2, repeats=1))
