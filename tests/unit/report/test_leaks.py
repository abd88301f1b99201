"""What the audit found stands in the flags of the summary, on the page and in the methods."""

from __future__ import annotations

from report_pages import SETTINGS, raw_page, tables

from brainpid.features.findings import Finding, findings_table
from brainpid.report.flags import red_flags
from brainpid.report.leaks import leaks_in_methods

PAIRS = tuple(f"a/sub-{k} = b/sub-{k}" for k in range(30))
FOUND = findings_table(
    [
        Finding("shared_labels", "warning", "a and b", 30, PAIRS, "30 label(s) are in both", "name them as groups"),
        Finding("equal_people", "error", "a, t1", 1, ("a/<1> = a/2",), "1 pair(s) have equal features", "remove one"),
    ]
)


def test_every_finding_is_a_flag_and_a_row():
    found = tables() | {"leakage": FOUND}
    flags = [flag for flag in red_flags(SETTINGS, found, [], (), ()) if flag.section == "leaks"]
    assert [flag.words for flag in flags] == [
        "Leak in a, t1: 1 pair(s) have equal features (a/<1> = a/2)",
        f"Possible leak in a and b: 30 label(s) are in both ({', '.join(PAIRS[:3])} and 27 more)",
    ]
    page = raw_page(found)
    assert "<b>1 pair(s) have equal features</b>" in page
    assert "a/&lt;1&gt; = a/2" in page
    assert "b/sub-19 and 10 more" in page
    assert "None was found" not in page
    assert "None was found: nobody is in the study twice" in raw_page()


def test_methods_say_that_it_was_looked_for():
    assert leaks_in_methods(findings_table([])).endswith("none was found.")
    told = leaks_in_methods(FOUND)
    assert told.endswith(
        "found, and left in: people whose features are equal to those of others and labels that two cohorts have."
    )
