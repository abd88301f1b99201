"""Shards are a hash of the label, and change with their own people and files alone."""

from __future__ import annotations

import hashlib

import numpy as np

from brainpid.cohort.person_files import Found
from brainpid.cohort.shards import digests, shard_of


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
    before = digests(found, 4)
    (tmp_path / "sub-7.nii").write_text("longer")
    alone = [shard == shard_of("sub-7", 4) for shard in range(4)]

    def changed(now: dict[str, Found]) -> list[bool]:
        return [a != b for a, b in zip(before, digests(now, 4), strict=True)]

    assert changed(found) == alone
    assert changed({person: files for person, files in found.items() if person != "sub-7"}) == alone
    (tmp_path / "sub-7.nii").unlink()
    assert changed(found | {"sub-7": Found(reason="no folder")}) == alone


def test_a_shard_changes_with_its_own_people_alone(tmp_path):
    found = {f"sub-{k}": Found(reason="no folder") for k in range(20)}
    before = digests(found, 4)
    for more in ({"sub-99": Found(reason="no folder")}, {"sub-7": Found(reason="no image")}):
        changed = [a != b for a, b in zip(before, digests(found | more, 4), strict=True)]
        assert changed == [shard == shard_of(next(iter(more)), 4) for shard in range(4)]
