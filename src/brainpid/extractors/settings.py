"""From sections of the configuration to what the extraction of images is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from brainpid.imaging.atlas_files import read_atlas
from brainpid.imaging.atlases import Atlas
from brainpid.source_settings import AtlasFiles

T = TypeVar("T")


def plain(kind: type[T], section: Any) -> T:
    """Settings of an extraction from the section of the same fields; the atlas is no part of them."""
    return kind(**{name: getattr(section, name) for name in type(section).model_fields if name != "atlas"})


def atlas_of(files: AtlasFiles | None, default: Callable[[], Atlas]) -> Atlas:
    """Atlas of the configuration, or the one that needs no files."""
    return default() if files is None else read_atlas(files.image, files.labels)
