"""Every image that cannot be used costs the person it belongs to and nobody else, and says what is wrong with it.

One person's images are copied, each copy is spoilt in one way, and all go through the real extractors in one pool.
"""

from __future__ import annotations

import re
import shutil
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from cohorts import SHARED_DATA
from diffusion_phantom import even_gradients
from nilearn.image import resample_img

from brainpid.cohort.finding import find
from brainpid.cohort.person_files import Found
from brainpid.config.extraction import AtlasFiles, Extraction
from brainpid.config.sources import SECTIONS, NiftiSource
from brainpid.features.extraction import Task, extract_people
from brainpid.features.extractors import EXTRACTORS
from brainpid.phantom.images import write_person
from brainpid.phantom.people import Person

pytestmark = pytest.mark.slow

SETTINGS = Extraction.model_validate(
    # Faults are found, or not, whatever the model of the registration; the defaults take ten times as long.
    {"structural": {"resolution": 5, "registration": "affine", "n4": False}, "diffusion": {"resolution": 5}}
)
IMAGE = {"t1w": "t1w", "dwi": "dwi", "fmriprep": "bold", "bold": "bold"}
"""Role of the image, by extractor."""


def changed(change):
    """A fault of the image itself: `change` gives another one from its data and affine."""

    def spoil(files, role):
        image = nib.load(files[role])
        other = change(np.asarray(image.dataobj), image.affine)
        other.header.set_xyzt_units("mm", "sec")
        if len(other.shape) == 4:
            other.header.set_zooms((*other.header.get_zooms()[:3], 2.0))
        nib.save(other, files[role])

    return spoil


def rewritten(change):
    """A fault of the file: `change` gives other bytes."""

    def spoil(files, role):
        path = Path(files[role])
        path.write_bytes(change(path.read_bytes()))

    return spoil


def beside(name, change):
    """A fault of a table of numbers beside the image: `change` gives another table."""

    def spoil(files, role):
        lines = [line.split() for line in Path(files[name]).read_text().splitlines()]
        Path(files[name]).write_text("\n".join(" ".join(row) for row in change(lines)) + "\n")

    return spoil


def in_confounds(change):
    """A fault of fMRIPrep's table."""

    def spoil(files, role):
        table = change(pd.read_csv(files["confounds"], sep="\t", na_values="n/a"))
        table.to_csv(files["confounds"], sep="\t", na_rep="n/a", index=False)

    return spoil


def without_affine(data, affine):
    image = nib.Nifti1Image(data, None)
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    return image


def sheared(data, affine):
    return nib.Nifti1Image(data, affine @ np.array([[1, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))


def flipped(data, affine):
    """Stored from right to left, as the affine says."""
    return nib.Nifti1Image(data[::-1].copy(), affine @ np.array([[-1, 0, 0, len(data) - 1], *np.eye(4)[1:]]))


def with_nan(data, affine):
    holes = data.astype(np.float32)
    holes[tuple(n // 2 for n in data.shape[:3])] = np.nan
    return nib.Nifti1Image(holes, affine)


def wrapped(data, affine):
    """Values up to 45,000 in a type that ends at 32,767."""
    return nib.Nifti1Image((data * (45000 / data.max())).astype(np.int64).astype(np.int16), affine)


def with_blank_volumes(data, affine):
    blank = data.copy()
    blank[..., [0, 3]] = 0
    return nib.Nifti1Image(blank, affine)


def other_voxels(data, affine):
    target = affine @ np.diag([0.8, 1, 1.2, 1])
    image = nib.Nifti1Image(data.astype(np.float32), affine)
    return resample_img(image, target_affine=target, interpolation="linear", force_resample=True, copy_header=True)


def gap_in_displacement(table):
    table.loc[7, "framewise_displacement"] = np.nan
    return table


FILES = {
    "without an affine": (changed(without_affine), "no affine .*left and right cannot be told apart"),
    "sheared": (changed(sheared), r"the affine is sheared \(axes .* degrees apart\)"),
    "cut off": (rewritten(lambda raw: raw[: len(raw) // 50]), "cut off or damaged|not readable as an image"),
    "empty": (rewritten(lambda raw: b""), "the file is empty; copy it again"),
    "text": (rewritten(lambda raw: b"to be scanned again\n" * 40), "expected NIfTI"),
    "overflowed": (changed(wrapped), "values overflowed int16 .*convert the image again with a wider type"),
}
SERIES = {
    "a volume": (changed(lambda data, affine: nib.Nifti1Image(data[..., 0], affine)), "expected 4 dimensions, found"),
    "with NaN": (changed(with_nan), "NaN or infinite|not finite"),
    "with blank volumes": (changed(with_blank_volumes), "volumes? (1 .*no contrast|without any contrast: 1, 4 of)"),
}
FAULTS = {
    "t1w": FILES
    | {
        "a series": (changed(lambda d, a: nib.Nifti1Image(np.stack([d, d], -1), a)), r"expected 3 dimensions, found"),
        "with NaN": (changed(with_nan), "1 of .* voxels are NaN or infinite"),
        "blank": (changed(lambda data, affine: nib.Nifti1Image(0 * data + 7, affine)), "every voxel is 7; the image"),
        "of thick slices": (
            changed(lambda data, affine: nib.Nifti1Image(data, affine @ np.diag([1, 1, 9, 1]))),
            r"voxels of .* mm are too uneven to measure volumes: ratio 9.0, expected at most 8",
        ),
    },
    "dwi": FILES
    | SERIES
    | {
        "b-values too few": (beside("bval", lambda rows: [rows[0][:-1]]), "13 b-values .* the image has 14 volumes"),
        "directions too few": (beside("bvec", lambda rows: [row[:-1] for row in rows]), "13 directions.* 14 volumes"),
    },
    "fmriprep": FILES
    | SERIES
    | {
        "confounds too few": (in_confounds(lambda table: table[:-5]), "135 rows, but the image has 140 volumes"),
        "gap in displacement": (in_confounds(gap_in_displacement), r"no number in 1 rows below the first \(row 8\)"),
    },
    "bold": FILES | SERIES,
}
HARMLESS = {
    "t1w": {"flipped": changed(flipped), "of other voxels": changed(other_voxels)},
    "dwi": {
        "flipped": changed(flipped),
        "of other voxels": changed(other_voxels),
        "directions transposed": beside("bvec", lambda rows: zip(*rows, strict=True)),
    },
    "fmriprep": {"flipped": changed(flipped), "of other voxels": changed(other_voxels)},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Result of every copy, by extractor and fault; all copies go through one pool."""
    folder = tmp_path_factory.mktemp("images")
    person = Person("sub-1", "site-01", "F", 50.0, {"t1": 0.0, "dwi": 0.0, "fmri": 0.0}, 1.0, "", 0)
    write_person(person, folder, 5)
    raw, derivatives = folder / "sub-1", folder / "derivatives/fmriprep/sub-1/func"
    stem = raw / "dwi/sub-1_dwi"
    bold = next(derivatives.glob("*_bold.nii.gz"))
    sources = {
        "t1w": {"t1w": raw / "anat/sub-1_T1w.nii.gz"},
        "dwi": {"dwi": f"{stem}.nii.gz", "bval": f"{stem}.bval", "bvec": f"{stem}.bvec"},
        "fmriprep": {
            "bold": bold,
            "confounds": next(derivatives.glob("*_timeseries.tsv")),
            "mask": next(derivatives.glob("*_mask.nii.gz")),
        },
        "bold": {"bold": bold},
    }
    atlas = far_atlas(folder)
    tasks = []
    for kind, files in sources.items():
        spoil = {fault: change for fault, (change, _) in FAULTS[kind].items()} | HARMLESS.get(kind, {})
        if kind == "bold":
            # Three volumes are enough to meet an atlas that lies elsewhere, and realignment takes its time.
            spoil["atlas elsewhere"] = changed(lambda data, affine: nib.Nifti1Image(data[..., :3], affine))
        else:
            spoil |= {"good": lambda files, role: None, "atlas elsewhere": lambda files, role: None}
        if kind == "t1w":
            spoil["divided"] = lambda files, role: None
        for fault, change in spoil.items():
            own = folder / kind / fault.replace(" ", "_")
            own.mkdir(parents=True)
            copies = {role: str(shutil.copy(path, own)) for role, path in files.items()}
            change(copies, IMAGE[kind])
            section = getattr(SETTINGS, SECTIONS[kind])
            if fault == "atlas elsewhere":
                section = section.model_copy(update={"atlas": atlas})
            if fault == "divided":
                section = section.model_copy(update={"divide_by_icv": True})
            extract = partial(EXTRACTORS[kind].extract, settings=section)
            tasks.append(Task(f"{kind}: {fault}", Found(copies), str(folder), extract, "", "", "", folder / "kept"))
    return {result.participant_id: result for result in extract_people(tasks, 1)}


def far_atlas(folder):
    """Two regions half a metre from the head."""
    labels = np.zeros((8, 8, 8), dtype=np.int16)
    labels[2:4, 2:6, 2:6], labels[4:6, 2:6, 2:6] = 1, 2
    affine = np.diag([5.0, 5, 5, 1])
    affine[:3, 3] = 500
    nib.save(nib.Nifti1Image(labels, affine), folder / "far.nii.gz")
    (folder / "far.tsv").write_text("index\tname\n1\tone\n2\ttwo\n")
    return AtlasFiles(image=str(folder / "far.nii.gz"), labels=str(folder / "far.tsv"))


@pytest.mark.parametrize(("kind", "fault"), [(kind, fault) for kind, faults in FAULTS.items() for fault in faults])
def test_a_bad_image_fails_with_a_sentence(results, kind, fault):
    result = results[f"{kind}: {fault}"]
    assert result.status == "FAIL"
    assert re.search(FAULTS[kind][fault][1], result.reason), result.reason
    assert "traceback" not in result.reason  # which would be an error that nobody foresaw


@pytest.mark.parametrize("kind", FAULTS)
def test_an_atlas_elsewhere_is_refused(results, kind):
    result = results[f"{kind}: atlas elsewhere"]
    assert result.status == "FAIL"
    assert re.search("atlas 'far' lies outside the image|no region of the atlas lies inside it", result.reason)
    assert re.search("MNI", result.reason)


@pytest.mark.parametrize("kind", HARMLESS)
def test_everybody_else_is_extracted(results, kind):
    good = results[f"{kind}: good"]
    assert (good.status, good.reason) == ("SUCCESS", "")
    for fault in HARMLESS[kind]:
        other = results[f"{kind}: {fault}"]
        assert (other.status, other.reason) == ("SUCCESS", "")
        assert list(other.values) == list(good.values)
        if fault != "of other voxels":
            assert other.values == pytest.approx(good.values, rel=1e-6, abs=1e-9)


def test_volumes_are_divided_by_the_intracranial_volume_where_asked(results):
    plain, divided = results["t1w: good"], results["t1w: divided"]
    icv = plain.values["icv"]
    assert divided.values == {name: value if name == "icv" else value / icv for name, value in plain.values.items()}
    assert divided.units == {name: "mm^3" if name == "icv" else "1" for name in plain.values}


def test_the_first_displacement_is_not_a_number_in_fmriprep(results):
    assert results["fmriprep: good"].quality["fd_mean_mm"] > 0


def test_a_spinal_cord_fails_in_every_reader(tmp_path):
    """Real images of all three modalities, of something that is no brain, in a BIDS folder."""
    cord = SHARED_DATA / "nifti/sct"
    if not cord.is_dir():
        pytest.skip(f"{cord} is absent")
    person = tmp_path / "sub-cord"
    names = {
        "t1w.nii.gz": "anat/sub-cord_T1w.nii.gz",
        "dmri.nii.gz": "dwi/sub-cord_dwi.nii.gz",
        "dmri.bval.txt": "dwi/sub-cord_dwi.bval",
        "dmri.bvec.txt": "dwi/sub-cord_dwi.bvec",
        "fmri.nii.gz": "func/sub-cord_task-rest_bold.nii.gz",
    }
    for name, place in names.items():
        (person / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(cord / name, person / place)
    # The cord's directions do not determine a tensor; with others its image itself is looked at.
    usable = tmp_path / "sub-usable"
    shutil.copytree(person / "dwi", usable / "dwi")
    for path in list(usable.rglob("sub-cord*")):
        path.rename(path.with_name(path.name.replace("sub-cord", "sub-usable")))
    directions = even_gradients(6, unweighted=1).bvecs
    np.savetxt(usable / "dwi/sub-usable_dwi.bvec", directions)
    expected = {
        ("t1w", "sub-cord"): "registration to the template failed: similarity .* Is the whole head in the image",
        ("dwi", "sub-cord"): "the 6 directions lie too close to a plane or cone to determine a tensor",
        (
            "dwi",
            "sub-usable",
        ): r"the mask of the mean b=0 image has .* expected 300 to .* is the whole brain in the",
        ("bold", "sub-cord"): "registration to the template failed: similarity .* Is the whole head in the image",
    }
    source = NiftiSource(kind="nifti")
    tasks = []
    for image, label in expected:
        found = find(source, image, str(tmp_path), label)
        extract = partial(EXTRACTORS[image].extract, settings=getattr(Extraction(), SECTIONS[image]))
        tasks.append(Task(f"{image} of {label}", found, str(tmp_path), extract, "", "", "", tmp_path / "kept"))
    for result, reason in zip(extract_people(tasks, 1), expected.values(), strict=True):
        assert result.status == "FAIL"
        assert re.search(reason, result.reason), result.reason
        assert "traceback" not in result.reason
