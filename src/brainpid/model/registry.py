"""The models that can be trained, by name, and what each of them offers to the rest of the program.

Classes are named, not imported: `train` loads the one that it needs, so that a baseline's job does not pay for torch
and an edit of one model reruns that model alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, Self

from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray, Modalities
from brainpid.core.modalities import Subset
from brainpid.model.inputs import Read
from brainpid.model.varying import Varying


class MultimodalRegressor(Protocol):
    """What every model does; features are a mapping of modality to an array of shape (n, p_m).

    A row of NaN in a modality means that the person lacks it; everybody has at least one.
    """

    out_of_fold_prediction_: FloatArray
    """Prediction of each training person by a fit that had not seen it, shape (n_train,), in the target's units."""

    out_of_fold_subsets_: dict[Subset, FloatArray]
    """The same from every non-empty subset of the modalities, NaN for people who lack one of it."""

    left_out_subsets_: dict[Subset, FloatArray]
    """As `out_of_fold_subsets_`, by fits without the person's site; empty where nothing was learned of new sites."""

    def fit(self, X: Modalities, y: ArrayLike, groups: ArrayLike | None = None, sites: ArrayLike | None = None) -> Self:
        """Fit to people; `y` (n,) is in the target's units, rows of equal `groups` (n,) share an inner fold.

        `sites` (n,) are texts, or NaN; where they are given, `sites_` has their names.
        """

    def read(self, X: Modalities | Read, sites: ArrayLike | None = None) -> Read:
        """Read new people once; each of the methods below takes the features, or what this gave of them.

        People whose site, of `sites` (n,), training has not seen are read as such.
        """

    def predict(self, X: Modalities | Read) -> FloatArray:
        """Predict targets of shape (n,), in the target's units, of everybody with at least one modality."""

    def vary(self, X: Modalities, modality: str, sites: ArrayLike | None = None) -> Varying:
        """People, all of whom have a modality, as they vary in some of its features; `sites` as of `read`."""

    def predict_interval(self, X: Modalities | Read, coverage: float = 0.9) -> FloatArray:
        """Intervals (n, 2) that cover the target of a new person with this probability, in its units."""

    def known_site_width(self, X: Modalities | Read, coverage: float = 0.9) -> FloatArray:
        """Width (n,) that intervals of people of new sites would have at a known one; NaN for everybody else."""

    def scalar_latents(self, X: Modalities | Read) -> dict[str, FloatArray]:
        """Each modality's own prediction of the target's normal score, shape (n,) each; NaN where it is missing."""

    def expected_gain(self, X: Modalities | Read, coverage: float = 0.9) -> dict[str, FloatArray]:
        """By how much each missing modality would narrow a person's interval, (n,) each; NaN for who has it."""

    def log_scores(
        self, X: Modalities | Read, y: ArrayLike, reference: ArrayLike | None = None
    ) -> dict[Subset, FloatArray]:
        """Log scores (n,) in bits of people's targets under the predictive density from every subset."""

    def rescored(
        self,
        predictions: Mapping[Subset, ArrayLike],
        y: ArrayLike,
        reference: ArrayLike,
        sites: ArrayLike | None = None,
    ) -> dict[Subset, FloatArray]:
        """`log_scores` from predictions of every subset (n,) that the model gave of people of these sites before."""

    def subset_predictions(self, X: Modalities | Read) -> dict[Subset, FloatArray]:
        """Predict targets (n,) from every non-empty subset of the modalities, in the target's units.

        NaN where a person lacks a modality of the subset; with all modalities it is what `predict` gives.
        """

    def history(self) -> list[dict[str, float]]:
        """Course of the training, one record an epoch; empty for a closed-form fit."""

    def chosen(self) -> dict[str, Any]:
        """What was chosen inside the training rows, as plain values."""

    def save(self, folder: str | Path) -> None:
        """Write the fitted model into a folder."""


@dataclass(frozen=True)
class ModelEntry:
    """Where a model lives.

    Attributes
    ----------
    module, class_name : str
        Where to import the class from.
    file : str
        Name of the file that `save` writes.
    packages : tuple of str
        Libraries whose versions matter to its results.
    label : str
        Name for people.
    """

    module: str
    class_name: str
    file: str
    packages: tuple[str, ...]
    label: str

    def load_class(self) -> Any:
        """Import the class."""
        return getattr(import_module(self.module), self.class_name)


def _baseline(module: str, class_name: str, label: str) -> ModelEntry:
    """Entry of a model that scikit-learn fits."""
    place, packages = f"brainpid.model.baselines.{module}", ("numpy", "scikit-learn")
    return ModelEntry(place, class_name, "model.joblib", packages, label)


MODELS = {
    "pidreg": ModelEntry("brainpid.model.pidreg.estimator", "PIDReg", "model.pt", ("numpy", "torch"), "PIDReg"),
    "ridge": _baseline("linear", "Ridge", "Ridge"),
    "elastic_net": _baseline("linear", "ElasticNet", "Elastic net"),
    "svr": _baseline("kernels", "SupportVectors", "SVR"),
    "gpr": _baseline("kernels", "GaussianProcessRegression", "GPR"),
    "gradient_boosting": _baseline("trees", "GradientBoosting", "Gradient boosting"),
    "random_forest": _baseline("trees", "RandomForest", "Random forest"),
    "stacking": _baseline("stacking", "Stacking", "Stacking"),
    "mlp": _baseline("mlp", "EarlyFusionNetwork", "Early-fusion MLP"),
    "mean": _baseline("mean", "Mean", "Mean of training"),
}
