"""Of several images the one that the rule names, whatever else lies there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from cohorts import touch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brainpid.cohort import bids


def taken(root, *names, folder="anat", image="t1w", **more):
    touch(root, *(f"sub-1/{folder}/sub-1_{name}.nii.gz" for name in names))
    files = bids.find(root, "sub-1", image, **more).files
    return Path(files[image]).name.removeprefix("sub-1_").removesuffix(".nii.gz") if files else None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["acq-a_T1w", "run-1_T1w"], "run-1_T1w"),
        (["run-10_T1w", "run-2_T1w"], "run-2_T1w"),
        (["ce-gadolinium_T1w", "T1w"], "T1w"),
        (["acq-b_run-1_T1w", "acq-a_run-2_T1w"], "acq-b_run-1_T1w"),
        (["rec-norm_T1w", "acq-x_rec-norm_T1w"], "rec-norm_T1w"),
        (["part-phase_T1w", "acq-x_part-mag_T1w"], "acq-x_part-mag_T1w"),
        (["part-phase_T1w", "part-real_T1w"], None),
    ],
)
def test_the_plain_image_of_the_lowest_run_is_taken(tmp_path, names, expected):
    assert taken(tmp_path, *names) == expected


@pytest.mark.parametrize(
    ("echoes", "expected"),
    [(["echo-1_", "echo-2_", "echo-3_"], "echo-2_"), (["echo-1_", ""], ""), (["echo-3_", "echo-1_"], "echo-1_")],
)
def test_combined_echoes_or_the_second_are_taken(tmp_path, echoes, expected):
    names = [f"task-rest_{echo}bold" for echo in echoes]
    assert taken(tmp_path, *names, folder="func", image="bold") == f"task-rest_{expected}bold"


def test_entities_are_asked_for_in_an_order_of_preference(tmp_path):
    names = ["acq-hi_run-1_T1w", "acq-lo_run-01_T1w", "T1w"]
    assert taken(tmp_path, *names, wanted={"acq": ("lo", "hi")}) == "acq-lo_run-01_T1w"
    assert taken(tmp_path, *names, wanted={"acq": ("hi",), "run": ("01",)}) == "acq-hi_run-1_T1w"
    assert taken(tmp_path, *names, wanted={"acq": (None,)}) == "T1w"
    assert taken(tmp_path, *names, wanted={"acq": ("h",)}) is None


def test_the_visit_is_noted_and_the_acquisition_known(tmp_path):
    touch(tmp_path, "sub-1/ses-2/anat/sub-1_ses-2_acq-x_T1w.nii.gz", "sub-1/ses-10/anat/sub-1_ses-10_T1w.nii.gz")
    touch(tmp_path, "sub-1/ses-1/func/x")
    found = bids.find(tmp_path, "sub-1", "t1w")
    assert found.note == "first of 2: sub-1_ses-2_acq-x_T1w.nii.gz; visit ses-2 of 3 (ses-1, ses-2, ses-10)"
    assert found.acquisition == "acq-x"


# The rule once more, slowly and by other means: a regular expression and comparisons of pairs.
PATTERN = re.compile(r"sub-1(_ses-(?P<ses>\w+?))?_task-(?P<task>[^_]+)(_acq-(?P<acq>[^_]+))?(_run-(?P<run>\d+))?"
                     r"(_echo-(?P<echo>\d+))?_bold\.nii\.gz")  # fmt: skip


def slow_match(names: list[str], task: str, acq: list[str | None]) -> str | None:
    best = None
    for name in names:
        found = PATTERN.fullmatch(name)
        if found is None or found["task"] != task or (acq and found["acq"] not in acq):
            continue
        own = (
            found["ses"] or "",
            acq.index(found["acq"]) if acq else 0,
            {None: 0, "2": 1, "1": 2}.get(found["echo"], 3),
            found["acq"] is not None,
            int(found["run"] or 0),
            found["acq"] or "",
        )
        if best is None or own < best[0]:
            best = own, name
    return None if best is None else best[1]


LABELS = st.sampled_from(["rest", "restMovie", "movierest", "Rest"])
ACQS = st.sampled_from([None, "a", "ab", "b"])
IMAGES = st.tuples(
    st.sampled_from(["a", "b"]), LABELS, ACQS, st.sampled_from([None, 1, 2, 10]), st.sampled_from([None, 1, 2, 3])
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    images=st.sets(IMAGES, max_size=8),
    visits=st.booleans(),
    task=LABELS,
    acq=st.lists(ACQS, max_size=2, unique=True),
)
def test_a_random_tree_gives_what_a_slow_exact_matcher_finds(tmp_path, images, visits, task, acq):
    root = tmp_path / "tree"
    shutil.rmtree(root, ignore_errors=True)
    (root / "sub-1").mkdir(parents=True)
    names = []
    for ses, label, own, run, echo in sorted(images, key=str):
        parts = ["sub-1", f"ses-{ses}" if visits else "", f"task-{label}", f"acq-{own}" if own else ""]
        parts += [f"run-{run}" if run else "", f"echo-{echo}" if echo else "", "bold.nii.gz"]
        name = "_".join(filter(None, parts))
        touch(root, f"sub-1/{f'ses-{ses}/' if visits else ''}func/{name}", f"sub-1/func/._{name}")
        names.append(name)
    found = bids.find(root, "sub-1", "bold", task=task, wanted={"acq": tuple(acq)} if acq else None).files
    assert (Path(found["bold"]).name if found else None) == slow_match(names, task, acq)
