"""From one person's files to features: one module a kind of file, named here and imported when needed.

Every module has ``extract_files(files, settings) -> Extracted``, with the files by role as the finders give them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from brainpid.cohort.shards import content_digest
from brainpid.config.extraction import ImageExtraction
from brainpid.config.sources import ImageSource, ImportSource, reader_of
from brainpid.core.imports import foreign_code
from brainpid.imaging.extracted import Extracted

TEMPLATE_MM3 = 197 * 233 * 189
"""Volume of the template's grid."""
BYTES_A_VOXEL = 2 * 3 * 4 + 4 * 4
FEW_TRANSFORMS = 4 * 1024**2
COARSE_MM = 3
"""Voxel of the grid to which images are brought where the settings name none."""


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
    registers : bool
        Whether it brings images to the template, for which ANTs writes temporary files.
    digests : tuple of str
        Of modules beside the program that it is made of.
    """

    module: str
    packages: tuple[str, ...]
    reads_atlas: bool
    registers: bool
    digests: tuple[str, ...] = ()

    def load(self) -> Callable[..., Extracted]:
        """Import the extractor."""
        extract: Callable[..., Extracted] = import_module(self.module).extract_files
        return extract

    def extract(self, files: Mapping[str, str], settings: ImageExtraction | ImportSource, **options: Any) -> Extracted:
        """Import the extractor where it is called, and call it: who hands out the work does without its libraries."""
        return self.load()(files, settings, **options)


EXTRACTORS = {
    "t1w": ExtractorEntry("brainpid.imaging.t1w.extract", ("nibabel", "nilearn", "antspyx"), True, True),
    "dwi": ExtractorEntry("brainpid.imaging.dwi.extract", ("nibabel", "nilearn", "dipy", "antspyx"), True, True),
    "bold": ExtractorEntry("brainpid.imaging.bold.extract_raw", ("nibabel", "nilearn", "antspyx"), True, True),
    "fmriprep": ExtractorEntry("brainpid.imaging.bold.extract_fmriprep", ("nibabel", "nilearn"), True, False),
    "freesurfer": ExtractorEntry("brainpid.imaging.freesurfer", (), False, False),
    "qsirecon": ExtractorEntry("brainpid.imaging.dwi.extract_qsirecon", ("nibabel", "nilearn"), True, False),
    "import": ExtractorEntry("brainpid.features.own_extractor", (), False, False),
}


def extractor_of(source: ImageSource, modality: str) -> ExtractorEntry:
    """Return the extractor of a source: that of its image for raw data, else that of its kind.

    Raises
    ------
    InputError
        Where the module of a function of one's own is absent.
    """
    entry = EXTRACTORS[reader_of(source, modality)]
    if not isinstance(source, ImportSource):
        return entry
    code = foreign_code([source.function])
    return replace(entry, packages=code.packages, digests=tuple(code.digests.values()))


def atlas_digest(entry: ExtractorEntry, settings: ImageExtraction | ImportSource) -> str:
    """Digest of the content of the atlas that an extractor reads; empty where it reads none from files."""
    atlas = settings.atlas if entry.reads_atlas and not isinstance(settings, ImportSource) else None
    return "" if atlas is None else content_digest((atlas.image, atlas.labels))


def scratch_bytes(entry: ExtractorEntry, settings: ImageExtraction | ImportSource) -> int:
    """Bytes of temporary files that one person's extraction writes at once; 0 where it writes none.

    Two fields of three float32 a voxel of the template's grid, three maps of tissue and their segmentation, not
    compressed; and as much again as a few transforms need.
    """
    if not entry.registers:
        return 0
    grid = TEMPLATE_MM3 / getattr(settings, "resolution", COARSE_MM) ** 3
    return int(grid * BYTES_A_VOXEL) + FEW_TRANSFORMS
