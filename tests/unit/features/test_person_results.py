"""A kept result is used again where all that it depends on is the same; one that cannot be read is made again."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from fake_extractors import by_content, replaced_meanwhile

from brainpid.cohort.file_states import taken
from brainpid.cohort.person_files import Found
from brainpid.features.extraction import Task, extract_people
from brainpid.features.person_results import PersonResult, keep, kept, key_of, picture_path

PERSON = "sub-1"
GOOD = PersonResult(
    PERSON,
    "k",
    "SUCCESS",
    "",
    {"a": 1.5, "b": math.nan},
    {"a": "1", "b": "mm^3"},
    {"fd": 0.1},
    2.0,
    3.0,
    "first of 2",
    {"a": ("left", "right")},
    "repetition time from the header",
    "acq-x",
    {},
)


def test_what_is_kept_comes_back(tmp_path):
    keep(tmp_path, GOOD)
    found = kept(tmp_path, PERSON, "k", {}, "/")
    assert found is not None
    assert math.isnan(found.values.pop("b"))
    assert asdict(found) | {"values": GOOD.values} == asdict(GOOD)
    assert found.values == {"a": 1.5}
    assert kept(tmp_path, PERSON, "other", {}, "/") is None
    assert kept(tmp_path, "sub-2", "k", {}, "/") is None


def test_a_failure_is_not_kept(tmp_path):
    keep(tmp_path, PersonResult.without_features(PERSON, "k", "FAIL", "cut off"))
    assert kept(tmp_path, PERSON, "k", {}, "/") is None


def content(**changes: object) -> str:
    """A result as JSON, with some fields changed; None takes a field away."""
    fields = asdict(GOOD) | {"values": {"a": 1.5}, "units": {"a": "1"}} | changes
    return json.dumps({name: value for name, value in fields.items() if value is not None})


BROKEN = {
    "empty": b"",
    "not JSON": b"{",
    "truncated": content().encode()[:-20],
    "no mapping": b"[1, 2]",
    "a word": b'"SUCCESS"',
    "null": b"null",
    "not UTF-8": content(note="u").encode().replace(b'"u"', b'"\xff"'),
    "nested without end": b"[" * 100_000,
    "a field missing": content(reason=None).encode(),
    "a field unknown": content(colour="red").encode(),
    "values of text": content(values={"a": "1.5"}).encode(),
    "values as a list": content(values=[1.5]).encode(),
    "seconds of text": content(seconds="2").encode(),
    "status of no kind": content(status="FINE").encode(),
    "units of other features": content(units={"b": "1"}).encode(),
    "of somebody else": content(participant_id="sub-2").encode(),
}


@pytest.fixture
def task(tmp_path) -> Task:
    (tmp_path / "sub-1.txt").write_text("good")
    found = Found({"image": str(tmp_path / "sub-1.txt")})
    return Task(PERSON, found, str(tmp_path), by_content, "", "{}", "c0", tmp_path / "kept")


def calls(task: Task) -> int:
    """How often somebody was extracted."""
    log = task.folder.parent / "calls.log"
    return len(log.read_text().split()) if log.is_file() else 0


def test_the_fixture_of_the_faults_is_a_result_itself(tmp_path):
    (tmp_path / f"{PERSON}.json").write_text(content())
    assert kept(tmp_path, PERSON, "k", {}, "/") is not None


@pytest.mark.parametrize("fault", BROKEN)
def test_a_result_that_cannot_be_read_counts_as_none(tmp_path, fault):
    (tmp_path / f"{PERSON}.json").write_bytes(BROKEN[fault])
    assert kept(tmp_path, PERSON, "k", {}, "/") is None


def test_a_folder_in_the_place_of_a_result_gives_way(task):
    (task.folder / f"{PERSON}.json" / "x").mkdir(parents=True)
    (task.folder / f"{PERSON}.png").mkdir()
    assert [r.status for r in extract_people([task], 1)] == ["SUCCESS"]
    assert picture_path(task.folder, PERSON).is_file()
    assert [r.status for r in extract_people([task], 1)] == ["SUCCESS"]
    assert calls(task) == 1


def test_a_broken_result_is_made_again_and_stops_nobody(task):
    first = extract_people([task], 1)
    path = task.folder / f"{PERSON}.json"
    path.write_bytes(path.read_bytes()[:-30])
    again = extract_people([task], 1)
    assert (again[0].status, again[0].values) == ("SUCCESS", first[0].values)
    assert calls(task) == 2


def test_a_key_depends_on_names_of_files_atlas_settings_and_code():
    files = {"bold": "/data/sub-1/a.nii"}
    keys = [
        key_of(files, "/data", *rest) for rest in (("a", "s", "c"), ("b", "s", "c"), ("a", "t", "c"), ("a", "s", "d"))
    ]
    keys += [key_of({"mask": "/data/sub-1/a.nii"}, "/data", "a", "s", "c")]
    keys += [key_of({"bold": "/data/sub-1/b.nii"}, "/data", "a", "s", "c")]
    assert len(set(keys)) == len(keys)
    assert key_of({"bold": "/moved/to/sub-1/a.nii"}, "/moved/to", "a", "s", "c") == keys[0]
    assert key_of({"bold": "data/sub-1/a.nii"}, "data", "a", "s", "c") == keys[0]


def test_a_result_is_of_the_content_of_files_and_not_of_their_time_or_place(tmp_path):
    path = tmp_path / "one" / "a.nii"
    path.parent.mkdir()
    path.write_text("12")
    keep(
        tmp_path, replace(GOOD, values={"a": 1.0}, units={"a": "1"}, files={"t1w": taken(str(path), str(path.parent))})
    )

    def found(top: Path) -> bool:
        return kept(tmp_path, PERSON, "k", {"t1w": str(top / "a.nii")}, str(top)) is not None

    assert found(path.parent)
    os.utime(path, ns=(5, 5))
    assert found(path.parent)
    assert json.loads((tmp_path / f"{PERSON}.json").read_text())["files"]["t1w"][2] == 5  # so that it is read once
    moved = path.parent.rename(tmp_path / "two")
    assert found(moved)
    (moved / "a.nii").write_text("34")
    os.utime(moved / "a.nii", ns=(6, 6))
    assert not found(moved)  # another content of the same size
    (moved / "a.nii").write_text("12")
    os.utime(moved / "a.nii", ns=(7, 7))
    assert found(moved)
    assert kept(tmp_path, PERSON, "k", {"bold": str(moved / "a.nii")}, str(moved)) is None
    assert kept(tmp_path, PERSON, "k", {}, str(moved)) is None


def test_a_file_that_is_replaced_during_the_work_is_extracted_again(tmp_path):
    """The result is of the file before; under the stamp of the file after, it would be used for good."""
    path = tmp_path / "sub-1.txt"
    path.write_text("1.0")
    os.utime(path, ns=(1, 1))

    def extract() -> float:
        files = Found({"image": str(path)})
        task = Task(PERSON, files, str(tmp_path), replaced_meanwhile, "", "{}", "c0", tmp_path / "kept")
        return extract_people([task], 1)[0].values["a"]

    assert extract() == 1.0  # and the file says 2 now
    assert path.read_text() == "2.0"
    assert extract() == 2.0


def test_a_note_is_of_now_and_not_of_when_the_result_was_made(task):
    extract_people([task], 1)
    found = Found(task.found.files, note="first of 2: sub-1.txt")
    again = extract_people([replace(task, found=found)], 1)
    assert again[0].note == "first of 2: sub-1.txt"
    assert calls(task) == 1


def test_the_picture_lies_beside_the_result(tmp_path):
    keep(tmp_path, GOOD, np.full((4, 6), 7, dtype=np.uint8))
    assert sorted(Path(path).name for path in tmp_path.iterdir()) == ["sub-1.json", "sub-1.png"]
