"""What Snakemake tells is passed on as lines, from the facts of its own records."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from brainpid.core.workflow_events import EventHandler, tell_starter


@pytest.fixture
def told():
    """A logger, and a function that gives what it told so far."""
    read, write = os.pipe()
    handler = EventHandler(write)
    logger = logging.getLogger("as_snakemake")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield logger, lambda: [json.loads(line) for line in os.read(read, 99_999).splitlines()]
    logger.removeHandler(handler)
    os.close(read)
    os.close(write)


def test_records_become_lines(told):
    logger, lines = told
    logger.info("stats", extra={"event": LogEvent.RUN_INFO, "stats": {"split": 1, "total": 1}})
    logger.info("Execute 1 jobs...", extra={"event": LogEvent.JOB_STARTED, "jobs": [1]})
    wildcards = {"model": "ridge"}
    logger.info("r", extra={"event": LogEvent.JOB_INFO, "jobid": 1, "rule_name": "split", "wildcards": wildcards,
                            "log": ["a.log"]})  # fmt: skip
    logger.error("e", extra={"event": LogEvent.JOB_ERROR, "jobid": 1, "rule_name": "split", "log": ["a.log"]})
    logger.info("f", extra={"event": LogEvent.JOB_FINISHED, "job_id": 1})
    logger.warning("memory: little")
    logger.info("Select jobs to execute...")
    assert lines() == [
        {"event": "run_info", "stats": {"split": 1, "total": 1}},
        {"event": "job_info", "job": 1, "rule": "split", "of": wildcards, "log": ["a.log"]},
        {"event": "job_error", "job": 1, "rule": "split", "log": ["a.log"]},
        {"event": "job_finished", "job": 1},
        {"event": "warning", "message": "memory: little"},
    ]


def test_who_no_longer_reads_stops_nothing():
    read, write = os.pipe()
    os.close(read)
    EventHandler(write).tell({"event": "study"})
    os.close(write)


def test_nobody_is_told_who_does_not_ask(monkeypatch):
    monkeypatch.delenv("BRAINPID_EVENTS", raising=False)
    monkeypatch.delenv("BRAINPID_PARENT", raising=False)
    logger = logging.getLogger("nobody")
    tell_starter(logger, "out")
    assert logger.handlers == []


def test_a_run_ends_with_who_started_it():
    child = (
        "import logging, time; from brainpid.core.workflow_events import tell_starter\n"
        "tell_starter(logging.getLogger(), 'out'); print('ready', flush=True); time.sleep(60)"
    )
    parent = (
        "import os, subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}], process_group=0,"
        " env=os.environ | {'BRAINPID_PARENT': str(os.getpid())})\ntime.sleep(60)"
    )
    started = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    started.kill()
    assert started.stdout.read() == ""  # the child, which has the other end, is gone
    started.wait()
