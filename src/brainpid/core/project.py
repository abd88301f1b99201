"""The files of the project that are no modules: workflow, profiles, shipped configurations, citation.

In a checkout they lie at its top, around ``src``; in an installed wheel inside the package.
"""

from __future__ import annotations

from pathlib import Path

from brainpid.core.errors import InputError

PACKAGE_FOLDER = Path(__file__).parents[1]


def project_file(*place: str) -> Path:
    """Path of a file of the project, such as ``project_file("config", "demo.yaml")``.

    Raises
    ------
    InputError
        Where it is neither inside the package nor around it.
    """
    places = [PACKAGE_FOLDER.joinpath("project", *place), PACKAGE_FOLDER.parents[1].joinpath(*place)]
    for path in places:
        if path.is_file():
            return path
    raise InputError(
        f"{places[0]}: a file of the project is neither there nor at {places[1]}; install the wheel anew, or the "
        "checkout with `pip install -e .` from its folder"
    )


def snakefile() -> Path:
    """The workflow, for `snakemake --snakefile`."""
    return project_file("Snakefile")
