"""One spelling of every path of a configuration, so that another spelling of it is no other path to the workflow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from brainpid.config.cohorts import Cohort
from brainpid.config.extraction import AtlasFiles
from brainpid.config.schema import Config

PATHS = {Config: ("output_dir",), Cohort: ("bids", "participants"), AtlasFiles: ("image", "labels")}
"""Fields that hold paths, by section; of a source it is `path`."""


def plain_path(path: str) -> str:
    """Spell a path in one way: relative to the working directory where it lies below it, else from the root.

    Links of folders are followed; the last part stays, since what lies beside a file is found by its name.
    """
    place = Path(path)
    whole = Path(os.path.realpath(place.parent if place.name not in ("", "..") else place))
    whole = whole / place.name if place.name not in ("", "..") else whole
    here = Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)


def with_plain_paths(config: Config) -> Config:
    """Spell every path of a configuration as `plain_path` does."""
    plain: Config = _plain(config)
    return plain


def _plain(value: Any) -> Any:
    """Spell the paths below a value of the configuration."""
    if isinstance(value, dict):
        return {key: _plain(own) for key, own in value.items()}
    if not isinstance(value, BaseModel):
        return value
    fields = PATHS.get(type(value), ("path",))
    changed = {}
    for name, own in value:
        found = plain_path(own) if name in fields and isinstance(own, str) else _plain(own)
        if found is not own:
            changed[name] = found
    return value.model_copy(update=changed)
