"""From one person's files to features: one module a kind of file, named here and imported when needed.

Every module has ``extract_files(files, settings) -> Extracted``, with the files by role as the finders give them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from brainpid.imaging.extracted import Extracted
from brainpid.section import Section
from brainpid.source_settings import Extraction, ImageSource, NiftiSource
from brainpid.sources.finding import image_of


@dataclass(frozen=True)
class ExtractorEntry:
    """Where an extractor lives.

    Attributes
    ----------
    module : str
    section : str
        Section of `extraction` that it is given.
    packages : tuple of str
        Libraries whose versions matter to its results.
    """

    module: str
    section: str
    packages: tuple[str, ...]

    def settings(self, extraction: Extraction) -> Section:
        """Section of the configuration that the extractor is given."""
        section: Section = getattr(extraction, self.section)
        return section

    def load(self) -> Callable[..., Extracted]:
        """Import the extractor."""
        extract: Callable[..., Extracted] = import_module(self.module).extract_files
        return extract


EXTRACTORS = {
    "t1w": ExtractorEntry("brainpid.extractors.t1w", "structural", ("nibabel", "nilearn", "antspyx")),
    "dwi": ExtractorEntry("brainpid.extractors.dwi", "diffusion", ("nibabel", "nilearn", "dipy", "antspyx")),
    "bold": ExtractorEntry("brainpid.extractors.bold", "functional", ("nibabel", "nilearn", "antspyx")),
    "fmriprep": ExtractorEntry("brainpid.extractors.fmriprep", "functional", ("nibabel", "nilearn")),
    "freesurfer": ExtractorEntry("brainpid.extractors.freesurfer", "structural", ()),
    "qsirecon": ExtractorEntry("brainpid.extractors.qsirecon", "diffusion", ("nibabel", "nilearn")),
}


def extractor_of(source: ImageSource, modality: str) -> ExtractorEntry:
    """Return the extractor of a source: that of its image for raw data, else that of its kind."""
    return EXTRACTORS[image_of(source, modality) if isinstance(source, NiftiSource) else source.kind]
