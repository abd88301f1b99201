"""What a shard's digest depends on."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from brainpid.cohort import bids
from brainpid.cohort.person_files import Found
from brainpid.cohort.shards import content_digest, digests, shard_of

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
