"""A feature file is whole or refused, whatever happened to it, and written on any file system."""

from __future__ import annotations

import errno
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from shims import shim

from brainpid.core.errors import InputError, MachineError
from brainpid.features.block import FeatureBlock
from brainpid.features.store import read_cohort, read_features, read_summary, write_features


def block(n: int = 50, p: int = 12) -> FeatureBlock:
    values = np.random.default_rng(0).normal(size=(n, p)).astype(np.float32)
    labels = tuple(f"sub-{k}" for k in range(n))
    names = tuple(f"x{k}" for k in range(p))
    return FeatureBlock("t1", labels, names, ("mm",) * p, values, ("SUCCESS",) * n, ("",) * n)


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "c.h5"
    write_features(path, "c", [block()], {})
    return path


def read_all(path):
    read_cohort(path), read_summary(path, "t1"), read_features(path, "t1")


def spoilt_copies(content: bytes, rng: np.random.Generator, count: int):
    """Copies that were cut short, with turned bits, with blocks of zeros, with blocks in each other's place."""
    for _ in range(count):
        kind, place = rng.integers(4), int(rng.integers(len(content)))
        other = bytearray(content)
        if kind == 0:
            other = other[:place]
        elif kind == 1:
            other[place] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            other[place : place + 512] = bytes(len(other[place : place + 512]))
        else:
            other = other[place:] + other[:place]
        if other != content:
            yield bytes(other)


def test_no_damage_passes_for_data(whole):
    content = whole.read_bytes()
    for other in spoilt_copies(content, np.random.default_rng(1), 400):
        whole.write_bytes(other)
        with pytest.raises(InputError, match=re.escape(f"{whole}: not a readable HDF5 file of features: ")):
            read_all(whole)
    whole.write_bytes(content)
    read_all(whole)


def test_damaged_values_do_not_hide_who_is_there(whole):
    """The values are compared where they are read, and nowhere else: a summary does not wait for them."""
    content = bytearray(whole.read_bytes())
    values = block().values.tobytes()
    content[content.index(values) + 100] ^= 1
    whole.write_bytes(content)
    assert len(read_summary(whole, "t1").participant_id) == 50
    with pytest.raises(InputError, match="the values of /t1/values are not those that were written"):
        read_features(whole, "t1")


def test_what_is_no_feature_file_is_named(tmp_path, whole):
    (tmp_path / "folder.h5").mkdir()
    (tmp_path / "empty.h5").touch()
    (tmp_path / "link.h5").symlink_to("nowhere.h5")
    (tmp_path / "text.h5").write_text("a\tb\n" * 100)
    os.mkfifo(tmp_path / "pipe.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    for name, message in {
        "folder": "found no file of data", "pipe": "found no file of data", "empty": "its end is missing",
        "link": "it is a link to nothing", "text": "another program made it", "other": "another program made it",
    }.items():  # fmt: skip
        with pytest.raises(InputError, match=message) as error:
            read_all(tmp_path / f"{name}.h5")
        assert str(tmp_path / f"{name}.h5") in str(error.value)


def test_a_full_disk_is_an_error_with_its_number(whole):
    """The size that a file may have stands for a disk that is full at every point of the writing."""
    before, soft = whole.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (0, 1, 100, 2000, 3000, len(before) // 2, len(before) - 40, len(before) - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, soft[1]))
        try:
            with pytest.raises(MachineError, match="EFBIG") as error:
                write_features(whole, "c", [block()], {})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, soft)
        assert error.value.code == errno.EFBIG
        assert str(whole) in str(error.value)
        assert [path.name for path in whole.parent.iterdir()] == ["c.h5"]
    assert whole.read_bytes() == before


WRITER = """
import sys
sys.path[:0] = sys.argv[2:]
from test_hdf5 import block, read_all
from brainpid.core.errors import BrainpidError
from brainpid.features.store import write_features
try:
    write_features(sys.argv[1], "c", [block()], {})
    read_all(sys.argv[1])
except BrainpidError as error:
    sys.exit(str(error))
"""


def test_a_file_system_without_locks_and_one_that_fails(tmp_path):
    library = shim(tmp_path)
    path = tmp_path / "data" / "c.h5"
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

    def write(**faults: int) -> tuple[int, str]:
        given = os.environ | {"LD_PRELOAD": str(library), "SHIM_PATH": "/data/"}
        given |= {f"SHIM_{name.upper()}": str(number) for name, number in faults.items()}
        done = subprocess.run(
            [sys.executable, "-c", WRITER, path, *folders], env=given, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr

    assert write(flock=errno.ENOLCK, fsync=errno.EINVAL, chmod=errno.EPERM) == (0, "")
    code, message = write(read=errno.ESTALE)
    assert (code, "ESTALE" in message, str(path) in message) == (1, True, True)
    path.unlink()
    code, message = write(write=errno.ENOSPC, after=1)
    assert (code, "ENOSPC" in message, str(path) in message) == (1, True, True)
    assert list(path.parent.iterdir()) == []
