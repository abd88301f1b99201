"""Importance of regions on a glass brain: what predictions rest on, seen from the sides, the back and above."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import nibabel as nib
import numpy as np
import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from nilearn.plotting import plot_glass_brain

from brainpid.core.arrays import FloatArray
from brainpid.imaging.atlases import Atlas, region_numbers
from brainpid.imaging.nifti import make_image
from brainpid.report.figures import STYLE, nothing

VIEWS = "lyrz"
"""Left, from behind, right, from above."""
COLOUR_MAP = "YlOrRd"
"""One hue that darkens: the order is seen with any colour vision, and in print."""


def glass_brain(importance: pd.DataFrame, atlases: Mapping[str, Atlas], units: str) -> Figure:
    """Change of predictions when the features of a region are permuted, one row of views a modality, on one scale.

    Where regions lie behind each other the largest is seen.

    Parameters
    ----------
    importance : DataFrame
        ``aggregate/importance.tsv``. Regions that are not in the atlas, such as the whole tissue, are left out.
    atlases : mapping of str to Atlas
        By modality; those without a region in the table have no row.
    units : str
        Unit of the target.
    """
    maps = {}
    for modality, atlas in atlases.items():
        values = changes(importance[importance["modality"] == modality]).reindex(atlas.regions()).to_numpy(dtype=float)
        if np.isfinite(values).any():
            maps[modality] = _painted(atlas, np.nan_to_num(values))
    if not maps:
        return nothing("No region of an atlas was permuted.")
    largest = max(float(np.asarray(image.dataobj).max()) for image in maps.values())
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.0, 2.3 * len(maps) + 0.7))
        height = 1 - 0.7 / (2.3 * len(maps) + 0.7)
        for place, (modality, image) in enumerate(maps.items()):
            bottom = 1 - height * (place + 1) / len(maps)
            ax = figure.add_axes((0.06, bottom, 0.94, 0.96 * height / len(maps)))
            plot_glass_brain(
                image, display_mode=VIEWS, figure=figure, axes=ax, colorbar=False, cmap=COLOUR_MAP, vmin=0,
                vmax=largest, plot_abs=False, threshold=1e-12, annotate=place == 0,
            )  # fmt: skip
            figure.text(0.0, bottom + 0.48 * height / len(maps), modality, va="center", fontsize=12, fontweight="bold")
        bar = figure.add_axes((0.3, (1 - height) * 0.65, 0.4, (1 - height) * 0.2))
        colours = mpl.cm.ScalarMappable(Normalize(0, largest), mpl.colormaps[COLOUR_MAP])
        figure.colorbar(colours, cax=bar, orientation="horizontal")
        bar.set_xlabel(f"mean absolute change of predictions when the region is permuted ({units})")
    return figure


def changes(importance: pd.DataFrame) -> pd.Series:
    """Change of predictions by region of one modality: a region of one feature alone has the change of the feature."""
    several = importance[importance["scope"] == "region"].set_index("region")["change"]
    single = importance[(importance["scope"] == "feature") & importance["region"].notna()].set_index("region")["change"]
    return pd.concat([several, single[~single.index.isin(several.index) & ~single.index.duplicated(keep=False)]])


def _painted(atlas: Atlas, values: FloatArray) -> nib.Nifti1Image:
    """Volume with the value of each region, in the order of `Atlas.regions`; 0 outside."""
    numbers = region_numbers(np.asarray(atlas.image.dataobj).astype(np.int32), atlas)
    return make_image(np.concatenate([[0.0], values])[numbers].astype(np.float32), atlas.image.affine)
