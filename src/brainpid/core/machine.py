"""Which faults are the machine's: a disk, a network, a limit or a lack of memory, and not what lies in the data.

An error with an errno says that the system refused; an error of the data, such as a checksum of gzip that does not fit,
has none. Libraries wrap the first in errors of their own, or repeat its words without the number.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from brainpid.core.errors import MachineError

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
NOT_SUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


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


def of_errno(code: int, path: str | Path) -> MachineError:
    """A `MachineError` that names the error and the file."""
    return MachineError(f"{name_of(code)} ({os.strerror(code)}) {_at(path)}", code, str(path), code in FOR_ALL)


def name_of(code: int) -> str:
    """Name of an errno, such as ESTALE; its number where it has none."""
    return errno.errorcode.get(code, f"errno {code}")


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
