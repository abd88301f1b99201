"""What a table says, as a digest: what a result depends on, and not how the file is written.

Line ends, a byte order mark, quotes around cells, empty lines and columns that nobody reads are not in it, and neither
is the time of the file. Of the JSON beside a table the units and regions of the columns that are read count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from brainpid.core.errors import InputError
from brainpid.core.machine import machine_error
from brainpid.core.rows import read_rows

Chooser = Callable[[Sequence[str]], Iterable[str]]
DESCRIBED = ("Units", "Region")
"""Keys of a column's entry in the JSON beside a table that are read."""


def table_digest(path: str | Path, uses: Chooser, describes: Chooser) -> str:
    """Digest of some columns of a delimited file, as 16 hexadecimal digits.

    Parameters
    ----------
    path : path
        A .tsv or .csv file. Of one that is no table every byte counts: who reads it says what is wrong with it.
    uses : callable
        Takes the names of all columns and gives those that are read.
    describes : callable
        Likewise those of which the JSON beside the table is read.

    Raises
    ------
    MachineError
        Where the machine does not read it, which says nothing of what the table says.
    """
    path = Path(path)
    digest = hashlib.sha256()
    try:
        rows = read_rows(path)
        names = next(rows).cells
        used = set(uses(names))
        places = [place for place, name in enumerate(names) if name in used]
        _add(digest, [names[place] for place in places])
        for row in rows:
            # A line of another width is an error for who reads it, wherever the cells stand.
            whole = len(row.cells) == len(names)
            _add(digest, [row.cells[place] for place in places] if whole else ["", *row.cells])
        _add(digest, [_described(path.with_suffix(".json"), describes(names))])
    except (InputError, StopIteration):
        return hashlib.sha256(_bytes(path)).hexdigest()[:16]
    except OSError as fault:
        raise (machine_error(fault, path) or fault) from fault
    return digest.hexdigest()[:16]


def _bytes(path: Path) -> bytes:
    """Content of a file that is no table; none where there is no file, or it is closed."""
    try:
        return path.read_bytes()
    except OSError as fault:
        if (found := machine_error(fault, path)) is not None and not isinstance(fault, PermissionError):
            raise found from fault
        return b""


def _add(digest: hashlib._Hash, cells: list[str]) -> None:
    """Add the cells of a row; none of them holds the characters between them."""
    digest.update("\x1f".join(cells).encode() + b"\x1e")


def _described(path: Path, names: Iterable[str]) -> str:
    """What the JSON beside a table says of columns, as text; its bytes where it cannot be read."""
    if not path.is_file():
        return "{}"
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError:
        return path.read_bytes().hex()
    if not isinstance(content, dict):
        return path.read_bytes().hex()
    entries = {name: content[name] for name in names if isinstance(content.get(name), dict)}
    told = {name: {key: entry[key] for key in DESCRIBED if key in entry} for name, entry in entries.items()}
    return json.dumps({name: entry for name, entry in told.items() if entry}, sort_keys=True)
