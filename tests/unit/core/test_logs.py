"""Lines of a job's log can be read by a program; a terminal gets sentences and a progress bar."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest

from brainpid.core import logs


@pytest.fixture
def logger():
    """Start logging to a stream, and put the root logger back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def start(stream):
        root.handlers[:] = []
        logs.start(stream)
        return logging.getLogger("brainpid.somewhere")

    yield start
    root.handlers[:], level = before
    root.setLevel(level)
    logs.start(io.StringIO())


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_job_s_log_has_keys_and_values(logger):
    stream = io.StringIO()
    log = logger(stream)
    log.info('%d people of "a=b"', 3, extra={"n_train": 3, "slope": 0.123456789, "note": "a b"})
    log.warning("two\nlines")
    first, second = stream.getvalue().splitlines()  # one line a record, whatever is in it
    found = dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', first))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", found["time"])
    assert (found["level"], found["module"], found["n_train"]) == ("INFO", "brainpid.somewhere", "3")
    assert json.loads(found["message"]) == '3 people of "a=b"'
    assert (found["slope"], found["note"]) == ("0.123457", '"a b"')
    assert r'message="two\nlines"' in second


def test_a_terminal_gets_sentences(logger):
    stream = Terminal()
    logger(stream).info("three people", extra={"n": 3})
    assert stream.getvalue() == "INFO brainpid.somewhere: three people\n"
