"""HDF5 files that are whole or refused: the only module that opens one.

The library for HDF5 asks for locks, which many file systems of clusters do not have and which files that are written
once under another name do not need; it ends the process where a write fails while it closes a file; and what a damaged
file does inside it nobody knows. It therefore sees no disk: it works on memory that holds all but the large arrays, and
this module moves that memory, and the large arrays past the library, to the disk and back.

Behind the content stands a seal, with its size, the checksum (CRC-32) of all but the large arrays, and the place and
checksum of each of those. The first is compared before the library sees anything, the second where an array is read.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError
from brainpid.core.files import atomic_path
from brainpid.core.machine import machine_error

FOOTER = re.compile(rb"brainpid-seal ([0-9a-f]{8}) ([0-9a-f]{8})\n")
"""The last bytes of a file: length and checksum of the seal before them."""
FOOTER_LENGTH = 32
LONGEST_SEAL = 1 << 20
PAGE = 1 << 16


class Part(NamedTuple):
    """Where a large array stands in a file, in bytes, and its CRC-32."""

    offset: int
    length: int
    checksum: int


class _Memory:
    """A file in memory without room for what was never written, which reads as zeros."""

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}
        self.size = 0
        self.place = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place

    def tell(self) -> int:
        return self.place

    def read(self, size: int) -> bytes:
        buffer = bytearray(max(0, min(size, self.size - self.place)))
        self.readinto(buffer)
        return bytes(buffer)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        view = memoryview(buffer).cast("B")
        for number, start, piece in self._pieces(view):
            page = self.pages.get(number)
            piece[:] = bytes(len(piece)) if page is None else page[start : start + len(piece)]
        self.place += len(view)
        return len(view)

    def write(self, content: bytes | memoryview) -> int:
        view = memoryview(content).cast("B")
        for number, start, piece in self._pieces(view):
            self.pages.setdefault(number, bytearray(PAGE))[start : start + len(piece)] = piece
        self.place += len(view)
        self.size = max(self.size, self.place)
        return len(view)

    def _pieces(self, view: memoryview) -> Iterator[tuple[int, int, memoryview]]:
        """Parts of what is read or written at the place: the page of each, where it begins there, and its bytes."""
        done = 0
        while done < len(view):
            number, start = divmod(self.place + done, PAGE)
            piece = view[done : done + PAGE - start]
            yield number, start, piece
            done += len(piece)

    def truncate(self, size: int) -> None:
        self.size = size

    def flush(self) -> None:
        """Nothing: there is no disk."""


def _between(size: int, parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
    """Place and length of pieces, of a page at most, of all that is in no part."""
    start = 0
    for part in [*parts, Part(size, 0, 0)]:
        while start < part.offset:
            length = min(PAGE, part.offset - start)
            yield start, length
            start += length
        start = part.offset + part.length


def _write(raw: RawIOBase, content: bytes | memoryview) -> None:
    """Write all; the system takes 2 GB at most at once."""
    view = memoryview(content)
    while view:
        view = view[raw.write(view) :]


def _read(raw: RawIOBase, view: memoryview) -> int:
    """Read until the view is full or the file ends."""
    done = 0
    while done < len(view):
        count = raw.readinto(view[done:])
        if not count:
            break
        done += count
    return done


class Writer:
    """An HDF5 file that is being made; `file` is what h5py calls a file, for everything but large arrays."""

    def __init__(self, file: h5py.File, raw: RawIOBase) -> None:
        self.file = file
        self.parts: list[Part] = []
        self._raw = raw

    def array(self, group: h5py.Group, name: str, values: NDArray[np.generic]) -> None:
        """Write a large array, contiguous, with its own checksum."""
        place = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        place.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        place.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        dataset = group.create_dataset(name, shape=values.shape, dtype=values.dtype, dcpl=place)
        if values.size:
            content = np.ascontiguousarray(values).data.cast("B")
            self.parts.append(Part(dataset.id.get_offset(), len(content), zlib.crc32(content)))
            self._raw.seek(self.parts[-1].offset)
            _write(self._raw, content)


@contextmanager
def written(path: str | Path) -> Iterator[Writer]:
    """Make or replace an HDF5 file, whole or not at all.

    Raises
    ------
    MachineError
        Where the machine does not write it, as on a full disk.
    """
    memory = _Memory()
    with atomic_path(path) as temporary, temporary.open("r+b", buffering=0) as raw:
        with h5py.File(memory, "w") as file:
            writer = Writer(file, raw)
            yield writer
        parts, rest = sorted(writer.parts), 0
        for start, length in _between(memory.size, parts):
            memory.seek(start)
            content = memory.read(length)
            rest = zlib.crc32(content, rest)
            raw.seek(start)
            _write(raw, content)
        seal = json.dumps({"size": memory.size, "rest": rest, "parts": parts}).encode()
        raw.seek(memory.size)
        _write(raw, seal + b"brainpid-seal %08x %08x\n" % (len(seal), zlib.crc32(seal)))


class Reader:
    """An HDF5 file that is whole; `file` is what h5py calls a file, for everything but large arrays."""

    def __init__(self, path: Path, file: h5py.File, raw: RawIOBase, parts: Sequence[Part]) -> None:
        self.file = file
        self._path = path
        self._raw = raw
        self._parts = {part.offset: part for part in parts}

    def array(self, dataset: h5py.Dataset) -> FloatArray:
        """Read a large array.

        Raises
        ------
        InputError
            Where it is not what was written.
        MachineError
            Where the machine does not read it.
        """
        values = np.empty(dataset.shape, dtype=dataset.dtype)
        if values.size:
            part, content = self._parts[dataset.id.get_offset()], values.data.cast("B")
            try:
                self._raw.seek(part.offset)
                count = _read(self._raw, content)
            except OSError as fault:
                raise (machine_error(fault, self._path) or fault) from fault
            if count != part.length or zlib.crc32(content) != part.checksum:
                raise _damaged(self._path, f"the values of {dataset.name} are not those that were written")
        return values


@contextmanager
def opened(path: str | Path) -> Iterator[Reader]:
    """Open an HDF5 file that `written` made, for reading.

    Raises
    ------
    InputError
        Where the file is absent, damaged, or no such file.
    MachineError
        Where the machine does not read it.
    """
    path = Path(path)
    if not path.is_file():
        link = "; it is a link to nothing" if path.is_symlink() and not path.exists() else ""
        raise InputError(
            f"{path}: expected a feature file, found no file of data"
            if path.exists()
            else f"{path}: the feature file does not exist{link}"
        )
    try:
        raw = path.open("rb", buffering=0)
    except PermissionError as fault:
        raise InputError(f"{path}: the feature file may not be read ({fault.strerror})") from fault
    with raw:
        try:
            memory, parts = _checked(path, raw)
        except OSError as fault:
            raise (machine_error(fault, path) or fault) from fault
        with h5py.File(memory, "r") as file:
            yield Reader(path, file, raw, parts)


def _damaged(path: Path, what: str) -> InputError:
    """Error of a file that is not what was written."""
    return InputError(f"{path}: not a readable HDF5 file of features: {what}; delete it and run again")


def _checked(path: Path, raw: RawIOBase) -> tuple[_Memory, list[Part]]:
    """Content of a file without its large arrays, once all of it is what was written, and where the arrays are."""

    def read(start: int, length: int) -> bytes:
        content = bytearray(length)
        raw.seek(start)
        return bytes(content[: _read(raw, memoryview(content))])

    whole = raw.seek(0, 2)
    footer = FOOTER.fullmatch(read(max(0, whole - FOOTER_LENGTH), FOOTER_LENGTH))
    length = int(footer[1], 16) if footer else 0
    size = whole - FOOTER_LENGTH - length
    if footer is None or length > LONGEST_SEAL or size < 0:
        raise _damaged(path, "its end is missing, as where a copy was cut short, or another program made it")
    seal = read(size, length)
    if zlib.crc32(seal) != int(footer[2], 16):
        raise _damaged(path, "its last bytes are not those that were written")
    told = json.loads(seal)
    if told["size"] != size:
        raise _damaged(path, f"it has {size} bytes before its end, and {told['size']} were written")
    memory, rest, parts = _Memory(), 0, [Part(*one) for one in told["parts"]]
    for start, count in _between(size, parts):
        content = read(start, count)
        rest = zlib.crc32(content, rest)
        memory.seek(start)
        memory.write(content)
    if rest != told["rest"]:
        raise _damaged(path, "some of its bytes are not those that were written")
    memory.truncate(size)
    return memory, parts
