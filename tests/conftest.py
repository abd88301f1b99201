"""What every test needs: one thread a process, helpers on the path, and a collector that has little to look at."""

import gc
import logging
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# More than one thread on a busy machine makes small problems many times slower; set before numpy is imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
    os.environ.setdefault(variable, "1")

sys.path.insert(0, str(Path(__file__).parent))

# An example that is slow on a busy machine is no fault.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(autouse=True, scope="module")
def few_objects_to_collect():
    """Keep what is imported out of the garbage collector: nilearn calls it for every image that it reads."""
    gc.freeze()


@pytest.fixture(autouse=True)
def everything_is_logged():
    """Undo what a verb that wanted fewer lines has set in this process."""
    logging.getLogger("brainpid").setLevel(logging.NOTSET)
