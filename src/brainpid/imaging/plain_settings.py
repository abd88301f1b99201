"""From sections of the configuration to what the extraction of images is given."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


def plain(kind: Any, section: Any) -> Any:
    """Settings of an extraction from the section's fields of the same names."""
    return kind(**{field.name: getattr(section, field.name) for field in fields(kind)})
