"""Who hands out the extraction of images imports none of the libraries that read them."""

from __future__ import annotations

import subprocess
import sys

from brainpid.features.extractors import EXTRACTORS


def test_work_is_handed_out_without_the_libraries_of_images():
    code = (
        "import pickle, sys, brainpid.commands.extract;"
        "from brainpid.features.extractors import EXTRACTORS;"
        "pickle.dumps([entry.extract for entry in EXTRACTORS.values()]);"
        "sys.exit(bool({'ants', 'nilearn', 'dipy', 'nibabel', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_extractor_is_found_where_it_is_called():
    for entry in EXTRACTORS.values():
        assert entry.load().__module__ == entry.module
