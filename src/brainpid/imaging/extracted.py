"""What an extraction from one person's images gives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from brainpid.core.errors import ImageError


@dataclass(frozen=True)
class Extracted:
    """Features of one person and modality.

    Attributes
    ----------
    values : dict of str to float
        By feature name; NaN where a region is empty or not covered. The names depend on settings and atlas alone, so
        that all people of a cohort have the same.
    units : dict of str to str
        Unit of every feature: ``mm^3``, ``mm^2/s``, ``1``.
    quality : dict of str to float
        Quality measures by name, with the unit in the name where there is one (``fd_mean_mm``).
    picture : ndarray of uint8, shape (height, width), or None
        Mosaic of slices for looking at.
    note : str
        What is doubtful about the measurement, or is lacking in it; empty where nothing is.
    excluded : str
        Why a rule of the configuration excludes the person; empty where none does.
    regions : dict of str to tuple of str
        Regions of the brain, by the atlas's names, of each feature that has any: one, or the two that an edge joins.
    """

    values: dict[str, float]
    units: dict[str, str]
    quality: dict[str, float] = field(default_factory=dict)
    picture: NDArray[np.uint8] | None = None
    excluded: str = ""
    regions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    note: str = ""


ICV = "icv"
"""Feature that holds the intracranial volume."""


PLAUSIBLE_ICV = (7e5, 2.3e6)
"""In mm^3: from a small child's to more than the largest adults'."""


def check_icv(volume: float, of: str) -> None:
    """Refuse an intracranial volume that no head has.

    Parameters
    ----------
    volume : float
        In mm^3; NaN, which is not known, passes.
    of : str
        What it was found by, for the message.

    Raises
    ------
    ImageError
        Where it is not within 700 to 2,300 cm^3.
    """
    low, high = PLAUSIBLE_ICV
    if volume < low or volume > high:
        raise ImageError(
            f"the intracranial volume is {volume / 1000:,.0f} cm^3 by {of}, expected {low / 1000:,.0f} to "
            f"{high / 1000:,.0f} cm^3: is the whole head in the image, is it upright, and is its voxel size right?"
        )


def divide_by_icv(found: Extracted) -> Extracted:
    """Volumes as parts of the intracranial volume.

    Parameters
    ----------
    found : Extracted
        With the feature ``icv``, in mm^3, which passed `check_icv`.

    Returns
    -------
    Extracted
        Every other feature in mm^3 divided by ``icv``, which makes it dimensionless; ``icv`` and what is no volume stay
        as they are.

    Raises
    ------
    ImageError
        Where ``icv`` is not known.
    """
    if np.isnan(found.values[ICV]):
        raise ImageError("the intracranial volume is not known; expected one to divide volumes by")
    volumes = [name for name, unit in found.units.items() if unit == "mm^3" and name != ICV]
    divided = {name: found.values[name] / found.values[ICV] for name in volumes}
    return replace(found, values=found.values | divided, units=found.units | dict.fromkeys(volumes, "1"))
