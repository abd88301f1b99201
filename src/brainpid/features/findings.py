"""What an audit for leaks finds: one line a finding, with who, where, why it matters and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

import pandas as pd

from brainpid.core.errors import list_some

ERROR: Final = "error"
WARNING: Final = "warning"
Severity = Literal["error", "warning"]
MOST_NAMED = 3
"""People or features that a sentence names; the table has them all."""


class Finding(NamedTuple):
    """One thing that may make results look better than they are.

    Attributes
    ----------
    finding : str
        Its kind, one word.
    severity : {"error", "warning"}
        error: results are too good, or of the target itself, as long as it stands; warning: it may be so.
    where : str
        Cohorts, modalities or columns.
    n : int
        How many of what `who` lists.
    who : tuple of str
        People as ``cohort/participant_id``, pairs joined with ``=``, or features.
    words : str
        What was found, and why it matters.
    remedy : str
        What to do.
    """

    finding: str
    severity: Severity
    where: str
    n: int
    who: tuple[str, ...]
    words: str
    remedy: str

    @property
    def sentence(self) -> str:
        """All of it in one sentence, with the first who are meant, and without its full stop."""
        named = f" ({list_some(self.who, MOST_NAMED)})" if self.who else ""
        return f"{self.where}: {self.words}{named}; {self.remedy}"


COLUMNS = {
    "severity": "error: results are too good as long as it stands; warning: they may be",
    "finding": "what it is, one word",
    "where": "cohorts, modalities or columns",
    "n": "how many of what `who` lists",
    "who": "people as cohort/participant_id, those who are one person joined with =, or features; separated by ;",
    "words": "what was found, and why it matters",
    "remedy": "what to do",
}
"""Columns of ``aggregate/leakage.tsv``."""


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Findings as a table with the columns `COLUMNS`, errors first."""
    ordered = sorted(findings, key=lambda one: (one.severity != ERROR, one.finding, one.where))
    rows = [one._asdict() | {"who": "; ".join(one.who)} for one in ordered]
    return pd.DataFrame(rows, columns=list(COLUMNS))
