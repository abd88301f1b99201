"""A pool in which nobody stops the others, and results that are used again exactly where they fit."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import replace

import numpy as np
import pytest
from fake_extractors import by_content
from PIL import Image

from brainpid.cohort.person_files import Found
from brainpid.core.errors import MachineError
from brainpid.core.machine import of_errno
from brainpid.features import extraction
from brainpid.features.extraction import Task, extract_people, extract_person
from brainpid.features.person_results import picture_path


@pytest.fixture
def people(tmp_path):
    """Tasks of people whose files say what happens to them, and who was computed so far."""

    def make(words: dict[str, str], settings: str = "{}", code: str = "c0", atlas: str = "") -> list[Task]:
        tasks = []
        for person, word in words.items():
            path = tmp_path / f"{person}.txt"
            if word and (not path.is_file() or path.read_text() != word):
                path.write_text(word)
            found = Found({"image": str(path)}) if word else Found(reason="no folder")
            tasks.append(Task(person, found, str(tmp_path), by_content, atlas, settings, code, tmp_path / "kept"))
        return tasks

    def computed() -> list[str]:
        log = tmp_path / "calls.log"
        lines = sorted(log.read_text().split()) if log.is_file() else []
        log.unlink(missing_ok=True)
        return lines

    return make, computed


def test_everybody_ends_with_a_status_and_a_reason(people, tmp_path):
    make, _ = people
    words = {"sub-1": "good", "sub-2": "bad", "sub-3": "bug", "sub-4": "crash", "sub-5": "moves", "sub-6": ""}
    words |= {"sub-7": "slab"}
    results = extract_people(make(words), 2)
    assert [r.participant_id for r in results] == list(words)
    assert [r.status for r in results] == ["SUCCESS", "FAIL", "FAIL", "FAIL", "EXCLUDED", "UNAVAILABLE", "UNAVAILABLE"]
    reasons = [r.reason for r in results]
    assert reasons[0] == ""
    assert reasons[6] == "0 of 9 regions are covered"  # a sound image, which fails nobody
    assert (results[0].remark, results[1].remark) == ("doubtful", "")
    assert "4 of 9 voxels are NaN" in reasons[1]
    assert reasons[2].startswith("ValueError: a library fell over")
    assert "the process died" in reasons[3]
    assert reasons[4] == "mean FD 0.9 mm, above 0.5"
    assert reasons[5] == "no folder"
    assert results[0].seconds >= 0
    assert results[0].peak_mb > 10
    assert np.asarray(Image.open(picture_path(tmp_path / "kept", "sub-1"))).tolist() == [[7] * 6] * 4


@pytest.fixture
def here(monkeypatch):
    """Extract in this process, where it does not matter which one does."""
    monkeypatch.setattr(
        extraction, "outcomes", lambda function, tasks, workers, fresh=False: ((task, function(task)) for task in tasks)
    )


def test_a_result_is_used_again_only_where_it_fits(people, tmp_path, here):
    make, computed = people
    words = {"sub-1": "good", "sub-2": "good", "sub-3": "bad"}
    first = extract_people(make(words), 1)
    assert computed() == ["sub-1", "sub-2", "sub-3"]
    again = extract_people(make(words), 1)
    assert computed() == ["sub-3"]  # a failure is tried again
    assert again[:2] == first[:2]
    extract_people(make(words | {"sub-4": "good"}), 1)
    assert computed() == ["sub-3", "sub-4"]
    os.utime(tmp_path / "sub-1.txt", ns=(1, 1))
    extract_people(make(words), 1)
    assert computed() == ["sub-3"]  # the content is the same
    extract_people(make(words, code="c1"), 1)
    assert computed() == ["sub-1", "sub-2", "sub-3"]
    extract_people(make(words, settings='{"resolution": 2}', code="c1"), 1)
    assert computed() == ["sub-1", "sub-2", "sub-3"]


def test_a_damaged_result_is_written_anew(people, tmp_path, here):
    make, computed = people
    extract_people(make({"sub-1": "good"}), 1)
    computed()
    (tmp_path / "kept" / "sub-1.json").write_text("{")
    assert extract_people(make({"sub-1": "good"}), 1)[0].status == "SUCCESS"
    assert computed() == ["sub-1"]


FAULTS = {
    "SIGKILL": r"ended by signal 9, SIGKILL, probably for lack of memory .largest process so far \d+ MB.*mem_mb",
    "SIGTERM": r"ended by signal 15, SIGTERM, from outside",
    "SIGBUS": r"ended by signal \d+, SIGBUS, from outside",
    "stale": r"ESTALE .* at .*.txt",
    "vanishes": r".txt: the file was there when it was looked for and is gone",
}


def test_a_fault_of_the_machine_fails_the_job_and_nobody(people, caplog):
    make, computed = people
    words = {"sub-1": "good", **{f"sub-{word}": word for word in FAULTS}, "sub-2": "good"}
    with pytest.raises(MachineError, match=r"^sub-\w+: .* \(5 of 7 people met such faults of the machine; nobody"):
        extract_people(make(words), 1)
    told = {record.args[0]: str(record.args[1]) for record in caplog.records if record.levelname == "ERROR"}
    assert told.keys() == {f"sub-{word}" for word in FAULTS}
    for word, message in FAULTS.items():
        assert re.search(message, told[f"sub-{word}"]), told
    assert computed() == sorted(words)
    results = extract_people(make(dict.fromkeys(words, "good")), 1)
    assert [r.status for r in results] == ["SUCCESS"] * 7
    assert computed() == sorted(f"sub-{word}" for word in FAULTS)


def test_a_fault_that_everybody_would_meet_stops_early(people, here):
    make, computed = people
    words = {"sub-1": "good", "sub-2": "no space", "sub-3": "good", "sub-4": "good"}
    with pytest.raises(MachineError, match="1 of 4 people met such faults of the machine, 2 were not begun"):
        extract_people(make(words), 1)
    assert computed() == ["sub-1", "sub-2"]


def test_a_crash_is_tried_again_alone_and_then_the_person_s(people, tmp_path):
    make, computed = people
    results = extract_people(make({"sub-1": "SIGSEGV", "sub-2": "good", "sub-3": "flaky"}), 1)
    assert [r.status for r in results] == ["FAIL", "SUCCESS", "SUCCESS"]
    assert "the process died while extracting (signal 11, SIGSEGV: a crash in compiled code" in results[0].reason
    assert computed() == ["sub-1", "sub-1", "sub-2", "sub-3", "sub-3"]


def test_the_machine_is_asked_before_a_person_is_blamed(people, tmp_path, monkeypatch):
    """An error without a number, in a folder of temporary files that is gone."""
    make, _ = people
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    attempt = extract_person(make({"sub-1": "bug"})[0])
    assert isinstance(attempt, MachineError)
    assert attempt.path == str(tmp_path / "gone")
    assert [isinstance(extract_person(make({"sub-1": word})[0]), MachineError) for word in ("bad", "good")] == [
        True,
        False,
    ]


def test_room_is_looked_at_before_the_work(people, here):
    make, computed = people
    tasks = [replace(task, scratch=2**60) for task in make({"sub-1": "good", "sub-2": "good"})]
    with pytest.raises(MachineError, match=r"sub-1: .*: [\d,]+ bytes are free .* 1,152,.* 1 were not begun"):
        extract_people(tasks, 1)
    assert computed() == []


def test_who_could_not_be_looked_for_is_nobody_s_failure(people, here):
    make, computed = people
    unseen = {"sub-9": of_errno(116, "/data/sub-9")}
    with pytest.raises(MachineError, match=r"^sub-9: ESTALE .* at /data/sub-9 .1 of 2 people"):
        extract_people(make({"sub-1": "good"}), 1, unseen)
    assert computed() == ["sub-1"]


def test_a_result_that_cannot_be_written_is_the_machine_s(people, tmp_path, here):
    make, _ = people
    (tmp_path / "kept").write_text("a file in the place of the folder")
    with pytest.raises(MachineError, match=r"sub-1: .*kept"):
        extract_people(make({"sub-1": "good"}), 1)
