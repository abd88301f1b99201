"""From images of one person to named numbers with units and quality measures; nothing here knows about cohorts."""

import os

# ITK reads this once, when ANTs is imported: with more threads its sums differ between runs.
os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")
