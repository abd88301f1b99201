"""From one person's files to features: one module a kind of file, named here and imported when needed.

Every module has ``extract_files(files, settings) -> Extracted``, with the files by role as the finders give them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from brainpid.cohort.shards import content_digest
from brainpid.config.extraction import ImageExtraction
from brainpid.config.sources import ImageSource, reader_of
from brainpid.imaging.extracted import Extracted


@dataclass(frozen=True)
class ExtractorEntry:
    """Where an extractor lives.

    Attributes
    ----------
    module : str
    packages : tuple of str
        Libraries whose versions matter to its results.
    reads_atlas : bool
        Whether it cuts images by the atlas of the settings.
    """

    module: str
    packages: tuple[str, ...]
    reads_atlas: bool

    def load(self) -> Callable[..., Extracted]:
        """Import the extractor."""
        extract: Callable[..., Extracted] = import_module(self.module).extract_files
        return extract

    def extract(self, files: Mapping[str, str], settings: ImageExtraction, **options: Any) -> Extracted:
        """Import the extractor where it is called, and call it: who hands out the work does without its libraries."""
        return self.load()(files, settings, **options)


EXTRACTORS = {
    "t1w": ExtractorEntry("brainpid.imaging.t1w.extract", ("nibabel", "nilearn", "antspyx"), True),
    "dwi": ExtractorEntry("brainpid.imaging.dwi.extract", ("nibabel", "nilearn", "dipy", "antspyx"), True),
    "bold": ExtractorEntry("brainpid.imaging.bold.extract_raw", ("nibabel", "nilearn", "antspyx"), True),
    "fmriprep": ExtractorEntry("brainpid.imaging.bold.extract_fmriprep", ("nibabel", "nilearn"), True),
    "freesurfer": ExtractorEntry("brainpid.imaging.freesurfer", (), False),
    "qsirecon": ExtractorEntry("brainpid.imaging.dwi.extract_qsirecon", ("nibabel", "nilearn"), True),
}


def extractor_of(source: ImageSource, modality: str) -> ExtractorEntry:
    """Return the extractor of a source: that of its image for raw data, else that of its kind."""
    return EXTRACTORS[reader_of(source, modality)]


def atlas_digest(entry: ExtractorEntry, settings: ImageExtraction) -> str:
    """Digest of the content of the atlas that an extractor reads; empty where it reads none from files."""
    atlas = settings.atlas if entry.reads_atlas else None
    return "" if atlas is None else content_digest((atlas.image, atlas.labels))
