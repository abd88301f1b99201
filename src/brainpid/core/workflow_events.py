"""What Snakemake tells while it works, as lines of JSON for the process that started it.

Snakemake's log records carry their facts (``event``, `snakemake_interface_logger_plugins.common.LogEvent`) beside the
sentences that it prints; these lines hold what is shown of them, so that no sentence has to be read back.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from brainpid.core.run_owner import PARENT

EVENTS = "BRAINPID_EVENTS"
"""Variable of the environment: the number of the open file that the lines go to."""


class EventHandler(logging.Handler):
    """Writes a line a record; who no longer reads them is no reason to stop.

    Parameters
    ----------
    file : int
        Number of an open file, such as the end of a pipe.
    """

    def __init__(self, file: int) -> None:
        super().__init__()
        self.file = file

    def emit(self, record: logging.LogRecord) -> None:
        """Write what is to be shown of a record."""
        fields = shown_of(record)
        if fields is not None:
            self.tell(fields)

    def tell(self, fields: dict[str, Any]) -> None:
        """Write one line."""
        line = memoryview(json.dumps(fields).encode() + b"\n")
        with suppress(OSError):
            while line:
                line = line[os.write(self.file, line) :]


def shown_of(record: logging.LogRecord) -> dict[str, Any] | None:
    """Facts of a record of Snakemake's that are shown; None for one that is not.

    Raises
    ------
    AttributeError
        Where Snakemake's records lack a fact, as those of another version might.
    """
    kind = str(getattr(record, "event", None) or "")
    own: Any = record
    match kind:
        case "run_info":
            return {"event": kind, "stats": own.stats}
        case "job_info":
            log = [str(path) for path in own.log]
            return {"event": kind, "job": own.jobid, "rule": own.rule_name, "of": dict(own.wildcards), "log": log}
        case "job_finished":
            return {"event": kind, "job": own.job_id}
        case "job_error":
            log = [str(path) for path in own.log]
            return {"event": kind, "job": own.jobid, "rule": own.rule_name, "log": log}
    if record.levelno == logging.WARNING and not kind:
        return {"event": "warning", "message": record.getMessage()}
    return None


def tell_starter(logger: logging.Logger, output_dir: str) -> None:
    """Let a logger tell the process that started this one, where that asks for it, and end with it.

    Parameters
    ----------
    logger : Logger
        Snakemake's.
    output_dir : str
        Of the configuration that Snakemake merged.
    """
    if file := os.environ.get(EVENTS):
        handler = EventHandler(int(file))
        handler.tell({"event": "study", "output_dir": output_dir})
        logger.addHandler(handler)
    if (parent := os.environ.get(PARENT)) and os.getpgrp() == os.getpid():
        threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()


def _end_with(parent: int) -> None:
    """Tell this process and its jobs to end once the process that started it has, however it did."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(os.getpgrp(), signal.SIGTERM)
