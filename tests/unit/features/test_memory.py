"""What a job asks for follows the header of its largest image, lies above what was measured, and never fails."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from brainpid.config.extraction import DiffusionExtraction, FunctionalExtraction, StructuralExtraction
from brainpid.core.provenance import reachable_modules
from brainpid.features.extractors import EXTRACTORS
from brainpid.features.memory import MAIN_MB, MEMORY_MB, ImageSize, image_size, job_memory

DIFFUSION, FUNCTIONAL, STRUCTURAL = DiffusionExtraction(), FunctionalExtraction(), StructuralExtraction()


def save(path, shape, kind=np.int16):
    nib.save(nib.Nifti1Image(np.zeros(shape, dtype=kind), np.diag([2.0, 2, 2, 1])), path)
    return str(path)


def test_every_extractor_has_a_formula_on_which_no_result_depends():
    assert set(MEMORY_MB) == set(EXTRACTORS)
    modules = [entry.module for entry in EXTRACTORS.values()]
    assert "brainpid.features.memory" not in reachable_modules(["brainpid.commands.extract", *modules])


@pytest.mark.parametrize(
    ("reader", "settings", "shape", "measured"),
    [  # peaks of the worker in MB, of synthetic brains
        ("t1w", STRUCTURAL, (103, 121, 98, 1), 597),
        ("t1w", STRUCTURAL, (207, 242, 197, 1), 675),
        ("t1w", STRUCTURAL, (295, 346, 281, 1), 1379),
        ("dwi", DIFFUSION, (103, 121, 98, 34), 675),
        ("dwi", DIFFUSION, (103, 121, 98, 136), 1523),
        ("dwi", DIFFUSION, (138, 161, 131, 68), 1539),
        ("fmriprep", FUNCTIONAL, (102, 120, 98, 150), 332),
        ("fmriprep", FUNCTIONAL, (102, 120, 98, 626), 332),
        ("bold", FUNCTIONAL, (51, 60, 49, 60), 451),
        ("bold", FUNCTIONAL, (102, 120, 98, 60), 507),
        ("qsirecon", DIFFUSION, (99, 117, 95, 1), 463),
        ("qsirecon", DIFFUSION, (197, 233, 189, 1), 687),
    ],
)
def test_a_formula_lies_above_what_was_measured_and_not_far(reader, settings, shape, measured):
    asked = MEMORY_MB[reader](ImageSize(int(np.prod(shape[:3])), shape[3]), settings)
    assert 1.05 * measured < asked < 1.4 * measured


def test_the_largest_image_of_the_people_decides(tmp_path):
    small, large = save(tmp_path / "a.nii.gz", (20, 20, 20, 7)), save(tmp_path / "b.nii", (60, 60, 60, 50))
    people = [[small], [large]]
    need = job_memory("dwi", people, DIFFUSION, 1)
    assert need.largest == large
    assert need.mb == pytest.approx(MAIN_MB + MEMORY_MB["dwi"](ImageSize(60**3, 50), DIFFUSION), abs=1)
    both = job_memory("dwi", people, DIFFUSION, 2)
    assert both.mb - need.mb == pytest.approx(MEMORY_MB["dwi"](ImageSize(20**3, 7), DIFFUSION), abs=1)
    assert job_memory("dwi", people, DIFFUSION, 9) == both  # nobody else is there


def test_what_cannot_be_read_counts_as_usual_and_nobody_as_nothing(tmp_path):
    (tmp_path / "damaged.nii.gz").write_bytes(b"no image")
    (tmp_path / "link.nii.gz").symlink_to(tmp_path / "nowhere")
    for name in ("damaged.nii.gz", "link.nii.gz", "absent.nii.gz"):
        assert image_size(str(tmp_path / name)) is None
        need = job_memory("t1w", [[str(tmp_path / name)]], STRUCTURAL, 1)
        assert 900 < need.mb < 1500
        assert need.largest == ""
    assert job_memory("t1w", [], STRUCTURAL, 4).mb == MAIN_MB


def test_statistics_of_freesurfer_need_no_header():
    assert job_memory("freesurfer", [[]], STRUCTURAL, 1).mb == 300


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 6, 7, 9), (5, 6, 7, 1, 3)])
def test_dimensions_are_read_of_every_header(tmp_path, kind, order, ending, shape):
    header = kind.header_class(endianness=order)
    nib.save(kind(np.zeros(shape, dtype=np.int16), np.eye(4), header), tmp_path / f"i{ending}")
    assert image_size(str(tmp_path / f"i{ending}")) == ImageSize(5 * 6 * 7, int(np.prod(shape[3:])))


def test_settings_that_take_memory_are_counted():
    size = ImageSize(1_200_000, 300)
    assert MEMORY_MB["fmriprep"](size, FunctionalExtraction(reho=True)) > 1000 + MEMORY_MB["fmriprep"](size, FUNCTIONAL)
    assert MEMORY_MB["t1w"](ImageSize(10**6, 1), StructuralExtraction(resolution=1)) > 2000
    denoised = DiffusionExtraction(mppca=True)
    assert MEMORY_MB["dwi"](size, denoised) > 1.5 * MEMORY_MB["dwi"](size, DIFFUSION)
