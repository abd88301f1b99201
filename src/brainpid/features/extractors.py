"""From one person's files to features: one module a kind of file, named here and imported when needed.

Every module has ``extract_files(files, settings) -> Extracted``, with the files by role as the finders give them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from brainpid.config.section import Section
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
    """

    module: str
    packages: tuple[str, ...]

    def load(self) -> Callable[..., Extracted]:
        """Import the extractor."""
        extract: Callable[..., Extracted] = import_module(self.module).extract_files
        return extract

    def extract(self, files: Mapping[str, str], settings: Section) -> Extracted:
        """Import the extractor where it is called, and call it: who hands out the work does without its libraries."""
        return self.load()(files, settings)


EXTRACTORS = {
    "t1w": ExtractorEntry("brainpid.imaging.t1w.extract", ("nibabel", "nilearn", "antspyx")),
    "dwi": ExtractorEntry("brainpid.imaging.dwi.extract", ("nibabel", "nilearn", "dipy", "antspyx")),
    "bold": ExtractorEntry("brainpid.imaging.bold.extract_raw", ("nibabel", "nilearn", "antspyx")),
    "fmriprep": ExtractorEntry("brainpid.imaging.bold.extract_fmriprep", ("nibabel", "nilearn")),
    "freesurfer": ExtractorEntry("brainpid.imaging.freesurfer", ()),
    "qsirecon": ExtractorEntry("brainpid.imaging.dwi.extract_qsirecon", ("nibabel", "nilearn")),
}


def extractor_of(source: ImageSource, modality: str) -> ExtractorEntry:
    """Return the extractor of a source: that of its image for raw data, else that of its kind."""
    return EXTRACTORS[reader_of(source, modality)]
