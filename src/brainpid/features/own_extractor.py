"""From one person's files to features by a function of the user's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real

from brainpid.config.sources import ImportSource
from brainpid.core.errors import ImageError, list_some
from brainpid.core.imports import import_function
from brainpid.imaging.extracted import Extracted


def extract_files(files: Mapping[str, str], settings: ImportSource) -> Extracted:
    """Call the function on one person's files, and check what it gives.

    Parameters
    ----------
    files : mapping of str to str
        Paths by the names of `settings.files`.
    settings : ImportSource
        ``function`` and ``options`` are used.

    Raises
    ------
    InputError
        Where there is no such function.
    ImageError
        Where it gives no `Extracted`, no feature, a value that is no number or is infinite, or no unit.
    """
    name = settings.function
    made = import_function(name, "function")(dict(files), **settings.options)
    if not isinstance(made, Extracted):
        raise ImageError(f"{name} gives a {type(made).__name__}; expected brainpid.imaging.extracted.Extracted")
    if not made.values and not made.excluded:
        raise ImageError(f"{name} gives no feature; expected one or more")
    for feature, value in made.values.items():
        if not isinstance(value, Real) or math.isinf(value):
            raise ImageError(f"{name} gives {feature} = {value!r}; expected a number, or NaN where it is not known")
    if lacking := [feature for feature in made.values if feature not in made.units]:
        raise ImageError(f"{name} gives no unit of {list_some(lacking)}; expected one of each feature, such as mm or 1")
    return made
