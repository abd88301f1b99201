"""Series of regions against nilearn on real BOLD, known answers of the measures, exclusion, bad images."""

from __future__ import annotations

import gzip

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from bold_phantom import AFFINE, NAMES, SHAPE, TR, image_of, make_atlas, make_bold
from cohorts import SHARED_DATA
from nilearn.connectome import ConnectivityMeasure
from nilearn.maskers import NiftiLabelsMasker
from nilearn.signal import butterworth
from sklearn.covariance import EmpiricalCovariance

from brainpid.config.extraction import FunctionalExtraction
from brainpid.core.errors import ImageError, NotInImageError
from brainpid.imaging.atlases import Atlas
from brainpid.imaging.bold.confounds import MOTION
from brainpid.imaging.bold.regional import degrees_of_freedom, extract_bold, fewest_of_filter

PLAIN = FunctionalExtraction(strategy="none")

NIFTI = SHARED_DATA / "nifti"


def replace(settings, **changes):
    """The same settings but for some."""
    return FunctionalExtraction(**dict(settings) | changes)


def extract(data, settings=PLAIN, confounds=None, atlas=None, mask=None):
    return extract_bold(
        image_of(data), TR, confounds=confounds, mask=mask, settings=settings, atlas=atlas or make_atlas()
    )


def still(n=200):
    """Motion parameters of somebody who hardly moves."""
    rng = np.random.default_rng(5)
    scale = np.r_[np.full(3, 0.01), np.full(3, 0.0001)]
    return pd.DataFrame(rng.normal(size=(n, 6)) * scale, columns=list(MOTION))


@pytest.mark.parametrize("name", ["synthetic", "pymvpa/haxby_sub001_run001_bold_25mm.nii.gz"])
def test_connectivity_equals_that_of_nilearn(name):
    """Averaging before cleaning, as here, and cleaning after masking, as there, are the same."""
    if name == "synthetic":
        data, _, atlas = make_bold()
        image = image_of(data)
    elif (NIFTI / name).is_file():
        image = nib.load(NIFTI / name)
        labels = (1 + np.indices(image.shape[:3])[1] * 4 // image.shape[1]).astype(np.int32)
        atlas = Atlas(nib.Nifti1Image(labels, image.affine), {k: f"r{k}" for k in range(1, 5)}, "slabs")
    else:
        pytest.skip(f"{name} is not on this machine")
    first = np.asarray(image.dataobj[..., 0])
    mask = nib.Nifti1Image((first > np.median(first) / 2).astype(np.uint8), image.affine)
    motion = still(image.shape[3])
    found = extract_bold(image, TR, confounds=motion, mask=mask, settings=replace(PLAIN, strategy="6P"), atlas=atlas)
    masker = NiftiLabelsMasker(
        atlas.image, mask_img=mask, standardize=None, detrend=True, low_pass=0.1, high_pass=0.01, t_r=TR, reports=False
    )
    series = masker.fit_transform(image, confounds=motion)
    # nilearn shrinks by default.
    measure = ConnectivityMeasure(EmpiricalCovariance(store_precision=False), kind="correlation", standardize=None)
    (matrix,) = measure.fit_transform([series])
    regions = list(atlas.names.values())  # in the order of the labels, as nilearn's
    for a, b in zip(*np.triu_indices(len(regions), k=1), strict=True):
        pair = "__".join(sorted((regions[a], regions[b])))
        assert found.values[f"z_{pair}"] == pytest.approx(np.arctanh(matrix[a, b]), abs=1e-4)


def test_planted_correlations_come_back():
    data, planted, _ = make_bold(n=2000, noise=0.01)  # long enough for the shrinkage to vanish
    settings = replace(PLAIN, band_pass_hz=None, measures=("correlation", "partial"))
    found = extract(data, settings)
    expected = np.arctanh(np.corrcoef(planted, rowvar=False) - np.eye(3))
    assert found.values["z_amygdala__caudate"] == pytest.approx(expected[0, 1], abs=0.01)
    assert found.values["z_caudate__thalamus"] == pytest.approx(expected[0, 2], abs=0.01)
    assert "z_caudate__amygdala" not in found.values
    precision = np.linalg.inv(np.corrcoef(planted, rowvar=False))
    partial = -precision[1, 2] / np.sqrt(precision[1, 1] * precision[2, 2])
    assert found.values["partial_amygdala__thalamus"] == pytest.approx(partial, abs=0.02)


def test_amplitudes_are_relative_to_the_mean_of_the_regions():
    data, *_ = make_bold()
    values = extract(data).values
    assert np.mean([values[f"alff_{name}"] for name in NAMES.values()]) == pytest.approx(1)


def test_homogeneity_of_regions_is_high_where_voxels_follow_one_series():
    quiet, loud = (extract(make_bold(noise=noise)[0], replace(PLAIN, reho=True)).values for noise in (0.5, 100.0))
    assert all(quiet[f"reho_{name}"] > loud[f"reho_{name}"] + 0.2 for name in NAMES.values())


def test_degrees_of_freedom():
    # 24 regressors and 0.01 to 0.1 Hz leave 19 of 120 volumes of 2 s.
    assert degrees_of_freedom(120, 24, tr_s=2.0, band_pass_hz=(0.01, 0.1)) == pytest.approx(19.2)
    assert degrees_of_freedom(120, 24, tr_s=2.0, band_pass_hz=None) == 94
    assert degrees_of_freedom(100, 0, tr_s=6.0, band_pass_hz=(0.01, 0.1)) == pytest.approx(88)  # Nyquist is below 0.1
    found = extract(make_bold(n=120)[0], FunctionalExtraction(strategy="24P"), still(120))
    assert found.quality["degrees_of_freedom"] == pytest.approx(19.2)
    repeated = still(120).assign(trans_y=still(120)["trans_x"])
    assert extract(make_bold(n=120)[0], FunctionalExtraction(strategy="6P"), repeated).quality[
        "degrees_of_freedom"
    ] == pytest.approx(120 * 0.36 - 5)


def test_too_few_degrees_of_freedom_exclude_and_leave_no_numbers():
    settings = FunctionalExtraction(strategy="24P", reho=True, measures=("correlation", "partial"))
    found = extract(make_bold(n=80)[0], settings, still(80))
    assert found.excluded == "4.8 degrees of freedom left of 80 frames, at least 10 needed"
    assert np.isnan(list(found.values.values())).all()
    assert list(found.values) == list(extract(make_bold()[0], settings, still()).values)


def test_somebody_who_moves_is_excluded_with_the_numbers():
    moving = still()
    moving["trans_z"] += np.arange(200) % 2 * 0.8
    found = extract(make_bold()[0], FunctionalExtraction(strategy="6P"), moving)
    mean = found.quality["fd_mean_mm"]
    assert 0.7 < mean < 0.9
    assert found.excluded == f"mean framewise displacement {mean:.2f} mm, at most 0.5 allowed"
    assert extract(make_bold()[0], FunctionalExtraction(strategy="6P", max_mean_fd_mm=None), moving).excluded == ""


def test_scrubbing_leaves_nothing_of_the_planted_frames():
    data, *_ = make_bold()
    bad = [50, 51, 120]
    table = still().assign(csf=0.0, white_matter=0.0, framewise_displacement=0.1, std_dvars=1.0)
    table[["csf", "white_matter"]] = np.random.default_rng(8).normal(size=(200, 2))
    table.loc[bad, "framewise_displacement"] = 2.0
    spoilt = data.copy()
    spoilt[..., bad] *= 1.5
    settings = FunctionalExtraction(strategy="scrubbing", max_mean_fd_mm=None)
    clean, scrubbed = extract(data, settings, table), extract(spoilt, settings, table)
    assert scrubbed.quality["frames_kept"] == 197
    assert scrubbed.values == pytest.approx(clean.values, rel=1e-6)
    kept_in = extract(spoilt, replace(settings, scrub_fd_mm=None), table)
    assert kept_in.values["z_amygdala__caudate"] > clean.values["z_amygdala__caudate"] + 0.2


def test_a_constant_and_a_gain_change_nothing():
    data, *_ = make_bold()
    settings = replace(PLAIN, measures=("correlation", "partial"), reho=True)
    mask = image_of((np.asarray(make_atlas().image.dataobj) > 0).astype(np.uint8))
    first = extract(data.astype(np.float64), settings, mask=mask).values
    for changed in (data.astype(np.float64) + 300, data.astype(np.float64) * 7):
        assert extract(changed, settings, mask=mask).values == pytest.approx(first, rel=1e-4, abs=1e-5)


def test_other_numbers_of_the_labels_change_nothing():
    data, _, atlas = make_bold()
    swap = {1: 7, 2: 3, 5: 1}
    labels = np.asarray(atlas.image.dataobj)
    renumbered = np.zeros_like(labels)
    for old, new in swap.items():
        renumbered[labels == old] = new
    other = Atlas(nib.Nifti1Image(renumbered, AFFINE), {new: NAMES[old] for old, new in swap.items()}, "renumbered")
    expected = extract(data, atlas=atlas).values
    found = extract(data, atlas=other).values
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=1e-9)


def test_regions_outside_the_mask_are_nan_and_counted():
    data, _, atlas = make_bold()
    mask = (np.asarray(atlas.image.dataobj) > 0).astype(np.uint8)
    mask[5:7, 2:7] = 0  # leaves a sixth of the thalamus
    found = extract(data, mask=image_of(mask))
    assert {name for name, value in found.values.items() if np.isnan(value)} == {
        "z_amygdala__thalamus", "z_caudate__thalamus", "alff_thalamus", "falff_thalamus",
    }  # fmt: skip
    assert found.quality["regions_not_covered"] == 1
    lenient = extract(data, replace(PLAIN, least_coverage=0.1), mask=image_of(mask))
    assert np.isfinite(list(lenient.values.values())).all()


def test_a_slab_without_enough_regions_is_not_available_with_their_number():
    data, _, atlas = make_bold()
    labels = np.asarray(atlas.image.dataobj)
    slab = (labels > 0).astype(np.uint8)
    for label in np.unique(labels[labels > 0]):
        where = np.argwhere(labels == label)
        slab[tuple(where[len(where) // 5 :].T)] = 0  # a fifth of every region is left
    with pytest.raises(NotInImageError, match=r"0 of 3 regions are covered .at least 50% of one .* at least 1: does"):
        extract(data, mask=image_of(slab))
    one = (labels == labels[labels > 0][0]).astype(np.uint8)
    assert np.isfinite(list(extract(data, mask=image_of(one)).values.values())).sum() == 2  # alff and falff of it
    with pytest.raises(NotInImageError, match=r"1 of 3 regions are covered .* expected at least 2"):
        extract(data, replace(PLAIN, alff=False), mask=image_of(one))


def test_quality_of_known_noise():
    rng = np.random.default_rng(0)
    data = (1000 + 10 * rng.normal(size=(*SHAPE, 200))).astype(np.float32)
    found = extract(data)
    assert found.quality["tsnr_median"] == pytest.approx(100, rel=0.03)
    assert found.quality["dvars_mean_percent"] == pytest.approx(np.sqrt(2), rel=0.03)
    assert np.isnan(found.quality["fd_mean_mm"])
    assert found.picture.dtype == np.uint8
    assert found.picture.shape[1] == 480
    assert found.picture.std() > 10


def test_images_that_cannot_be_used(tmp_path):
    data, _, atlas = make_bold()
    holes = data.copy()
    holes[2, 3, 2, 9] = np.nan
    with pytest.raises(ImageError, match=r"1 of 144 voxels inside the mask are NaN or infinite in volume 10"):
        extract(holes)
    outside = data.copy()
    outside[0] = np.nan  # as SPM fills what is not brain
    assert extract(outside).values == extract(data).values
    blank = data.copy()
    blank[..., [3, 8]] = 0
    with pytest.raises(ImageError, match="volumes without any contrast: 4, 9 of 200"):
        extract(blank)
    with pytest.raises(ImageError, match="all 200 volumes are the same"):
        extract(np.repeat(data[..., :1], 200, axis=3))
    with pytest.raises(ImageError, match="expected a 4D BOLD image, found shape"):
        extract(data[..., 0])
    with pytest.raises(ImageError, match="no voxel inside the image"):
        extract(np.zeros_like(data))
    far = np.diag([4.0, 4, 4, 1])
    far[:3, 3] = 500
    with pytest.raises(ImageError, match="no region of the atlas lies inside"):
        extract(data, atlas=make_atlas(far))
    image = image_of(data.astype(np.int16))
    nib.save(image, tmp_path / "b.nii")
    raw = (tmp_path / "b.nii").read_bytes()
    (tmp_path / "cut.nii").write_bytes(raw[: len(raw) // 2])
    (tmp_path / "cut.nii.gz").write_bytes(gzip.compress(raw)[: len(raw) // 20])
    for name in ("cut.nii", "cut.nii.gz"):
        with pytest.raises(ImageError, match="cut off or damaged"):
            extract_bold(nib.load(tmp_path / name), TR, confounds=None, mask=None, settings=PLAIN, atlas=atlas)


def test_settings_and_confounds_that_do_not_fit():
    data, _, atlas = make_bold(n=100)
    with pytest.raises(ImageError, match="99 rows, but the image has 100 volumes"):
        extract(data, FunctionalExtraction(strategy="6P"), still(99))
    with pytest.raises(ImageError, match="needs a confounds file"):
        extract(data, FunctionalExtraction(strategy="6P"))
    with pytest.raises(ImageError, match="is it in ms"):
        extract_bold(image_of(data), 2000.0, confounds=None, mask=None, settings=PLAIN, atlas=atlas)


@pytest.mark.parametrize(("tr", "band", "fewest"), [(2.0, (0.01, 0.1), 34), (6.0, (0.01, 0.1), 19), (2.0, None, 1)])
def test_fewest_volumes_are_those_that_the_filter_takes(tr, band, fewest):
    """Right at the edge: nilearn's filter takes as many, and not one fewer."""
    assert fewest_of_filter(tr, band) == fewest
    if band is None:
        return
    series = np.random.default_rng(0).normal(size=(fewest, 2))
    high = band[1] if band[1] < 0.5 / tr else None
    assert np.isfinite(butterworth(series, 1 / tr, high, band[0])).all()
    with pytest.raises(ValueError, match="padlen"):
        butterworth(series[1:], 1 / tr, high, band[0])


@pytest.mark.parametrize(("n", "reason"), [
    (33, "33 volumes, and the band-pass of 0.01 to 0.1 Hz takes at least 34 at a repetition time of 2 s"), (34, "")
])  # fmt: skip
def test_a_run_that_the_filter_cannot_take_is_excluded_with_its_minimum(n, reason):
    data, _, atlas = make_bold(n)
    settings = FunctionalExtraction(strategy="none", min_frames=20, min_degrees_of_freedom=4)
    found = extract_bold(image_of(data), TR, confounds=None, mask=None, settings=settings, atlas=atlas)
    assert found.excluded == reason
    assert np.isfinite(list(found.values.values())).all() == (not reason)
