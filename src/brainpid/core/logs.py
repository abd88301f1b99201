"""How the program speaks while it works: lines for people on a terminal, ``key=value`` lines in a job's log.

Modules log plain sentences, and numbers that a program may want as ``extra={"n": 3}``.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from brainpid.core.progress import say_above, show_on

_OWN = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}


class KeyValues(logging.Formatter):
    """One line a record: ``time=... level=... module=... message="..."`` and its extra values; times are in UTC.

    Values with spaces, quotes or an equals sign are quoted as JSON does, so that lines can be split by a program.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, its traceback in the same line."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "module": record.name,
            "message": record.getMessage(),
        }
        fields |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())


def _quoted(value: object) -> str:
    """Text of a value, in quotes where it could not be told from the rest of the line."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    plain = text != "" and text.isprintable() and not any(mark in text for mark in ' "=')
    return text if plain else json.dumps(text, ensure_ascii=False)


class _AboveBars(logging.StreamHandler[TextIO]):
    """Writes lines above a bar that is shown meanwhile."""

    def emit(self, record: logging.LogRecord) -> None:
        if not say_above(self.format(record)):
            super().emit(record)


def start(stream: TextIO | None = None) -> None:
    """Let the program log to a stream, standard error by default: for people on a terminal, else for programs."""
    stream = sys.stderr if stream is None else stream
    handler = _AboveBars(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s") if stream.isatty() else KeyValues())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("brainpid").setLevel(logging.NOTSET)  # a verb that wanted less may have run in this process
    show_on(stream)
