"""A file is written whole or not at all, on any file system, and what the machine refuses is said in one sentence."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import pytest
from shims import shim

from brainpid.core.errors import InputError, MachineError
from brainpid.core.files import atomic_path, write_bytes, write_text

WRITER = """
import sys
from brainpid.core.errors import BrainpidError
from brainpid.core.files import write_text
try:
    write_text(sys.argv[1], "new\\n")
except BrainpidError as error:
    sys.exit(f"{error.exit_code} {error}")
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return shim(tmp_path_factory.mktemp("shim"))


def write_under(library, path, **faults):
    """Write in a process whose calls fail on everything in the file's folder; its message."""
    given = os.environ | {"LD_PRELOAD": str(library), "SHIM_PATH": f"{path.parent}/"}
    given |= {f"SHIM_{name.upper()}": str(number) for name, number in faults.items()}
    done = subprocess.run([sys.executable, "-c", WRITER, path], env=given, capture_output=True, text=True, check=False)
    return done.stderr.strip()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_what_a_file_system_does_not_have_is_no_reason_to_stop(library, tmp_path, number):
    path = tmp_path / "t.txt"
    assert write_under(library, path, fsync=number, chmod=errno.EPERM, flock=errno.ENOLCK) == ""
    assert path.read_text() == "new\n"


@pytest.mark.parametrize(
    ("call", "number"),
    [("fsync", errno.EIO), ("fsync", errno.ENOSPC), ("write", errno.EDQUOT), ("open", errno.EROFS),
     ("rename", errno.EACCES), ("write", errno.ESTALE)],
)  # fmt: skip
def test_what_the_machine_refuses_is_said_and_the_old_file_stays(library, tmp_path, call, number):
    path = tmp_path / "t.txt"
    path.write_text("old\n")
    message = write_under(library, path, **{call: number})
    assert message == f"1 {errno.errorcode[number]} ({os.strerror(number)}) at {path}"
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"t.txt": "old\n"}


def test_a_name_that_cannot_be_is_the_users(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path, name in (
        (tmp_path / "folder", "EISDIR"),
        (tmp_path / "file/t.txt", "E"),
        (tmp_path / ("x" * 300), "ENA"),
    ):
        with pytest.raises(InputError, match=rf"cannot be written: .*\({name}"):
            write_text(path, "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_the_longest_name_can_be_written(tmp_path):
    for name in ("x" * 255, "é" * 127, "日" * 85):
        write_text(tmp_path / name, "new")
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_mask_of_the_process_says_who_may_read(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "t.bin", b"new")
    finally:
        os.umask(before)
    assert (tmp_path / "t.bin").stat().st_mode & 0o777 == 0o666 & ~mask


def test_an_error_of_a_library_without_a_number_still_names_the_file(tmp_path):
    with (
        pytest.raises(MachineError, match=r"t\.bin: cannot be written: encoder error"),
        atomic_path(tmp_path / "t.bin"),
    ):
        raise OSError("encoder error -2")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_no_part(tmp_path, number):
    code = (
        "import sys, time\nfrom brainpid.core.files import atomic_path\n"
        "with atomic_path(sys.argv[1]):\n    print('half', flush=True)\n    time.sleep(60)"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "t.txt"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"half\n"
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    time.sleep(0.05)
    writer.send_signal(number)
    writer.communicate()
    assert writer.returncode == -number  # it ended as it would have
    assert list(tmp_path.iterdir()) == []


def test_the_handlers_of_others_stay(tmp_path):
    def own(number, frame): ...

    before = signal.signal(signal.SIGTERM, own)
    try:
        with atomic_path(tmp_path / "t.txt"):
            assert signal.getsignal(signal.SIGTERM) is own
            assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == (own, signal.SIG_DFL)
    finally:
        signal.signal(signal.SIGTERM, before)
