r"""PIDReg: multimodal regression that comes with an information decomposition.

`PIDReg` standardises each modality and maps the target to normal scores ``g``. Several experts then read the score from
each modality alone and from all together: a cross-fitted ensemble of networks (`brainpid.model.pidreg.network`), Bayes'
rule on a normative model (`brainpid.model.pidreg.normative`) and, where they suit the number of people, Gaussian
processes and trees (`brainpid.model.pidreg.base_learners`). `brainpid.model.pidreg.stacking` weighs their predictions
and predicts people who lack modalities.

Member e of the networks leaves out inner fold e of the training rows, and so do the other experts' out-of-fold
predictions, so that every training row has a prediction and one scalar latent per modality from experts that were not
fitted to it. Shared by all folds are the scaling of features, the ranks behind the normal scores, and a handful of
numbers: fusion weights, hyperparameters of the processes, the normative models' shrinkage, the experts' weights.

References
----------
Ma and Yu 2025, arXiv:2512.22102.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from brainpid.config.models import PIDRegSettings
from brainpid.config.section import parse_section
from brainpid.core.arrays import Blocks, FloatArray, IntArray, Modalities
from brainpid.core.errors import InputError
from brainpid.core.files import atomic_path
from brainpid.core.modalities import Subset, lacking, presence, subsets_of
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.transforms import NormalScores, Standardizer, normal_scores
from brainpid.model.inputs import Layout, checked_groups, checked_target
from brainpid.model.pidreg.base_learners import BaseLearner, base_learners_for, fit_base_learner
from brainpid.model.pidreg.base_predictions import BasePredictions
from brainpid.model.pidreg.fitted import FittedModel, standardise
from brainpid.model.pidreg.fusion import fusion
from brainpid.model.pidreg.network.fit import fit_network
from brainpid.model.pidreg.options import TRIAL_MEMBERS, best_recipe, options_of, recipes_to_try
from brainpid.model.pidreg.state import plain_values, to_arrays, to_tensors
from brainpid.pid.atoms import Measure
from brainpid.pid.decompose import decompose
from brainpid.pid.result import Decomposition

_LOG = logging.getLogger(__name__)
_FILE = "model.pt"
_KEPT = (
    "modalities_", "recipe_", "trial_errors_", "fusion_weights_", "synergy_weight_", "expert_weights_", "history_",
    "out_of_fold_prediction_", "out_of_fold_latents_", "out_of_fold_target_",
)  # fmt: skip


class PIDReg(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    r"""Multimodal regression with information-weighted fusion.

    Parameters
    ----------
    recipe : {"auto", "compact", "expressive"}
        Where the options that are None come from, see `brainpid.model.pidreg.options`.
    bins : int or None
        Bins of the piecewise-linear encoding of features, see `brainpid.model.pidreg.network.encoding`; 0 takes
        features as they are.
    latent_dim : int or None
        Dimension d of the latents, the same for all modalities.
    hidden : tuple of int or None
        Hidden widths of each encoder.
    head : tuple of int or None
        Hidden widths of the head; empty for a linear head.
    dropout : float or None
        In the hidden layers.
    signal : float
        Initial lambda of the noisy bottleneck, which is learned; 1 switches the bottleneck off.
    members : int
        Number of networks, and of inner folds unless there are fewer groups.
    epochs, batch_size, learning_rate, weight_decay
        See `brainpid.model.pidreg.network.training.TrainingOptions`; the learning rate is the peak of a one-cycle
        schedule. None for the recipe's.
    alpha_readout : float
        Part of the gradient of the per-modality readouts that reaches the encoders.
    alpha_cs, alpha_joint, alpha_ci : float
        Weights of the penalties: marginal Gaussianity, joint Gaussianity, conditional independence.
    conditional : {"gaussian", "kernel"}
        Form of the conditional-independence penalty: ``I(Z_m; Z_k | Y)``, or the paper's
        ``I(Z_m; X_k | X_m)`` as a Cauchy-Schwarz divergence.
    fusion : {"pid", "equal"}
        Fusion weights from the decomposition, or 1/M each without a product term.
    target_transform : {"normal_scores", "none"} or None
        With ``none`` the target is only centred and scaled.
    experts : tuple of {"auto", "normative", "kernel", "forest", "boosting"}
        Experts beside the network; ``auto`` takes those that suit the number of people, an empty tuple none.
    random_state : int or None
        Seed of everything random; None draws one from the operating system.

    Attributes
    ----------
    modalities_ : tuple of str
        In the order of the mapping that was fitted.
    recipe_ : str
        The recipe that was used.
    trial_errors_ : dict of str to float
        Mean absolute error of each recipe that was tried on inner folds, in the target's units; empty without a choice.
    fusion_weights_ : dict of str to float
    synergy_weight_ : float
        Weight of the product term; all weights sum to 1.
    expert_weights_ : dict of str to float
        Weight of each expert's prediction from all modalities, and of the head on the scalar latents.
    out_of_fold_prediction_ : ndarray, shape (n_train,)
        Prediction of each training person by experts and weights that had not seen that person, from the modalities
        that the person has, in the target's units; NaN for people without any modality.
    out_of_fold_latents_ : dict of str to ndarray, shape (n_train,)
        The same for the scalar latents; NaN where the modality is missing.
    out_of_fold_target_ : ndarray, shape (n_train,)
        The target they belong to, in its units.
    history_ : list of dict
        One entry per epoch: loss terms, learning rate, error and information on people who were left out, weights.

    Notes
    -----
    A modality is missing for a person whose row in it is all NaN; single missing cells are imputed. Everybody with at
    least one modality is used and predicted. The result does not depend on the order of the modalities in `X`.
    """

    def __init__(
        self,
        *,
        recipe: str = "auto",
        bins: int | None = None,
        latent_dim: int | None = None,
        hidden: tuple[int, ...] | None = None,
        head: tuple[int, ...] | None = None,
        dropout: float | None = None,
        signal: float = 1.0,
        members: int = 10,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        alpha_readout: float = 0.3,
        alpha_cs: float = 0.0,
        alpha_joint: float = 0.0,
        alpha_ci: float = 0.0,
        conditional: str = "gaussian",
        fusion: str = "pid",
        target_transform: str | None = None,
        experts: tuple[str, ...] = ("auto",),
        random_state: int | None = 0,
    ) -> None:
        self.recipe = recipe
        self.bins = bins
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.head = head
        self.dropout = dropout
        self.signal = signal
        self.members = members
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.alpha_readout = alpha_readout
        self.alpha_cs = alpha_cs
        self.alpha_joint = alpha_joint
        self.alpha_ci = alpha_ci
        self.conditional = conditional
        self.fusion = fusion
        self.target_transform = target_transform
        self.experts = experts
        self.random_state = random_state

    def fit(self, X: Modalities, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit to training people.

        Parameters
        ----------
        X : mapping of str to array_like or DataFrame, shape (n, p_m)
            Features of two or more modalities, any units; NaN marks a missing cell, a row of NaN a missing modality.
        y : array_like, shape (n,)
            Target, in its units.
        groups : array_like, shape (n,), optional
            People of one group are left out together.

        Raises
        ------
        InputError
            Where an option is invalid, there are fewer than two modalities, row counts differ, the target is not
            finite or constant, there is one group only, or fewer than ``2 * members`` people have every modality.
        NumericalError
            Where a loss term is not finite.
        """
        settings = self._settings()
        layout, features = Layout.fit(X)
        n_rows = len(next(iter(features.values())))
        target, group = checked_target(y, n_rows), checked_groups(groups, n_rows)
        present = presence(features)
        members = settings.members
        if (n := int(present.all(axis=1).sum())) < 2 * members:
            raise InputError(
                f"{n} people have every modality ({', '.join(layout.modalities)}); expected at least "
                f"{2 * members}, twice the number of members"
            )
        some = present.any(axis=1)
        if not present.all():
            _LOG.info(
                "%d of %d people lack a modality, %d of them have none and are left out",
                len(present) - n, len(present), int((~some).sum()),
            )  # fmt: skip
        # Sorted names make the result independent of the mapping's order.
        standardizers = {m: Standardizer.fit(features[m][~lacking(features[m])]) for m in sorted(features)}
        blocks = standardise({m: block[some] for m, block in features.items()}, standardizers)
        known = target[some]
        seeds = np.random.SeedSequence(self.random_state).spawn(3 + 2 * members)
        fold = stratified_folds(known, members, np.random.default_rng(seeds[0]), group[some])
        self._choose_recipe(settings, blocks, known, fold, seeds)
        options = options_of(settings, self.recipe_)
        target_map = _target_map(options, known)
        scores = target_map.transform(known)
        weights = fusion(blocks, scores, settings.fusion, np.random.default_rng(seeds[1]))
        left_out = [member % (fold.max() + 1) for member in range(members)]  # folds are fewer where groups are
        network, self.history_ = fit_network(blocks, scores, fold, left_out, options, weights, seeds[3:])
        experts: dict[str, BaseLearner] = {"network": network}
        predictions = [network.leave_out(blocks, fold, left_out)]
        for name in base_learners_for(n, settings.experts):
            experts[name], reading = fit_base_learner(name, blocks, known, target_map, fold, seeds[2])
            predictions.append(reading)
        self._fitted, unseen = FittedModel.calibrate(
            layout, standardizers, target_map, experts, predictions, known, fold
        )

        self.modalities_ = layout.modalities
        self.fusion_weights_ = {m: weights.modalities[m] for m in layout.modalities}
        self.synergy_weight_ = weights.synergy
        self.expert_weights_ = dict(zip([*experts, "head"], self._fitted.combination.weights.tolist(), strict=True))
        self.out_of_fold_target_ = target
        self.out_of_fold_prediction_ = np.full(len(target), np.nan)
        self.out_of_fold_prediction_[some] = unseen.prediction
        self.out_of_fold_latents_ = {m: np.full(len(target), np.nan) for m in layout.modalities}
        for m, latent in unseen.latents.items():
            self.out_of_fold_latents_[m][some] = latent
        return self

    def predict(self, X: Modalities) -> FloatArray:
        """Predict targets (n,), in the target's units, from the modalities that each person has; NaN without any.

        Raises
        ------
        InputError
            Where `X` does not have the modalities and features that were fitted.
        """
        return self._fitted.predict(self._read(X))

    def subset_predictions(self, X: Modalities) -> dict[Subset, FloatArray]:
        """Predict from every subset of the modalities alone: subset to (n,), in the target's units.

        NaN for people who lack a modality of the subset. The subset of all modalities gives what `predict` gives.
        """
        predictions = self._read(X)
        return {subset: self._fitted.predict_from(predictions, subset) for subset in subsets_of(self.modalities_)}

    def predict_interval(self, X: Modalities, coverage: float = 0.9) -> FloatArray:
        """Prediction intervals (n, 2) in the target's units, calibrated for the modalities that each person has.

        See `brainpid.model.conformal.AdaptiveConformal` for what the coverage means.
        """
        return self._fitted.interval(self._read(X), coverage)

    def expected_gain(self, X: Modalities, coverage: float = 0.9) -> dict[str, FloatArray]:
        """By how much acquiring a modality would narrow a person's interval: modality to (n,), in the target's units.

        The width of intervals at the person's prediction from the modalities at hand, less that with the modality
        added; NaN for people who have it. A negative value is no gain.
        """
        return self._fitted.expected_gain(self._read(X), coverage)

    def scalar_latents(self, X: Modalities) -> dict[str, FloatArray]:
        """Each modality's own prediction of the normal score.

        Returns
        -------
        dict of str to ndarray, shape (n,)
            On the normal-score scale; NaN for people who lack the modality.
        """
        return self._fitted.latents(self._read(X))

    def decompose(
        self, X: Modalities, y: ArrayLike, measure: Measure = "mmi", confidence: float = 0.95
    ) -> Decomposition:
        """Decompose the information of the scalar latents about the target, on people it was not fitted on.

        People who lack a modality are left out. Their own normal scores stand for the target.

        Parameters
        ----------
        X : mapping of str to array_like or DataFrame, shape (n, p_m)
        y : array_like, shape (n,)
        measure : {"mmi", "idep"}
        confidence : float
        """
        latents = self.scalar_latents(X)
        target = checked_target(y, len(next(iter(latents.values()))))
        known = np.isfinite(np.stack(list(latents.values()))).all(0)
        return decompose(
            {name: latent[known] for name, latent in latents.items()}, normal_scores(target[known]), measure, confidence
        )

    def history(self) -> list[dict[str, float]]:
        """Course of the training, one record an epoch."""
        return self.history_

    def chosen(self) -> dict[str, Any]:
        """What was chosen inside the training rows: recipe, weights of the modalities and of the experts."""
        names = ("recipe", "trial_errors", "fusion_weights", "synergy_weight", "expert_weights")
        return {name: getattr(self, f"{name}_") for name in names}

    @property
    def layout_(self) -> Layout:
        """Modalities and features that were fitted on, with the names of those that came as a DataFrame."""
        check_is_fitted(self, "history_")
        return self._fitted.layout

    @property
    def scalers_(self) -> dict[str, Standardizer]:
        """Scaling of each modality's features, by the training people."""
        check_is_fitted(self, "history_")
        return self._fitted.standardizers

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to ``model.pt``: tensors and plain containers, whole or not at all."""
        check_is_fitted(self, "history_")
        state = {
            "parameters": plain_values(self.get_params()),
            "kept": to_tensors({name: getattr(self, name) for name in _KEPT}),
            "fitted": self._fitted.state(),
        }
        with atomic_path(Path(folder) / _FILE) as part:
            torch.save(state, part)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that `save` wrote; its predictions are bit-identical. Nothing in the file is executed."""
        path = Path(folder) / _FILE
        if not path.is_file():
            raise InputError(f"{path}: the file does not exist; expected a model that PIDReg.save wrote")
        state = torch.load(path, weights_only=True)
        model = cls(**state["parameters"])
        for name, value in to_arrays(state["kept"]).items():
            setattr(model, name, value)
        model._fitted = FittedModel.from_state(state["fitted"])
        return model

    def _read(self, X: Modalities) -> list[BasePredictions]:
        check_is_fitted(self, "history_")
        return self._fitted.read(X)

    def _settings(self) -> PIDRegSettings:
        """Options as the section of the configuration has them, which alone knows their ranges."""
        values = plain_values(self.get_params())
        seed = values.pop("random_state")
        if seed is not None and not (isinstance(seed, int) and seed >= 0):
            raise InputError(f"PIDReg: random_state: expected a whole number from 0 on or None, found {seed!r}")
        return parse_section(PIDRegSettings, values, "PIDReg")

    def _choose_recipe(
        self,
        settings: PIDRegSettings,
        blocks: Blocks,
        target: FloatArray,
        fold: IntArray,
        seeds: list[np.random.SeedSequence],
    ) -> None:
        """Try recipes on a few inner folds where there is a choice."""
        names = recipes_to_try(settings.recipe, len(target))
        errors = {}
        for name in names if len(names) > 1 else []:
            options = options_of(settings, name)
            target_map = _target_map(options, target)
            scores = target_map.transform(target)
            weights = fusion(blocks, scores, settings.fusion, np.random.default_rng(seeds[1]))
            members = range(min(TRIAL_MEMBERS, settings.members))
            network, _ = fit_network(blocks, scores, fold, members, options, weights, seeds[3 : 3 + 2 * len(members)])
            predicted = target_map.inverse_transform(network.leave_out(blocks, fold, members).together)
            errors[name] = np.abs(predicted - target)[np.isfinite(predicted)]
        self.recipe_ = best_recipe(errors) if errors else names[0]
        self.trial_errors_ = {name: float(error.mean()) for name, error in errors.items()}


def _target_map(options: Mapping[str, Any], target: FloatArray) -> NormalScores:
    normal = options["target_transform"] == "normal_scores"
    return NormalScores.fit(target) if normal else NormalScores.straight(target)
