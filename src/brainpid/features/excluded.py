"""Features without the people whom the study's own list leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from brainpid.cohort.participants import EXCLUDED
from brainpid.features.block import FeatureBlock


def without_excluded(block: FeatureBlock, reasons: Mapping[str, str]) -> FeatureBlock:
    """Block in which some people have no values and the status EXCLUDED.

    Parameters
    ----------
    block : FeatureBlock
    reasons : mapping of str to str
        By label.
    """
    if not reasons:
        return block
    out = np.array([label in reasons for label in block.participant_id])
    return replace(
        block,
        values=np.where(out[:, None], np.nan, block.values),
        status=tuple(
            EXCLUDED if label in reasons else own for label, own in zip(block.participant_id, block.status, strict=True)
        ),
        reason=tuple(reasons.get(label, own) for label, own in zip(block.participant_id, block.reason, strict=True)),
    )
