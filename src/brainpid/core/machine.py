"""Which faults are the machine's: a disk, a network, a limit or a lack of memory, and not what lies in the data.

An error with an errno says that the system refused; an error of the data, such as a checksum of gzip that does not fit,
has none. Libraries wrap the first in errors of their own, or repeat its words without the number.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from brainpid.core.errors import InputError, MachineError

OF_THE_DATA = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.EEXIST,
        errno.ENOTEMPTY,
        errno.EINVAL,  # as of a place in the file that a damaged header gives
        errno.EOVERFLOW,
        errno.ESPIPE,
        errno.EILSEQ,
        errno.EDOM,
        errno.ERANGE,
    }
)
"""What the system says of a name, of a kind of file or of a senseless number; every other errno is the machine's."""
FOR_ALL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EROFS})
"""What the next person would meet as well; a lack of memory is not among them, since images differ in size."""
HIDDEN = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS, errno.EIO, errno.ESTALE),
    *(errno.EACCES, errno.EPERM, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN, errno.ESHUTDOWN, errno.EFBIG),
)
"""Errors that are known by their words where a library gives no number."""
NO_MEMORY = ("bad_alloc", "failed to allocate memory", "out of memory", "unable to allocate", "can't allocate")
"""How compiled code says that no memory was left."""
NOT_SUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
LEAST_MEMORY = 64 * 1024**2
_TRIAL = 64 * 1024


def machine_error(fault: BaseException, path: str | Path = "") -> MachineError | None:
    """The machine's fault behind an error, wherever it stands in the chain of causes; None where there is none.

    Parameters
    ----------
    fault : exception
    path : path
        File that was in use, for an error that names none.
    """
    for one in _chain(fault):
        if isinstance(one, MachineError):
            return one
        if isinstance(one, OSError) and one.errno is not None and one.errno not in OF_THE_DATA:
            return of_errno(one.errno, str(one.filename or path))
        if isinstance(one, MemoryError):
            words = " ".join(str(one).split())[:160]
            return MachineError(f"no memory left{f' ({words})' if words else ''}; {_at(path)}", errno.ENOMEM, str(path))
    return None


def refuse_machine_fault(fault: BaseException, path: str | Path) -> None:
    """Raise the `MachineError` behind an error of reading a file, where there is one.

    Raises
    ------
    MachineError
    """
    if (found := machine_error(fault, path)) is not None:
        raise found from fault


def told_in_words(fault: BaseException, path: str | Path = "") -> MachineError | None:
    """The machine's fault that an error of compiled code speaks of without a number; None where it does not."""
    for one in _chain(fault):
        words = str(one).lower()
        if any(phrase in words for phrase in NO_MEMORY):
            return MachineError(f"no memory left ({' '.join(str(one).split())[:160]})", errno.ENOMEM, str(path))
        for code in HIDDEN:
            if os.strerror(code).lower() in words:
                return MachineError(
                    f"{name_of(code)} ({' '.join(str(one).split())[:300]})", code, str(path), code in FOR_ALL
                )
    return None


def of_errno(code: int, path: str | Path) -> MachineError:
    """A `MachineError` that names the error and the file."""
    return MachineError(f"{name_of(code)} ({os.strerror(code)}) {_at(path)}", code, str(path), code in FOR_ALL)


def name_of(code: int) -> str:
    """Name of an errno, such as ESTALE; its number where it has none."""
    return errno.errorcode.get(code, f"errno {code}")


def check_room(needed: int) -> None:
    """Look at the folder of temporary files before a tool writes there.

    Parameters
    ----------
    needed : int
        Bytes that the tool writes.

    Raises
    ------
    MachineError
        Where there is no such folder, it cannot be written, or it has less room; the message has both numbers.
    """
    folder = _temporary()
    try:
        there = os.statvfs(folder)
    except OSError as fault:
        raise of_errno(fault.errno or errno.EIO, folder) from fault
    free = there.f_bavail * there.f_frsize
    if free < needed:
        raise MachineError(
            f"{folder}: {free:,} bytes are free for temporary files, {needed:,} are needed; make room there, or set "
            "TMPDIR to a folder that has it",
            errno.ENOSPC,
            folder,
            True,
        )
    if there.f_files and not there.f_favail:  # file systems without a table of files say 0 of 0
        raise MachineError(f"{folder}: no file can be made there, all inodes are in use", errno.ENOSPC, folder, True)


def free_bytes_for(folder: str | Path, key: str) -> int:
    """Bytes that are free where a folder is, or will be made; nothing is made or written.

    Parameters
    ----------
    folder : path
    key : str
        Of the configuration, for messages.

    Raises
    ------
    InputError
        Where a file is in its place, or it cannot be written into.
    """
    place = Path(folder).absolute()
    there = next(one for one in (place, *place.parents) if one.exists() or one.is_symlink())
    if not there.is_dir():
        raise InputError(f"{key}: {folder} cannot be made: {there} is a file or a broken link, and no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{key}: {folder} cannot be written into: {there} is not writable for this user")
    try:
        found = os.statvfs(there)
    except OSError as fault:
        raise of_errno(fault.errno or errno.EIO, there) from fault
    if found.f_files and not found.f_favail:
        raise InputError(f"{key}: no file can be made in {there}, all inodes are in use")
    return found.f_bavail * found.f_frsize


def try_temporary_files(size: int) -> None:
    """Write, flush and read temporary files, as a tool would; quotas are seen in no other way.

    Parameters
    ----------
    size : int
        Bytes to write, at least; no fewer than 64 KiB are.

    Raises
    ------
    MachineError
        Where that fails.
    """
    folder = _temporary()
    content = b"0" * max(size, _TRIAL)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(content)
            file.flush()
            try:
                os.fsync(file.fileno())
            except OSError as fault:
                if fault.errno not in NOT_SUPPORTED:
                    raise
            file.seek(0)
            read = file.read()
    except OSError as fault:
        raise (machine_error(fault, folder) or of_errno(fault.errno or errno.EIO, folder)) from fault
    if read != content:
        raise MachineError(f"{folder}: a file reads other than it was written", errno.EIO, folder, True)


def check_memory() -> None:
    """Look whether the machine has memory left, where it tells.

    Raises
    ------
    MachineError
        Where less than `LEAST_MEMORY` can be had.
    """
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        left = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):  # another system
        return
    if left < LEAST_MEMORY:
        raise MachineError(f"no memory left: {left:,} bytes can be had", errno.ENOMEM)


def _temporary() -> str:
    """Folder of temporary files: that of TMPDIR, or the next one where it cannot be written at all."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError as fault:
        raise MachineError(" ".join(str(fault.strerror or fault).split()), errno.ENOSPC, "", True) from fault


def _at(path: str | Path) -> str:
    return f"at {path}" if str(path) else "at a file that is not named"


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    """An error, what it was raised from, and what was being handled then."""
    waiting, seen = [fault], set[int]()
    while waiting:
        one = waiting.pop(0)
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]
