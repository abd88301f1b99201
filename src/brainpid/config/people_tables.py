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


def tables_of_controls(config: Config) -> dict[str, PeopleTable]:
    """Participants tables, where columns of theirs are controls."""
    return _tables(config) if any(isinstance(one, str) and one != SITE for one in config.controls) else {}


def tables_of_groups(config: Config) -> dict[str, PeopleTable]:
    """Participants tables, where columns of theirs are compared that no other step needs."""
    return _tables(config) if config.compared_alone else {}


def _tables(config: Config) -> dict[str, PeopleTable]:
    """Participants table of every cohort."""
    return {
        name: PeopleTable(
            path=block.participants_path,
            participant_id=block.columns.participant_id,
            sex=block.columns.sex,
            visits=config.visits_of(name),
        )
        for name, block in config.cohorts.items()
    }
