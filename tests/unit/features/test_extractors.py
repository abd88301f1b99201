"""Extractors by source, and the atlas that their results depend on."""

from __future__ import annotations

import pytest

from brainpid.config.extraction import AtlasFiles, FunctionalExtraction, StructuralExtraction
from brainpid.config.sources import SECTIONS, FreeSurferSource, NiftiSource
from brainpid.features.extractors import EXTRACTORS, atlas_digest, extractor_of, scratch_bytes


def test_every_reader_has_an_extractor():
    assert EXTRACTORS.keys() == {*SECTIONS, "import"}  # a function of one's own has no section
    assert extractor_of(NiftiSource(kind="nifti"), "t1") is EXTRACTORS["t1w"]
    assert extractor_of(FreeSurferSource(kind="freesurfer", path="fs"), "t1") is EXTRACTORS["freesurfer"]


def test_the_content_of_an_atlas_counts_where_it_is_read(tmp_path):
    for name in ("a.nii.gz", "a.tsv"):
        (tmp_path / name).write_text(name)
    settings = StructuralExtraction(atlas=AtlasFiles(image=f"{tmp_path}/a.nii.gz", labels=f"{tmp_path}/a.tsv"))
    before = atlas_digest(EXTRACTORS["t1w"], settings)
    (tmp_path / "a.tsv").write_text("other")
    assert atlas_digest(EXTRACTORS["t1w"], settings) not in ("", before)
    assert atlas_digest(EXTRACTORS["freesurfer"], settings) == ""  # its statistics are cut already
    assert atlas_digest(EXTRACTORS["t1w"], StructuralExtraction()) == ""


def test_room_for_temporary_files_is_that_of_the_template_s_grid():
    assert scratch_bytes(EXTRACTORS["freesurfer"], StructuralExtraction()) == 0
    assert scratch_bytes(EXTRACTORS["fmriprep"], FunctionalExtraction()) == 0
    fine, coarse = (scratch_bytes(EXTRACTORS["t1w"], StructuralExtraction(resolution=n)) for n in (1, 2))
    assert fine == 197 * 233 * 189 * 40 + 4 * 2**20
    assert (fine - 4 * 2**20) / (coarse - 4 * 2**20) == pytest.approx(8)
    assert scratch_bytes(EXTRACTORS["bold"], FunctionalExtraction()) < coarse
