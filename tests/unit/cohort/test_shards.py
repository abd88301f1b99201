"""What a shard's digest depends on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from brainpid.cohort import bids, file_states
from brainpid.cohort.file_states import FileState, record_of, record_path, taken, write_record
from brainpid.cohort.person_files import Found
from brainpid.cohort.shards import content_digest, digests, shard_of
from brainpid.core.errors import MachineError

SHARDS = 4


@pytest.fixture
def dataset(tmp_path) -> Path:
    """Twenty people with a BOLD run, whose JSON is theirs or, of those who have none, that of the dataset."""
    for k in range(20):
        stem = tmp_path / f"sub-{k}/func/sub-{k}_task-rest_bold"
        stem.parent.mkdir(parents=True)
        stem.with_suffix(".nii.gz").write_text("image")
        if k % 2:
            stem.with_suffix(".json").write_text(json.dumps({"RepetitionTime": 2.0}))
    (tmp_path / "task-rest_bold.json").write_text(json.dumps({"RepetitionTime": 1.0}))
    return tmp_path


def now(root: Path) -> list[str]:
    return digests({f"sub-{k}": bids.find(root, f"sub-{k}", "bold") for k in range(20)}, SHARDS, root)


def changed(before: list[str], after: list[str]) -> list[bool]:
    return [a != b for a, b in zip(before, after, strict=True)]


def test_another_repetition_time_starts_the_shard_of_its_person(dataset):
    before = now(dataset)
    path = dataset / "sub-7/func/sub-7_task-rest_bold.json"
    time = path.stat().st_mtime_ns
    path.write_text(json.dumps({"RepetitionTime": 3.0}))  # as long as before
    os.utime(path, ns=(time + 10**9, time + 10**9))
    assert changed(before, now(dataset)) == [shard == shard_of("sub-7", SHARDS) for shard in range(SHARDS)]


def test_the_repetition_time_of_everybody_starts_every_shard(dataset):
    before = now(dataset)
    (dataset / "task-rest_bold.json").write_text(json.dumps({"RepetitionTime": 1.25}))
    assert all(changed(before, now(dataset)))


def test_a_json_that_comes_nearer_starts_the_shard_of_its_person(dataset):
    before = now(dataset)
    (dataset / "sub-8/sub-8_bold.json").write_text("{}")
    assert changed(before, now(dataset)) == [shard == shard_of("sub-8", SHARDS) for shard in range(SHARDS)]


def test_a_link_to_nothing_is_no_reason_to_stop(tmp_path):
    """As in a dataset whose content was not fetched."""
    link = tmp_path / "sub-1_T1w.nii.gz"
    link.symlink_to(tmp_path / "annex")
    people = {"sub-1": Found({"t1w": str(link)})}
    before = digests(people, 1, tmp_path)
    (tmp_path / "annex").write_text("here")
    assert digests(people, 1, tmp_path) != before


def test_the_content_of_a_shared_file_counts_and_not_its_time_or_name(tmp_path):
    image, labels = tmp_path / "a.nii.gz", tmp_path / "a.tsv"
    image.write_text("1")
    labels.write_text("2")
    first = content_digest([str(image), str(labels)])
    os.utime(image, ns=(1, 1))
    assert content_digest([str(image), str(labels)]) == first
    assert content_digest([str(labels), str(image)]) != first
    labels.write_text("3")
    assert content_digest([str(image), str(labels)]) != first
    labels.write_text("2")
    moved = image.rename(tmp_path / "b.nii.gz")
    assert content_digest([str(moved), str(labels)]) == first
    moved.unlink()
    assert content_digest([str(moved), str(labels)]) != first


def test_shards_are_a_hash_of_the_label():
    expected = int(hashlib.sha1(b"sub-0012").hexdigest(), 16) % 8
    assert shard_of("sub-0012", 8) == expected
    counts = np.bincount([shard_of(f"sub-{k:05d}", 8) for k in range(8000)], minlength=8)
    assert counts.min() > 900


def test_a_shard_changes_with_its_own_files_alone(tmp_path):
    found = {}
    for k in range(20):
        path = tmp_path / f"sub-{k}.nii"
        path.write_text("x")
        found[f"sub-{k}"] = Found({"t1w": str(path)})
    before = digests(found, 4, tmp_path)
    (tmp_path / "sub-7.nii").write_text("longer")
    alone = [shard == shard_of("sub-7", 4) for shard in range(4)]

    def starts(now: dict[str, Found]) -> list[bool]:
        return changed(before, digests(now, 4, tmp_path))

    assert starts(found) == alone
    assert starts({person: files for person, files in found.items() if person != "sub-7"}) == alone
    (tmp_path / "sub-7.nii").unlink()
    assert starts(found | {"sub-7": Found(reason="no folder")}) == alone


def test_a_shard_changes_with_its_own_people_alone(tmp_path):
    found = {f"sub-{k}": Found(reason="no folder") for k in range(20)}
    before = digests(found, 4, tmp_path)
    for more in ({"sub-99": Found(reason="no folder")}, {"sub-7": Found(reason="no image")}):
        changed = [a != b for a, b in zip(before, digests(found | more, 4, tmp_path), strict=True)]
        assert changed == [shard == shard_of(next(iter(more)), 4) for shard in range(4)]


@pytest.fixture
def recorded(tmp_path) -> Callable[[Path], list[str]]:
    """Two people whose files an extraction has recorded, beside `tmp_path/t1`; digests of one shard, by root."""
    for k in range(2):
        (tmp_path / f"data/sub-{k}").mkdir(parents=True)
        (tmp_path / f"data/sub-{k}/a.nii").write_text(f"content {k}")

    def now(root: Path) -> list[str]:
        people = {f"sub-{k}": Found({"t1w": f"{root}/sub-{k}/a.nii"}, note=f"first of 2 in {root}/x") for k in range(2)}
        people |= {"sub-9": Found(reason=f"no folder {root}/sub-9 or above, up to {root}")}
        return digests(people, 1, root, tmp_path / "t1")

    now.before = now(tmp_path / "data")
    states = {f"sub-{k}": {"t1w": taken(f"{tmp_path}/data/sub-{k}/a.nii", f"{tmp_path}/data")} for k in range(2)}
    write_record(record_path(tmp_path / "t1", 0), record_of(states, {}))
    return now


def reads(monkeypatch) -> list[str]:
    """Files whose content is read from now on."""
    read = []

    def noted(path: str, root: str) -> FileState:
        read.append(Path(path).parent.name)
        return taken(path, root)

    monkeypatch.setattr(file_states, "taken", noted)
    return read


def test_touched_and_moved_files_leave_the_digest(tmp_path, recorded, monkeypatch):
    read = reads(monkeypatch)
    assert recorded(tmp_path / "data") == recorded.before
    assert read == []  # size and time are enough
    for path in (tmp_path / "data").rglob("*.nii"):
        os.utime(path, ns=(86400 * 10**9, 86400 * 10**9))
    assert recorded(tmp_path / "data") == recorded.before
    assert sorted(read) == ["sub-0", "sub-1"]
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    assert recorded(tmp_path / "elsewhere") == recorded.before
    assert len(read) == 2  # once: the record knows the new times
    os.utime(tmp_path / "elsewhere/sub-0/a.nii", ns=(5, 5))
    assert recorded(tmp_path / "elsewhere") == recorded.before
    assert len(read) == 3


def test_another_content_of_the_same_size_is_seen_by_its_time(tmp_path, recorded):
    path = tmp_path / "data/sub-1/a.nii"
    path.write_text("CONTENT 1")
    os.utime(path, ns=(5, 5))
    other = recorded(tmp_path / "data")
    assert other != recorded.before
    assert recorded(tmp_path / "data") == other
    path.write_text("content 1")
    os.utime(path, ns=(6, 6))
    assert recorded(tmp_path / "data") == recorded.before  # put back


@pytest.mark.parametrize("damage", [b"", b"{", b'{"sub-0": 3}', b'{"sub-0":{"t1w":[["a",1],"x"]}}', b"\xff", None])
def test_a_damaged_record_counts_as_none(tmp_path, recorded, damage):
    path = record_path(tmp_path / "t1", 0)
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    assert recorded(tmp_path / "data") == recorded.before
    os.utime(tmp_path / "data/sub-0/a.nii", ns=(5, 5))
    assert recorded(tmp_path / "data") != recorded.before


def test_a_record_that_cannot_be_written_is_no_fault(tmp_path, recorded):
    whole = record_path(tmp_path / "t1", 0)
    os.utime(tmp_path / "data/sub-0/a.nii", ns=(5, 5))
    with mock.patch.object(file_states, "write_text", side_effect=MachineError("EROFS", 30)):
        before = whole.read_bytes()
        assert recorded(tmp_path / "data") == recorded.before
        assert whole.read_bytes() == before


def test_a_file_that_the_machine_cannot_look_at_for_now_stays_what_it_was(tmp_path, recorded, monkeypatch):
    stat = os.stat
    refused = {"code": 116}

    def failing(path, **options):
        if str(path).endswith("sub-0/a.nii"):
            raise OSError(refused["code"], "x", str(path))
        return stat(path, **options)

    monkeypatch.setattr(file_states.os, "stat", failing)
    assert recorded(tmp_path / "data") == recorded.before
    refused["code"] = 2
    assert recorded(tmp_path / "data") != recorded.before


def test_first_identities_last_from_one_extraction_to_the_next(tmp_path):
    path = tmp_path / "a.nii"
    path.write_text("12")
    os.utime(path, ns=(7, 7))
    first = record_of({"sub-1": {"t1w": taken(str(path), str(tmp_path))}}, {})
    assert first["sub-1"]["t1w"].identity == "2 7"
    os.utime(path, ns=(8, 8))
    second = record_of({"sub-1": {"t1w": taken(str(path), str(tmp_path))}}, first)
    assert (second["sub-1"]["t1w"].identity, second["sub-1"]["t1w"].state.mtime_ns) == ("2 7", 8)
    path.write_text("34")
    os.utime(path, ns=(9, 9))
    assert record_of({"sub-1": {"t1w": taken(str(path), str(tmp_path))}}, second)["sub-1"]["t1w"].identity == "2 9"


def test_a_shared_file_that_cannot_be_read_is_the_machine_s_fault(tmp_path, monkeypatch):
    def refused(path: Path) -> bytes:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(MachineError, match=r"EIO .* at /atlas.nii"):
        content_digest(["/atlas.nii"])
