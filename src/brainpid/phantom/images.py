"""Images of the phantom's people, made from the MNI152 tissue maps on a coarse grid.

- T1: tissues at their usual contrast under a bias field; the driver takes grey matter away and gives fluid.
- DWI: two volumes without and twelve with b = 1000 s/mm^2; the driver lowers anisotropy and raises diffusivity of white
  matter.
- BOLD, as fMRIPrep writes it: the driver uncouples the two hemispheres of every network; motion leaves a trace.

Head position and size stand in the affine, so that nothing is interpolated. Sites differ in gain and noise.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from scipy.ndimage import binary_dilation, gaussian_filter

from brainpid.core.arrays import FloatArray
from brainpid.core.files import write_json, write_text, write_tsv
from brainpid.imaging.default_atlases import gray_matter
from brainpid.imaging.templates import csf_map, mni152
from brainpid.phantom.people import Person

FINEST_MM, COARSEST_MM = 4, 8
TR = 2.0
VOLUMES = 140
SPACE = "MNI152NLin2009cAsym"
DIRECTIONS = 12
B = 1000.0


def write_person(person: Person, folder: Path, mm: int) -> None:
    """Write all images of one person below a site's folder, with voxels of `mm` millimetres."""
    rng = np.random.default_rng(person.seed)
    gain, noise = _site(person.site)
    makers = {"t1": _t1, "dwi": _dwi, "fmri": _bold}
    for name, make in makers.items():
        # Every image has its own stream, so that a modality that is lacking changes no other.
        stream = np.random.default_rng(rng.integers(2**63))
        if name in person.drivers:
            make(person, folder, stream, gain, noise, mm)
    if person.corrupt:
        path = next((folder / person.participant_id).rglob(f"*_{person.corrupt}.nii.gz"))
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])


def _site(site: str) -> tuple[float, float]:
    """Gain of a site's scanner and the scale of its noise."""
    number = int(site.rsplit("-", 1)[1])
    return 1.0 + 0.15 * (number - 1), 1.0 + 0.2 * (number - 1)


def _maps(mm: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Brain mask, grey matter, white matter and fluid of the template, as fractions."""
    brain, gm, wm = (np.asarray(mni152(kind, mm).dataobj, dtype=float) for kind in ("brain", "gm", "wm"))
    gm, wm = gm * (brain > 0), wm * (brain > 0)
    return brain, gm, wm, np.asarray(csf_map(mm).dataobj, dtype=float)


def _affine(rng: np.random.Generator, mm: int) -> FloatArray:
    """Head position and size: a few degrees, millimetres and per cent."""
    angles, shift = rng.normal(0, np.radians(3), 3), rng.normal(0, 3, 3)
    cos, sin = np.cos(angles), np.sin(angles)
    turn = np.array([[1, 0, 0], [0, cos[0], -sin[0]], [0, sin[0], cos[0]]])
    turn = turn @ np.array([[cos[1], 0, sin[1]], [0, 1, 0], [-sin[1], 0, cos[1]]])
    turn = turn @ np.array([[cos[2], -sin[2], 0], [sin[2], cos[2], 0], [0, 0, 1]])
    move = np.eye(4)
    move[:3, :3] = turn * (1 + rng.normal(0, 0.01))
    move[:3, 3] = shift
    affine: FloatArray = move @ mni152("t1", mm).affine
    return affine


def _save(data: FloatArray, affine: FloatArray, path: Path, tr: float | None = None) -> None:
    """Write int16 NIfTI; gzip without a time, so that equal data gives equal bytes."""
    image = nib.Nifti1Image(np.round(data).astype(np.int16), affine)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    if tr is not None:
        image.header.set_zooms((*image.header.get_zooms()[:3], tr))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed:
        packed.write(image.to_bytes())


def _t1(person: Person, folder: Path, rng: np.random.Generator, gain: float, noise: float, mm: int) -> None:
    brain, gm, wm, csf = _maps(mm)
    # Loss is larger in some places than in others, in the same ones for everybody.
    pattern = 1 + 0.3 * np.sin(np.linspace(0, 3 * np.pi, gm.shape[1]))[None, :, None]
    grey = gm * np.clip(0.6 - 0.15 * person.drivers["t1"] * pattern, 0.1, 1.0)
    fluid = csf + gm - grey
    head = binary_dilation(brain > 0, iterations=2) & ~binary_dilation(brain > 0)
    signal = 0.62 * grey + 1.0 * wm + 0.25 * fluid + 0.55 * head
    bias = np.exp(0.01 * _smooth(rng, brain.shape, 40 / mm))
    data = gain * signal * bias + 0.005 * noise * rng.normal(size=brain.shape)
    _save(np.clip(800 * data, 0, None), _affine(rng, mm), _path(folder, person, "anat", "T1w.nii.gz"))


def _dwi(person: Person, folder: Path, rng: np.random.Generator, gain: float, noise: float, mm: int) -> None:
    brain, gm, wm, csf = _maps(mm)
    driver = person.drivers["dwi"]
    axes = _axes(brain.shape, mm)
    mean, anisotropy = 7.5e-4 * (1 + 0.03 * driver), np.clip(0.6 * (1 - 0.07 * driver), 0.2, 0.9)
    # Axially symmetric tensor: along = mean (1 + 2 t), across = mean (1 - t), with t from the anisotropy.
    t = anisotropy / np.sqrt(3 - 2 * anisotropy**2)
    gradients = _gradients()
    bvals = np.r_[0.0, 0.0, np.full(DIRECTIONS, B)]
    bvecs = np.r_[np.zeros((2, 3)), gradients]
    volumes = []
    for b, g in zip(bvals, bvecs, strict=True):
        along = (axes @ g) ** 2
        white = np.exp(-b * mean * (1 - t + 3 * t * along))
        plain = 0.8 * wm * white + gm * np.exp(-b * 8.5e-4) + 1.2 * csf * np.exp(-b * 3e-3)
        # Rician noise at a signal-to-noise ratio of about 40.
        real, imaginary = 0.025 * noise * rng.normal(size=(2, *brain.shape))
        volumes.append(gain * np.hypot(plain + real, imaginary))
    path = _path(folder, person, "dwi", "dwi.nii.gz")
    _save(600 * np.stack(volumes, axis=-1), _affine(rng, mm), path)
    stem = str(path).removesuffix(".nii.gz")
    write_text(f"{stem}.bval", " ".join(f"{b:g}" for b in bvals) + "\n")
    write_text(f"{stem}.bvec", "\n".join(" ".join(f"{x:.6f}" for x in row) for row in bvecs.T) + "\n")


def _bold(person: Person, folder: Path, rng: np.random.Generator, gain: float, noise: float, mm: int) -> None:
    brain, gm, wm, csf = _maps(mm)
    atlas = gray_matter(mm)
    labels = np.asarray(atlas.image.dataobj).astype(int)
    coupling = np.clip(0.5 - 0.2 * person.drivers["fmri"], 0.05, 0.9)
    series = _network_series(list(atlas.names.values()), coupling, rng)
    motion = _motion(person, rng)
    displacement = np.r_[0.0, np.abs(np.diff(motion, axis=0)) @ np.array([1, 1, 1, 50, 50, 50])]
    data = np.zeros((*brain.shape, VOLUMES))
    for row, label in enumerate(atlas.names):
        data[labels == label] += series[row]
    baseline = 100 * (0.8 * gm + 0.7 * wm + 1.0 * csf)
    data = baseline[..., None] * (1 + 0.01 * data)
    data += 0.6 * noise * rng.normal(size=data.shape) + 0.8 * displacement * (brain > 0)[..., None]
    data *= gain * (brain > 0)[..., None]
    template = mni152("t1", mm)
    stem = f"task-rest_space-{SPACE}_res-{mm}_desc-"
    derivatives = folder / "derivatives" / "fmriprep"
    bold = _path(derivatives, person, "func", f"{stem}preproc_bold.nii.gz")
    _save(4 * data, template.affine, bold, TR)
    _save((brain > 0).astype(float), template.affine, _path(derivatives, person, "func", f"{stem}brain_mask.nii.gz"))
    write_json(str(bold).removesuffix(".nii.gz") + ".json", {"RepetitionTime": TR, "SkullStripped": True})
    tissue = {name: data[mask].mean(axis=0) for name, mask in (("csf", csf > 0.8), ("white_matter", wm > 0.9))}
    table = _confounds(motion, displacement, tissue | {"global_signal": data[brain > 0].mean(axis=0)})
    write_tsv(_path(derivatives, person, "func", "task-rest_desc-confounds_timeseries.tsv"), table)


def _network_series(names: list[str], coupling: float, rng: np.random.Generator) -> FloatArray:
    """Standardised series (regions, volumes): the hemispheres of a network share a part of their variance."""
    networks = [name.split("_", 1)[-1] for name in names]
    common = {network: _slow(rng) for network in dict.fromkeys(networks)}
    everywhere = _slow(rng)
    rows = [
        np.sqrt(coupling) * common[network] + np.sqrt(1 - coupling) * _slow(rng) + 0.3 * everywhere
        for network in networks
    ]
    return np.stack(rows)


def _slow(rng: np.random.Generator) -> FloatArray:
    """A standardised series with the spectrum of rest, below about 0.1 Hz."""
    series = gaussian_filter(rng.normal(size=VOLUMES + 20), 1.2)[10:-10]
    return (series - series.mean()) / series.std()


def _motion(person: Person, rng: np.random.Generator) -> FloatArray:
    """Realignment parameters (volumes, 6): millimetres, then radians."""
    steps = person.motion * rng.normal(size=(VOLUMES, 6)) * np.array([0.02, 0.02, 0.02, 3e-4, 3e-4, 3e-4])
    return np.cumsum(steps, axis=0)


def _confounds(motion: FloatArray, displacement: FloatArray, signals: dict[str, FloatArray]) -> pd.DataFrame:
    """Confounds as fMRIPrep names them; what is a difference has no first value."""
    names = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]
    columns = dict(zip(names, motion.T, strict=True)) | signals
    table: dict[str, FloatArray] = {}
    for name, values in columns.items():
        derivative = np.r_[np.nan, np.diff(values)]
        table |= {name: values, f"{name}_derivative1": derivative, f"{name}_power2": values**2}
        table[f"{name}_derivative1_power2"] = derivative**2
    time = np.arange(VOLUMES)
    for k in range(2):
        table[f"cosine{k:02d}"] = np.sqrt(2 / VOLUMES) * np.cos(np.pi * (k + 1) * (2 * time + 1) / (2 * VOLUMES))
    table["framewise_displacement"] = np.r_[np.nan, displacement[1:]]
    return pd.DataFrame(table)


def _smooth(rng: np.random.Generator, shape: tuple[int, ...], width: float) -> FloatArray:
    """Smooth random field with standard deviation 1."""
    field = gaussian_filter(rng.normal(size=shape), width, mode="reflect")
    return (field - field.mean()) / field.std()


def _axes(shape: tuple[int, ...], mm: int) -> FloatArray:
    """Direction of the fibres in each voxel (x, y, z, 3), the same for everybody."""
    rng = np.random.default_rng(7)
    field = np.stack([_smooth(rng, shape, 20 / mm) for _ in range(3)], axis=-1)
    return field / np.linalg.norm(field, axis=-1, keepdims=True)


def _gradients() -> FloatArray:
    """Directions (12, 3) spread over the half sphere: a Fibonacci lattice."""
    k = np.arange(DIRECTIONS) + 0.5
    z = 1 - k / DIRECTIONS
    angle = np.pi * (1 + np.sqrt(5)) * k
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)


def _path(folder: Path, person: Person, kind: str, ending: str) -> Path:
    return folder / person.participant_id / kind / f"{person.participant_id}_{ending}"


def write_description(folder: Path, name: str, derivative: str | None = None) -> None:
    """Write ``dataset_description.json``."""
    content: dict[str, object] = {
        "Name": name,
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative" if derivative else "raw",
    }
    if derivative:
        content["GeneratedBy"] = [{"Name": derivative, "Version": "phantom"}]
    write_json(folder / "dataset_description.json", content)
