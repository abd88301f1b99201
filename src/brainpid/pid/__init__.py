"""Partial information decomposition of what modalities tell about a scalar target: the public names."""

from brainpid.core.names import Measure
from brainpid.pid.assemble import decompose_information
from brainpid.pid.atoms import atoms_of
from brainpid.pid.decompose import (
    OUT_OF_FOLD_SE_FACTOR,
    decompose,
    decompose_covariance,
    decompose_folds,
    decompose_repeats,
)
from brainpid.pid.estimation import information_from_data, information_from_sample_covariance
from brainpid.pid.gaussian import information_from_covariance
from brainpid.pid.lattice import FusionWeights, fusion_weights, held_by_exactly, mmi_lattice, synergy_by_order
from brainpid.pid.predictions import decompose_predictions
from brainpid.pid.result import MIN_PEOPLE_FOR_SHARES, Decomposition, Row

__all__ = [
    "MIN_PEOPLE_FOR_SHARES",
    "OUT_OF_FOLD_SE_FACTOR",
    "Decomposition",
    "FusionWeights",
    "Measure",
    "Row",
    "atoms_of",
    "decompose",
    "decompose_covariance",
    "decompose_folds",
    "decompose_information",
    "decompose_predictions",
    "decompose_repeats",
    "fusion_weights",
    "held_by_exactly",
    "information_from_covariance",
    "information_from_data",
    "information_from_sample_covariance",
    "mmi_lattice",
    "synergy_by_order",
]
