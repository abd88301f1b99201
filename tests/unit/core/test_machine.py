"""What is the machine's fault, however it is wrapped, and what lies in the data."""

from __future__ import annotations

import errno
import gzip
import os
import pickle
import tempfile

import pytest

from brainpid.core import machine
from brainpid.core.errors import ImageError, InputError, MachineError
from brainpid.core.machine import (
    check_memory,
    check_room,
    free_bytes_for,
    machine_error,
    refuse_machine_fault,
    told_in_words,
    try_temporary_files,
)


def wrapped(fault: BaseException) -> Exception:
    """An error as libraries wrap it: raised while one is handled, and again from that one."""
    try:
        try:
            try:
                raise fault
            except BaseException:
                raise RuntimeError("no such file or no access")  # noqa: B904
        except RuntimeError as middle:
            raise ImageError("not readable") from middle
    except ImageError as last:
        return last


@pytest.mark.parametrize("code", [5, 13, 12, 24, 28, 37, 108, 110, 116, 122, 524])
def test_an_errno_of_the_system_is_the_machine_s_however_it_is_wrapped(code):
    fault = OSError(code, "x", "/data/a.nii")
    for one in (fault, wrapped(fault)):
        found = machine_error(one)
        assert found is not None
        assert (found.code, found.path, found.exit_code) == (code, "/data/a.nii", 1)
        assert str(found).startswith(f"{errno.errorcode.get(code, 'errno 524')} (")
        assert str(found).endswith(" at /data/a.nii")
        assert found.for_all == (code in (24, 28, 122))  # the next person would meet it too
    with pytest.raises(MachineError, match=r" at /data/a\.nii$"):
        refuse_machine_fault(wrapped(fault), "")


@pytest.mark.parametrize(
    "fault",
    [
        gzip.BadGzipFile("CRC check failed"),
        EOFError("Compressed file ended"),
        ValueError("mmap length is greater than file size"),
        FileNotFoundError(2, "x"),
        IsADirectoryError(21, "x"),
        OSError(22, "Invalid argument"),
        OSError("could the file be damaged?"),
    ],
)
def test_what_lies_in_the_data_is_not(fault):
    assert machine_error(wrapped(fault)) is None
    refuse_machine_fault(fault, "a")


def test_a_lack_of_memory_is_and_names_the_file():
    found = machine_error(wrapped(MemoryError("Unable to allocate 3 GiB")), "a.nii")
    assert str(found) == "no memory left (Unable to allocate 3 GiB); at a.nii"


def test_words_of_compiled_code_stand_for_the_number():
    for words, code in (
        ("Could not open file t1Warp.nii.gz. Reason: No space left on device", 28),
        ("std::bad_alloc", 12),
        ("Failed to allocate memory for image.", 12),
        ("cannot open shared object file: Input/output error", 5),
    ):
        found = told_in_words(wrapped(RuntimeError(words)))
        assert found is not None
        assert found.code == code
        assert words in str(found)
    assert told_in_words(RuntimeError("antsApplyTransforms returned non-zero exit code 1")) is None


def test_a_fault_travels_between_processes():
    fault = pickle.loads(pickle.dumps(MachineError("no room", 28, "/tmp", True)))
    assert (str(fault), fault.code, fault.path, fault.for_all) == ("no room", 28, "/tmp", True)


def test_room_for_temporary_files_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    check_room(1)
    try_temporary_files(100_000)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(MachineError, match=rf"{tmp_path}: [\d,]+ bytes are free .* 1,152,921,504,606,846,976 are need"):
        check_room(2**60)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    for look in (check_room, try_temporary_files):
        with pytest.raises(MachineError, match=rf"ENOENT .* at {tmp_path}/gone"):
            look(1)


def test_memory_is_looked_at(monkeypatch):
    check_memory()
    monkeypatch.setattr(machine, "LEAST_MEMORY", 2**60)
    with pytest.raises(MachineError, match=r"no memory left: [\d,]+ bytes can be had"):
        check_memory()


def test_the_room_of_a_folder_that_is_not_there_is_that_of_the_one_above(tmp_path):
    found, there = free_bytes_for(tmp_path / "a/b/c", "output_dir"), os.statvfs(tmp_path)
    assert found == pytest.approx(there.f_bavail * there.f_frsize, rel=0.05)
    assert not (tmp_path / "a").exists()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"output_dir: .*link/out cannot be made: .*link is a file or a broken link"):
        free_bytes_for(tmp_path / "link/out", "output_dir")
