"""From sections of the configuration to what the extraction of images is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from brainpid.imaging.atlas_files import read_atlas
from brainpid.imaging.atlases import Atlas
from brainpid.source_settings import AtlasFiles


def plain(kind: Any, section: Any) -> Any:
    """Settings of an extraction from the section's fields of the same names."""
    return kind(**{field.name: getattr(section, field.name) for field in fields(kind)})


def atlas_of(files: AtlasFiles | None, default: Callable[[], Atlas]) -> Atlas:
    """Atlas of the configuration, or the one that needs no files."""
    return default() if files is None else read_atlas(files.image, files.labels)
