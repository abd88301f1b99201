"""The store gives back what was put in, whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brainpid.cohort.participants import STATUSES
from brainpid.core.errors import InputError
from brainpid.features.block import FeatureBlock
from brainpid.features.hdf5 import written
from brainpid.features.store import read_cohort, read_features, read_modalities, read_provenance, write_features

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)


@st.composite
def blocks(draw):
    n, p = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    texts = lambda size, unique: tuple(draw(st.lists(TEXT, min_size=size, max_size=size, unique=unique)))  # noqa: E731
    return FeatureBlock(
        modality=draw(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)),
        participant_id=texts(n, True),
        names=texts(p, True),
        units=texts(p, False),
        values=draw(hnp.arrays(np.float32, (n, p), elements=st.floats(width=32, allow_infinity=False))),
        status=tuple(draw(st.lists(st.sampled_from(STATUSES), min_size=n, max_size=n))),
        reason=texts(n, False),
    )


@given(block=blocks(), data=st.data())
def test_round_trip(tmp_path_factory, block, data):
    path = tmp_path_factory.mktemp("store") / "c.h5"
    write_features(path, "c", [block], {"made": "here"})
    found = read_features(path, block.modality)
    assert read_modalities(path) == (block.modality,)
    assert (read_cohort(path), read_provenance(path)) == ("c", {"made": "here"})
    for field in ("participant_id", "names", "units", "status", "reason"):
        assert getattr(found, field) == getattr(block, field)
    np.testing.assert_array_equal(found.values, block.values)
    rows = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(block.status), max_size=len(block.status))), dtype=bool
    )
    some = read_features(path, block.modality, rows)
    np.testing.assert_array_equal(some.values, block.values[rows])
    assert some.participant_id == tuple(np.array(block.participant_id, dtype=object)[rows])


def small_block(value: float, n: int = 3) -> FeatureBlock:
    labels = tuple(f"sub-{k}" for k in range(n))
    return FeatureBlock("t1", labels, ("x",), ("mm",), np.full((n, 1), value), ("SUCCESS",) * n, ("",) * n)


WRITER = """
import sys, numpy as np
sys.path.insert(0, {tests!r})
from test_store import small_block
from brainpid.features import store
def blocks():
    yield small_block(2.0)
    print("half", flush=True)
    sys.stdin.readline()
store.write_features({path!r}, "c", blocks(), {{}})
"""


def test_kill_in_the_middle_of_a_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "c.h5"
    write_features(path, "c", [small_block(1.0)], {})
    before = path.read_bytes()
    script = WRITER.format(tests=os.path.dirname(__file__), path=str(path))
    writer = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"half\n"
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    assert path.read_bytes() == before
    assert read_features(path, "t1").values[0, 0] == 1.0


def test_an_error_in_the_middle_of_a_write_leaves_nothing_behind(tmp_path):
    def spoilt():
        yield small_block(1.0)
        raise InputError("stop")

    with pytest.raises(InputError, match="stop"):
        write_features(tmp_path / "c.h5", "c", spoilt(), {})
    assert list(tmp_path.iterdir()) == []


def test_damage_is_named(tmp_path):
    path = tmp_path / "c.h5"
    with pytest.raises(InputError, match="does not exist"):
        read_features(path, "t1")
    write_features(path, "c", [small_block(1.0, 3000)], {})
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="not a readable HDF5 file"):
        read_features(path, "t1")
    with written(path) as writer:
        writer.file.attrs["format"] = "another"
    with pytest.raises(InputError, match="expected a feature file of format"):
        read_features(path, "t1")


def test_unknown_modality_and_wrong_mask(tmp_path):
    path = tmp_path / "c.h5"
    write_features(path, "c", [small_block(1.0)], {})
    with pytest.raises(InputError, match="no modality 'dwi'; found t1"):
        read_features(path, "dwi")
    with pytest.raises(InputError, match="row mask"):
        read_features(path, "t1", np.ones(2, dtype=bool))
