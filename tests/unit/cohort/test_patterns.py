"""Files of a person by shell patterns: which is taken, and what is said of who lacks one."""

from __future__ import annotations

from cohorts import touch

from brainpid.cohort.patterns import find_patterns

PATTERNS = {"lh": "surf/lh.*.txt", "log": "*.log"}


def test_the_first_that_fits_is_taken_as_people_count_and_said(tmp_path):
    touch(tmp_path, *(f"sub-01/surf/lh.{k}.txt" for k in (10, 2)), "sub-01/surf/.lh.1.txt", "sub-01/tool.log")
    (tmp_path / "sub-01/surf/lh.1.txt").mkdir()
    found = find_patterns(tmp_path, "sub-01", PATTERNS)
    own = tmp_path / "sub-01"
    assert found.files == {"lh": str(own / "surf/lh.2.txt"), "log": str(own / "tool.log")}
    assert found.note == "lh: lh.2.txt is the first of 2"
    assert found.reason == ""


def test_who_lacks_one_file_has_none(tmp_path):
    touch(tmp_path, "sub-01/tool.log")
    found = find_patterns(tmp_path, "sub-01", PATTERNS)
    assert found.files == {}
    assert found.reason == f"no lh: nothing in {tmp_path / 'sub-01'} fits surf/lh.*.txt"
    assert find_patterns(tmp_path, "sub-02", PATTERNS).reason == f"no folder {tmp_path / 'sub-02'}"
