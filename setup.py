"""Build step of the wheel: the workflow travels inside the package. All that is declared stands in pyproject.toml."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

TOP = Path(__file__).parent
CARRIED = ("Snakefile", "workflow", "profiles", "config", "envs", "CITATION.cff")
"""What a run needs besides the package; in a checkout it lies at the top, where `core.project` finds it as well."""


class WithWorkflow(build_py):
    """Copy the workflow beside the modules of the package; an editable installation finds it in the checkout."""

    def run(self) -> None:
        """Build the modules, then add what is carried, made anew so that nothing that was deleted stays in it."""
        super().run()
        if self.editable_mode:
            return
        inside = Path(self.build_lib, "brainpid", "project")
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir(parents=True)
        for name in CARRIED:
            if (TOP / name).is_dir():
                shutil.copytree(TOP / name, inside / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
            else:
                shutil.copy2(TOP / name, inside / name)


setup(cmdclass={"build_py": WithWorkflow})
