"""Scalar maps in template space give the planted values, or are refused with a reason."""

import nibabel as nib
import numpy as np
import pytest
from diffusion_phantom import octants, planted

from brainpid.config.extraction import DiffusionExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.dwi.scalar_maps import extract_scalar_maps
from brainpid.imaging.templates import mni152


@pytest.fixture(scope="module")
def maps():
    """FA and MD in MNI space: the planted value in every region, else that of fluid."""
    atlas = octants(4)
    label = np.asarray(atlas.image.dataobj)
    brain = np.asarray(mni152("brain", 4).dataobj) > 0.5
    fa, md = np.where(brain, 0.1, 0), np.where(brain, 9e-4, 0)
    for held, name in atlas.names.items():
        fa[label == held], md[label == held] = planted(atlas)[name]
    images = {name: nib.Nifti1Image(v.astype(np.float32), atlas.image.affine) for name, v in (("fa", fa), ("md", md))}
    return atlas, images


def test_maps_in_template_space_give_the_planted_values(maps):
    atlas, images = maps
    found = extract_scalar_maps(images, DiffusionExtraction(resolution=4), atlas)
    for name, (fa, md) in planted(atlas).items():
        assert found.values[f"fa_{name}"] == pytest.approx(fa, rel=1e-5)
        assert found.values[f"md_{name}"] == pytest.approx(md, rel=1e-5)
    assert found.units["fa_octant1"] == "1"
    assert found.units["md_whole_white_matter"] == "mm^2/s"
    assert found.quality["similarity"] > 0.8
    finer = extract_scalar_maps(images, DiffusionExtraction(resolution=4), octants(2))
    assert finer.values["fa_octant3"] == pytest.approx(planted(atlas)["octant3"][0], rel=0.15)


def test_diffusivities_in_another_unit_are_converted_where_it_is_said(maps):
    atlas, images = maps
    thousandths = nib.Nifti1Image(1e3 * np.asarray(images["md"].dataobj), images["md"].affine)
    files = {"fa": images["fa"], "md": thousandths}
    with pytest.raises(ImageError, match="the key diffusivity_unit of the source"):
        extract_scalar_maps(files, DiffusionExtraction(resolution=4), atlas)
    found = extract_scalar_maps(files, DiffusionExtraction(resolution=4), atlas, "um^2/ms")
    for name, (fa, md) in planted(atlas).items():
        assert found.values[f"md_{name}"] == pytest.approx(md, rel=1e-5)
        assert found.values[f"fa_{name}"] == pytest.approx(fa, rel=1e-5)


def test_a_map_without_a_region_has_no_value_for_it(maps):
    atlas, images = maps
    holed = np.asarray(images["md"].dataobj).copy()
    where = np.argwhere(np.asarray(atlas.image.dataobj) == 2)
    holed[tuple(where[: int(0.6 * len(where))].T)] = 0
    changed = {"fa": images["fa"], "md": nib.Nifti1Image(holed, images["md"].affine)}
    found = extract_scalar_maps(changed, DiffusionExtraction(resolution=4), atlas)
    assert np.isnan(found.values["md_octant2"])
    assert np.isfinite(found.values["fa_octant2"])
    assert found.quality["regions_uncovered"] == 1
    lenient = extract_scalar_maps(changed, DiffusionExtraction(resolution=4, least_coverage=0.3), atlas)
    assert lenient.values["md_octant2"] == pytest.approx(planted(atlas)["octant2"][1], rel=1e-5)


def test_bad_maps_are_refused_with_a_reason(maps):
    atlas, images = maps
    fa, md = images["fa"], images["md"]
    values = np.asarray(md.dataobj)
    away = md.affine.copy()
    away[:3, 3] += 150
    slightly = fa.affine.copy()
    slightly[:3, 3] += 25
    for changed, words in (
        ({"faa": fa}, "unknown diffusion metric 'faa'"),
        ({"md": nib.Nifti1Image(1000 * values, md.affine)}, r"the md map has the median 0.9.* um\^2/ms"),
        ({"md": nib.Nifti1Image(0 * values, md.affine)}, "only voxels that are 0 or NaN"),
        ({"md": nib.Nifti1Image(values, away)}, "% of the md map's voxels are in the MNI brain"),
        ({"fa": nib.Nifti1Image(np.asarray(fa.dataobj), slightly)}, "correlation with the template's white matter"),
        ({"fa": nib.Nifti1Image(np.asarray(fa.dataobj)[..., None], fa.affine)}, "three dimensions"),
        ({}, "no map"),
    ):
        with pytest.raises(ImageError, match=words):
            extract_scalar_maps(changed, DiffusionExtraction(resolution=4), atlas)
