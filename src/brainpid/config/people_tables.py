"""Where columns of a cohort's people are that controls and groups are read from."""

from __future__ import annotations

from brainpid.config.paths import PathText
from brainpid.config.schema import Config
from brainpid.config.section import Section
from brainpid.config.visits import Visits
from brainpid.core.names import SITE


class PeopleTable(Section):
    """Where the columns of a cohort's people are, and what the label and sex are called there."""

    path: PathText
    participant_id: str
    sex: str
    visits: Visits | None


def people_tables(config: Config) -> dict[str, PeopleTable]:
    """Participants tables, where columns of theirs are controls."""
    if not any(isinstance(one, str) and one != SITE for one in config.controls):
        return {}
    return {
        name: PeopleTable(
            path=block.participants_path,
            participant_id=block.columns.participant_id,
            sex=block.columns.sex,
            visits=config.visits_of(name),
        )
        for name, block in config.cohorts.items()
    }
