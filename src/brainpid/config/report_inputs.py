"""What the report says of where features come from: kinds of sources, divisors and atlases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from brainpid.config.extraction import Atlas
from brainpid.config.schema import Config
from brainpid.config.section import Section
from brainpid.config.sources import SECTIONS, TISSUES, Source, reader_of


class ReportInput(Section):
    """What the report says of one modality's source: its kind, and the column that its features are divided by."""

    kind: str
    divide_by: str | None


class ReportAtlas(Section):
    """Atlas by whose regions a modality's features are named."""

    tissue: Literal["gray", "white"]
    files: Atlas


def report_inputs(sources: Mapping[str, Source]) -> dict[str, ReportInput]:
    """Source of every modality of a cohort."""
    return {m: ReportInput(kind=own.kind, divide_by=getattr(own, "divide_by", None)) for m, own in sources.items()}


def report_atlas(config: Config, modality: str) -> ReportAtlas | None:
    """Atlas of a modality; none where some cohort's features are not made by brainpid with an atlas."""
    sources = [block.sources[modality] for block in config.cohorts.values() if modality in block.sources]
    readers = ["" if source.kind == "table" else reader_of(source, modality) for source in sources]
    found = {(SECTIONS[reader], TISSUES[reader]) if reader in TISSUES else None for reader in readers}
    if len(found) != 1 or (one := found.pop()) is None:
        return None
    return ReportAtlas(tissue=one[1], files=getattr(config.extraction, one[0]).atlas)
