"""Every path in a rule's command is quoted."""

from __future__ import annotations

import re

import pytest
from cohorts import ROOT

RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))


@pytest.mark.parametrize("path", RULES, ids=[path.stem for path in RULES])
def test_what_may_hold_a_path_is_quoted(path):
    for command in re.findall(r"^    shell:\n((?:        .*\n)+)", path.read_text(), flags=re.MULTILINE):
        fields = re.findall(r"\{((?:input|output|log|params)[^}]*)\}", command)
        assert fields
        assert [field for field in fields if not field.endswith(":q")] == []
        assert command.count("$(") == command.count('"$(')
