"""Section of the configuration's slices about the visits of people, where every session is a row of its own."""

from __future__ import annotations

from brainpid.config.paths import PathText
from brainpid.config.section import Section

PERSON = "person"
"""Column that tells whose visit a row is; it is made, and can be named as `splits.group`."""


class Visits(Section):
    """Where the visits of a cohort's people are told.

    `bids` is the dataset whose ``sub-*_sessions.tsv`` has what changes between visits, and `session` the column of the
    participants table that names the visit of a row.
    """

    bids: PathText | None
    session: str
