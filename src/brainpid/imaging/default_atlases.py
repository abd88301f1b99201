"""Compact atlases of grey and white matter that need no download: MNI152 tissue maps cut by the nearest coordinate.

Regions are mirror images of each other: a coordinate stands for both hemispheres, so that every region exists on both
sides and left minus right compares like with like. They are made for compact features of a cohort, not for naming the
anatomy of one person.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import nibabel as nib
import numpy as np
from nilearn import datasets
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brainpid.core.errors import InputError
from brainpid.imaging.atlases import Atlas
from brainpid.imaging.nifti import make_image
from brainpid.imaging.templates import mni152

NETWORKS = {
    "Auditory": "auditory",
    "CinguloOpercular": "cingulo_opercular",
    "DefaultMode": "default",
    "DorsalAttention": "dorsal_attention",
    "FrontoParietal": "fronto_parietal",
    "MedialTemporalLobe": "medial_temporal",
    "ParietoMedial": "parieto_medial",
    "Reward": "reward",
    "Salience": "salience",
    "SomatomotorDorsal": "somatomotor_dorsal",
    "SomatomotorLateral": "somatomotor_lateral",
    "VentralAttention": "ventral_attention",
    "Visual": "visual",
}
"""Region of a cortical coordinate of Seitzman et al. (2020) by its network; those without a network are left out."""

STRUCTURES = {
    "amygdala": "amygdala",
    "basalGanglia": "basal_ganglia",
    "cerebellum": "cerebellum",
    "hippocampus": "hippocampus",
    "thalamus": "thalamus",
}
"""Region of a coordinate outside the cortex by its structure, whatever its network."""

LOBES = {
    "frontal": (
        "aPFC", "dFC", "dlPFC", "frontal", "mFC", "mPFC", "pre-SMA", "precentral gyrus", "SMA", "sup frontal", "vFC",
        "vPFC", "vent aPFC", "vlPFC", "vmPFC", "ACC", "dACC",
    ),
    "parietal": (
        "IPL", "IPS", "TPJ", "angular gyrus", "parietal", "post cingulate", "post parietal", "precuneus",
        "sup parietal",
    ),
    "temporal": ("fusiform", "inf temporal", "sup temporal", "temporal"),
    "occipital": ("occipital", "post occipital"),
    "insular": ("ant insula", "mid insula", "post insula"),
    "deep": ("basal ganglia", "thalamus"),
    "cerebellum": ("inf cerebellum", "lat cerebellum", "med cerebellum"),
}  # fmt: skip
"""Lobe of a coordinate of Dosenbach et al. (2010) by the words of its label."""

MIDLINE = {
    "callosum_genu": [(0, 26, 6), (9, 26, 8), (0, 18, 18)],
    "callosum_body": [(0, 6, 23), (0, -8, 26), (0, -20, 25), (10, 2, 26), (10, -14, 28)],
    "callosum_splenium": [(0, -38, 15), (10, -38, 16), (0, -32, 22)],
    "brainstem": [(0, -28, -22), (0, -28, -34), (0, -40, -48), (8, -22, -12), (9, -30, -30)],
}
"""MNI coordinates, mm, of white matter that no cortical coordinate is near; read off the MNI152 template."""


@lru_cache(maxsize=4)
def gray_matter(resolution: int, threshold: float = 0.25) -> Atlas:
    """Grey matter of MNI152 cut into hemisphere x network.

    A voxel of the grey-matter map above `threshold` belongs to the nearest of the 300 coordinates of [1]_ that have a
    network or lie outside the cortex, with distances taken on (abs(x), y, z). 13 cortical networks and the amygdala,
    hippocampus, basal ganglia, thalamus and cerebellum on each side give 36 regions, such as
    ``L_default`` and ``R_thalamus``.

    Parameters
    ----------
    resolution : int
        Voxel size in mm.
    threshold : float
        Least probability of grey matter, 0 to 1.

    References
    ----------
    .. [1] Seitzman et al. (2020), A set of functionally-defined brain regions with improved representation of the
       subcortex and cerebellum, NeuroImage 206, 116290.
    """
    points = datasets.fetch_coords_seitzman_2018()
    regions = [
        NETWORKS.get(network) if region.startswith("cortex") else STRUCTURES[region]
        for network, region in zip(points["networks"], points["regions"], strict=True)
    ]
    where = points["rois"][["x", "y", "z"]].to_numpy(dtype=float)
    kept = [(name, place) for name, place in zip(regions, where, strict=True) if name is not None]
    return _cut(mni152("gm", resolution), threshold, kept, name=f"gray_matter_{resolution}mm")


@lru_cache(maxsize=4)
def white_matter(resolution: int, threshold: float = 0.5) -> Atlas:
    """White matter of MNI152 cut into hemisphere x lobe, corpus callosum and brainstem.

    A voxel of the white-matter map above `threshold` belongs to the nearest of the 160 coordinates of [1]_, grouped by
    lobe (`LOBES`), and of the coordinates of `MIDLINE`, with distances taken on (abs(x), y, z). Frontal, parietal,
    temporal, occipital, insular, deep (around basal ganglia and thalamus: internal capsule) and cerebellar white matter
    on each side, three parts of the corpus callosum and the brainstem give 18 regions named ``L_frontal``,
    ``callosum_genu``.

    Parameters
    ----------
    resolution : int
        Voxel size in mm.
    threshold : float
        Least probability of white matter, 0 to 1.

    References
    ----------
    .. [1] Dosenbach et al. (2010), Prediction of individual brain maturity using fMRI, Science 329, 1358-1361.
    """
    points = datasets.fetch_coords_dosenbach_2010()
    lobe_of = {word: lobe for lobe, words in LOBES.items() for word in words}
    # A label of this set is a place and a number, such as "post cingulate 80".
    lobes = [lobe_of[label.rsplit(" ", 1)[0]] for label in points["labels"]]
    where = points["rois"][["x", "y", "z"]].to_numpy(dtype=float)
    sided = list(zip(lobes, where, strict=True))
    middle = [(name, np.asarray(place, dtype=float)) for name, places in MIDLINE.items() for place in places]
    return _cut(
        mni152("wm", resolution), threshold, sided + middle, name=f"white_matter_{resolution}mm", middle=MIDLINE
    )


def _cut(
    tissue: nib.Nifti1Image,
    threshold: float,
    points: list[tuple[str, NDArray[np.float64]]],
    *,
    name: str,
    middle: Collection[str] = (),
) -> Atlas:
    """Cut a tissue map by the nearest point on (abs(x), y, z) and, outside `middle`, by hemisphere."""
    voxels = np.argwhere(np.asarray(tissue.dataobj) > threshold)
    if voxels.size == 0:
        raise InputError(f"atlas '{name}': no voxel above the threshold {threshold:g}; expected one below 1")
    places = nib.affines.apply_affine(tissue.affine, voxels)
    # x = 0 lies on neither side; it goes to the right, so that every voxel of the map has a region.
    sides = np.where(places[:, 0] < 0, "L", "R")
    _, nearest = cKDTree(_fold(np.array([place for _, place in points]))).query(_fold(places))
    groups = sorted({group for group, _ in points} - set(middle))
    names = [f"{side}_{group}" for side in "LR" for group in groups] + sorted(middle)
    number = {region: k for k, region in enumerate(names, start=1)}
    found = [points[k][0] for k in nearest]
    regions = [group if group in middle else f"{side}_{group}" for side, group in zip(sides, found, strict=True)]
    labels = np.zeros(tissue.shape, dtype=np.int32)
    labels[tuple(voxels.T)] = [number[region] for region in regions]
    return Atlas(make_image(labels, tissue.affine), {k: region for region, k in number.items()}, name)


def _fold(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions (n, 3) in mm with the left hemisphere laid over the right."""
    return np.column_stack([np.abs(places[:, 0]), places[:, 1:]])
